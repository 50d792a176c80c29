import Glibc

/// Ends a poll(2) from another thread: a pipe whose reading end is polled beside the socket. Once signalled it stays so.
final class WakeUp: Sendable {
    let reading: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Without a pipe, polls end at their time-outs.
        _ = pipe(&ends)
        for end in ends where end >= 0 {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        for end in [reading, writing] where end >= 0 { close(end) }
    }

    func signal() {
        var byte: UInt8 = 0
        if writing >= 0 { _ = write(writing, &byte, 1) }
    }
}
