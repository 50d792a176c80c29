// What wrk cannot do: a constant rate with honest latencies, connections that only lie there, a server that never
// answers, and the exact CPU time of other processes.
//
//   pace cpu PID...                                    CPU time so far, all threads, those that ended too: nanoseconds
//   pace silent PORT                                   accepts, reads, never answers
//   pace idle PORT COUNT                               one request on each of COUNT connections, then holds them open
//   pace rate PORT RATE CONNECTIONS SECONDS PATH...    requests at RATE per second, PATHs in turn
//
// `rate` is an open loop: request i is due at i/RATE, whatever became of those before, and its latency counts from the
// moment it was due. A proxy that stalls is charged for all that waited meanwhile (no coordinated omission). Requests
// still unanswered three seconds after the end count with the time they have waited by then.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

// The fields that `run` gives to wrk.
static const char fields[] =
    "Host: 127.0.0.1\r\nAccept: application/json\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=abc123def456; theme=dark\r\n\r\n";

static void fail(const char *what) {
    fprintf(stderr, "pace: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct sockaddr_in address(uint32_t host, int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host)};
}

// `index` spreads connections over source addresses, for the ports of one would not do for many.
static int open_connection(int port, int index) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0) fail("socket");
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in source = address(INADDR_LOOPBACK + 1 + (uint32_t)index / 10000, 0);
    struct sockaddr_in target = address(INADDR_LOOPBACK, port);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) fail("bind");
    if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0) fail("connect");
    return fd;
}

struct connection {
    int fd;
    int64_t due;        // of the request under way
    int64_t body_left;  // -1: the head is not complete
    size_t have;        // bytes of the head in `head`
    char head[4096];
};

enum progress { MORE, DONE, BROKEN };

// Reads what is there of one answer; only 200 with Content-Length is one.
static enum progress read_answer(struct connection *c, int flags) {
    char rest[65536];
    int in_head = c->body_left < 0;
    ssize_t n = in_head ? recv(c->fd, c->head + c->have, sizeof c->head - 1 - c->have, flags)
                        : recv(c->fd, rest, sizeof rest, flags);
    if (n < 0 && (flags & MSG_DONTWAIT) && errno == EAGAIN) return MORE;
    if (n <= 0) return BROKEN;
    if (in_head) {
        c->have += (size_t)n;
        c->head[c->have] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (!end) return c->have == sizeof c->head - 1 ? BROKEN : MORE;
        char *length = strcasestr(c->head, "\r\ncontent-length:");
        if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || !length || length > end) return BROKEN;
        c->body_left = strtoll(length + 17, NULL, 10) - (c->head + c->have - (end + 4));
    } else {
        c->body_left -= n;
    }
    if (c->body_left < 0) return BROKEN;
    return c->body_left == 0 ? DONE : MORE;
}

static int send_request(struct connection *c, const char *path) {
    char request[2048];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n%s", path, fields);
    c->have = 0;
    c->body_left = -1;
    return length < (int)sizeof request && send(c->fd, request, (size_t)length, MSG_NOSIGNAL) == length;
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int rate(int port, double per_second, int count, double seconds, char **paths, int path_count) {
    int64_t total = (int64_t)(per_second * seconds), sent = 0, done = 0, broken = 0;
    int64_t *latencies = calloc((size_t)total, sizeof *latencies);
    struct connection *all = calloc((size_t)count, sizeof *all), **idle = calloc((size_t)count, sizeof *idle);
    if (total < 1 || !latencies || !all || !idle) fail("memory");
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        all[i].fd = open_connection(port, i);
        idle[i] = &all[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    // Idle connections take turns, so that all of them are in use, as those of many clients would be.
    int first = 0, idle_count = count;
    int64_t start = now() + 1000000, end = start + (int64_t)((seconds + 3) * 1e9);
#define DUE(i) (start + (int64_t)((double)(i) * 1e9 / per_second))
    while (done < total && now() < end) {
        while (idle_count > 0 && sent < total && DUE(sent) <= now()) {
            struct connection *c = idle[first];
            first = (first + 1) % count;
            idle_count--;
            c->due = DUE(sent);
            if (!send_request(c, paths[sent % path_count])) shutdown(c->fd, SHUT_RDWR);  // seen as broken below
            sent++;
        }
        int64_t wait = (idle_count > 0 && sent < total ? DUE(sent) : end) - now();
        if (wait < 0) wait = 0;
        struct timespec limit = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        struct epoll_event events[64];
        int ready = epoll_pwait2(poll, events, 64, &limit, NULL);
        if (ready < 0 && errno != EINTR) fail("epoll_pwait2");
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            enum progress progress = read_answer(c, MSG_DONTWAIT);
            if (progress == MORE) continue;
            if (progress == BROKEN) {
                close(c->fd);
                c->fd = open_connection(port, 0);
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
                if (c->due == 0) continue;  // an idle one that the proxy closed
                broken++;
            }
            latencies[done++] = now() - c->due;
            c->due = 0;
            idle[(first + idle_count++) % count] = c;
        }
    }
    int64_t answered = done - broken, unanswered = total - done;
    for (int i = 0; i < count; i++)
        if (all[i].due != 0) latencies[done++] = now() - all[i].due;
    while (sent < total) latencies[done++] = now() - DUE(sent++);
    qsort(latencies, (size_t)total, sizeof *latencies, compare);
#define AT(q) ((double)latencies[(int64_t)((double)(total - 1) * (q))] / 1e3)
    printf("answered %lld unanswered %lld broken %lld p50 %.1f p99 %.1f p99.9 %.1f max %.1f\n", (long long)answered,
           (long long)unanswered, (long long)broken, AT(0.5), AT(0.99), AT(0.999), AT(1));
    return 0;
}

// Prints how many of the connections are still open two seconds after the last answer, then holds them until killed.
static int idle(int port, int count) {
    int *fds = calloc((size_t)count, sizeof *fds), open = 0;
    if (!fds) fail("memory");
    for (int i = 0; i < count; i++) {
        struct connection c = {.fd = open_connection(port, i)};
        enum progress progress = send_request(&c, "/api/v1/orders/1") ? MORE : BROKEN;
        while (progress == MORE) progress = read_answer(&c, 0);
        if (progress == BROKEN) fail("answer");
        fds[i] = c.fd;
    }
    sleep(2);
    for (int i = 0; i < count; i++) {
        char byte;
        if (recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) open++;
    }
    printf("open %d\n", open);
    fflush(stdout);
    for (;;) pause();
}

static int silent(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, poll = epoll_create1(0);
    struct sockaddr_in here = address(INADDR_LOOPBACK, port);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        char bytes[65536];
        if (epoll_wait(poll, &event, 1, -1) < 1) continue;
        int fd = event.data.fd;
        if (fd == listener) {
            event = (struct epoll_event){.events = EPOLLIN, .data.fd = accept(listener, NULL, NULL)};
            if (event.data.fd >= 0) epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
        } else if (read(fd, bytes, sizeof bytes) <= 0) {
            close(fd);
        }
    }
}

static int cpu(char **pids, int count) {
    int64_t sum = 0;
    for (int i = 0; i < count; i++) {
        clockid_t clock;
        struct timespec t;
        errno = clock_getcpuclockid(atoi(pids[i]), &clock);
        if (errno != 0 || clock_gettime(clock, &t) != 0) fail(pids[i]);
        sum += t.tv_sec * 1000000000LL + t.tv_nsec;
    }
    printf("%lld\n", (long long)sum);
    return 0;
}

int main(int count, char **words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlives the benchmark
    prctl(PR_SET_TIMERSLACK, 1UL);     // requests leave when they are due, not up to 50 us later
    if (count > 2 && !strcmp(words[1], "cpu")) return cpu(words + 2, count - 2);
    if (count == 3 && !strcmp(words[1], "silent")) return silent(atoi(words[2]));
    if (count == 4 && !strcmp(words[1], "idle")) return idle(atoi(words[2]), atoi(words[3]));
    if (count > 6 && !strcmp(words[1], "rate"))
        return rate(atoi(words[2]), atof(words[3]), atoi(words[4]), atof(words[5]), words + 6, count - 6);
    fprintf(stderr, "usage: see the head of pace.c\n");
    return 2;
}
