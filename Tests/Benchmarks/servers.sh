# The servers of a scenario: origins on core 0, proxies on core 1, all on 127.0.0.1. Sourced by `run`.
#
# What is started dies with this script even if that is killed (setpriv --pdeathsig), and is otherwise stopped by its
# process id at the end of each scenario.

# A fixed port for each; below the range that outgoing connections take theirs from.
origin=19001 nginx=19002 haproxy=19003 ours=19004 envoy=19005 shadow=19006 ours_other=19007
admin=19014 admin_other=19017
body='{"orderId":"ord_99018274a","status":"CREATED","totalAmount":149.98,"createdAt":"2026-05-29T13:07:00Z","items":[{"productId":"prod_7721","quantity":2}]}'
declare -A pid=()

start() { # NAME CORE PROGRAM WORD...
    local name=$1 core=$2
    shift 2
    setpriv --pdeathsig TERM -- taskset -c "$core" "$@" > "$dir/$name.log" 2>&1 < /dev/null &
    pid[$name]=$!
}

stop() { # NAME...: asks, waits at most 20 seconds, insists
    local name
    for name; do kill "${pid[$name]}" 2> /dev/null || true; done
    for name; do
        for _ in $(seq 200); do kill -0 "${pid[$name]}" 2> /dev/null || break; sleep 0.1; done
        kill -9 "${pid[$name]}" 2> /dev/null || true
        wait "${pid[$name]}" 2> /dev/null || true
        unset "pid[$name]"
    done
}

stop_all() { stop "${!pid[@]}"; }

await() { # NAME PORT [PATH]: until it answers; fails when its process has ended, whoever else may answer there
    for _ in $(seq 100); do
        kill -0 "${pid[$1]}" 2> /dev/null || break
        curl -sf --max-time 2 -o /dev/null "http://127.0.0.1:$2${3:-/}" && kill -0 "${pid[$1]}" && return
        sleep 0.1
    done
    tail -5 "$dir/$1.log" >&2
    give_up "$1 does not answer on port $2"
}

# One process without a master: it is the one that is measured.
start_nginx() { # NAME CORE PORT HTTP-BLOCK-PART
    mkdir -p "$dir/$1"
    cat > "$dir/$1.conf" << END
daemon off; master_process off; pid $dir/$1.pid; error_log $dir/$1.err; worker_rlimit_nofile $files;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; default_type application/json; sendfile on;
  client_body_temp_path $dir/$1/body; proxy_temp_path $dir/$1/proxy; fastcgi_temp_path $dir/$1/fastcgi;
  uwsgi_temp_path $dir/$1/uwsgi; scgi_temp_path $dir/$1/scgi;
  $4
}
END
    start "$1" "$2" nginx -c "$dir/$1.conf" -e "$dir/$1.err"
    await "$1" "$3"
}

start_origin() { # answers everything with the JSON body, and /files/... with files
    start_nginx origin 0 $origin "server { listen 127.0.0.1:$origin backlog=4096;
        location / { return 200 '$body'; } location /files/ { root $dir; } }"
}

upstream() { # NAME PORT: as nginx says it
    echo "upstream $1 { server 127.0.0.1:$2; keepalive 256; keepalive_requests 100000000; }"
}
pass='proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;'

start_nginx_proxy() {
    start_nginx nginx 1 $nginx "$(upstream origin $origin)
        server { listen 127.0.0.1:$nginx backlog=4096; location / { proxy_pass http://origin; $pass } }"
}

start_nginx_mirror() { # TIMEOUT: sends everything to the shadow as well, and drops its answers
    start_nginx nginx 1 $nginx "$(upstream origin $origin) $(upstream shadow $shadow)
        server { listen 127.0.0.1:$nginx backlog=4096;
            location / { mirror /mirror; proxy_pass http://origin; $pass }
            location = /mirror { internal; proxy_read_timeout $1; proxy_pass http://shadow\$request_uri; $pass } }"
}

start_haproxy() {
    cat > "$dir/haproxy.cfg" << END
global
  nbthread 1
  maxconn 16384
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option forwardfor
  http-reuse always
frontend plain
  bind 127.0.0.1:$haproxy backlog 4096
  http-request set-header X-Forwarded-Proto http
  default_backend origin
backend origin
  server origin 127.0.0.1:$origin pool-max-conn 256
END
    start haproxy 1 haproxy -db -f "$dir/haproxy.cfg"
    await haproxy $haproxy
}

start_envoy() { # [mirror]
    local mirror="" name
    [ "${1:-}" = mirror ] && mirror=", request_mirror_policies: [{cluster: shadow}]"
    {
        cat << END
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: $envoy}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          generate_request_id: false
          http_filters: [{name: envoy.filters.http.router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: "/"}, route: {cluster: origin$mirror}}]}]}
  clusters:
END
        for name in origin shadow; do
            echo "  - {name: $name, type: STATIC," \
                "circuit_breakers: {thresholds: [{max_connections: 1024, max_pending_requests: 8192, max_requests: 8192}]}," \
                "load_assignment: {cluster_name: $name, endpoints: [{lb_endpoints: [{endpoint:" \
                "{address: {socket_address: {address: 127.0.0.1, port_value: ${!name}}}}}]}]}}"
        done
    } > "$dir/envoy.yaml"
    start envoy 1 "$ENVOY" -c "$dir/envoy.yaml" --concurrency 1 -l error --use-dynamic-base-id
    await envoy $envoy
}

start_peers() {
    start_nginx_proxy
    start_haproxy
    if [ -n "${ENVOY:-}" ]; then start_envoy; fi
}

# An extraction whose requests match, written into the folder of one of ours.
extraction() { # NAME EXTRACTION SERVICE-PORT PATH...
    local name=$1 extraction=$2 service=$3
    shift 3
    mkdir -p "$dir/$name/Routes"
    {
        printf 'extraction: %s\nproblem: "It is measured."\nbecause: [scale-variance, fault-isolation]\nmatch:\n' "$extraction"
        printf '  - {path: "%s"}\n' "$@"
        printf 'service: {url: "http://127.0.0.1:%s"}\n' "$service"
    } > "$dir/$name/Routes/$extraction.yaml"
}

# Without a store of its own it has one that cannot be reached: it serves, and no stage changes.
start_ours() { # NAME PORT ADMIN-PORT [store]
    mkdir -p "$dir/$1/Routes" "$dir/$1/Shadow"
    cat > "$dir/$1/Routes/proxy.yaml" << END
listen:   [{address: 127.0.0.1:$2}]
admin:    {address: 127.0.0.1:$3}
monolith: {url: "http://127.0.0.1:$origin"}
timeouts: {idle: 10m}
data:     data
threads:  1
END
    [ -n "${4:-}" ] || echo 'store: {url: "postgres://nobody@127.0.0.1:1/none"}' >> "$dir/$1/Routes/proxy.yaml"
    start "$1" 1 "$program" serve --config "$dir/$1/Routes/proxy.yaml"
    await "$1" "$2"
}

strangler() { # ADMIN-PORT WORD...
    local port=$1
    shift
    timeout 30 taskset -c 0 "$program" "$@" --admin "http://127.0.0.1:$port"
}

# Once its Postgres is up. That runs on core 0, for it is measured apart.
enter_shadow() { # NAME ADMIN-PORT EXTRACTION
    for _ in $(seq 300); do
        strangler "$2" status "$3" --json 2> /dev/null | grep -Eq '"storeConnected" *: *true' && break
        sleep 0.2
    done
    strangler "$2" advance "$3" --to shadow --force --reason "benchmark" > "$dir/advance.log" 2>&1 ||
        { cat "$dir/advance.log" "$dir/$1.log" >&2; give_up "stage shadow was not reached"; }
    local process
    for process in $(postgres_of "$1"); do taskset -p -c 0 "$process" > /dev/null; done
}

postgres_of() { # NAME: the process ids of its private server
    local server
    server=$(head -1 "$dir/$1/data/postgres/cluster/postmaster.pid")
    echo "$server" $(cat "/proc/$server/task/$server/children")
}
