internal import NIOCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

extension HTTP1UpstreamConnection {
    /// The endpoint has closed this connection, broken it, or sent bytes that nobody asked for, and the loop has not come
    /// round to hearing of it. One call to the kernel, so only for requests that cannot be sent twice.
    var hasEndedUnheard: Bool { socket?.hasSomethingToRead ?? true }
}

extension LoopSocket {
    /// Bytes, an end or an error. A channel without a socket, of a test, hears of everything at once.
    fileprivate var hasSomethingToRead: Bool {
        guard channel.isActive else { return true }
        guard descriptor >= 0 else { return false }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT))
        return count >= 0 || (errno != EAGAIN && errno != EINTR)
    }
}
