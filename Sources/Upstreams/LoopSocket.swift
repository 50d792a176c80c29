package import NIOCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The socket of one connection on its loop, without the channel pipeline's part of each write and read.
///
/// A write goes straight to the socket: what it takes at once never enters NIO's queue of pending writes. What it does
/// not take is queued there, and while something is queued everything is, so that the order holds and NIO's
/// writability tells when a slow peer has caught up. A write and a read request through the pipeline cost about as
/// much as parsing a head does, which is why they are not made there.
///
/// The descriptor is used only while the channel says that it is active. NIO says otherwise before it runs anybody's
/// code after the close, so a number that was given to another connection is never written to.
package final class LoopSocket {
    let channel: any Channel
    private let core: any ChannelCore
    /// -1 where the channel has none (an embedded one): then every write is queued.
    let descriptor: CInt
    private var queued = 0
    private var onWritten: (() -> Void)?

    /// For a channel that has its socket already, on its loop.
    package init(_ context: ChannelHandlerContext) {
        channel = context.channel
        core = channel._channelCore
        let handle = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            $0
        }
        descriptor = handle ?? -1
    }

    /// Asks for the next read. Channels are made with `autoRead` off, so not to ask is to wait.
    package func read() { core.read0() }

    package func write(_ bytes: ByteBuffer) {
        var sent = 0
        if queued == 0, descriptor >= 0, channel.isActive {
            sent = bytes.withUnsafeReadableBytes { LoopSocket.transmit(descriptor, $0) }
            if sent == bytes.readableBytes { return }
        }
        queue(bytes.getSlice(at: bytes.readerIndex + sent, length: bytes.readableBytes - sent))
    }

    /// Both in one call to the kernel.
    package func write(_ first: ByteBuffer, _ second: ByteBuffer) {
        let size = first.readableBytes
        guard queued == 0, descriptor >= 0, channel.isActive else {
            queue(first)
            queue(second)
            return
        }
        let sent = first.withUnsafeReadableBytes { first in
            second.withUnsafeReadableBytes { LoopSocket.transmit(descriptor, first, $0) }
        }
        if sent < size { queue(first.getSlice(at: first.readerIndex + sent, length: size - sent)) }
        let past = max(0, sent - size)
        guard past < second.readableBytes else { return }
        queue(second.getSlice(at: second.readerIndex + past, length: second.readableBytes - past))
    }

    /// Calls back once nothing is queued, at once if nothing is; also when the connection has ended with it.
    package func whenWritten(_ body: @escaping () -> Void) {
        if queued == 0 { body() } else { onWritten = body }
    }

    private func queue(_ bytes: ByteBuffer?) {
        guard let bytes, bytes.readableBytes > 0 else { return }
        queued += 1
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            queued -= 1
            guard queued == 0, let onWritten else { return }
            self.onWritten = nil
            onWritten()
        }
        core.write0(NIOAny(bytes), promise: written)
        core.flush0()
    }

    /// - Returns: bytes taken. An error counts as none: NIO meets it again with what is queued, and handles it.
    private static func transmit(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        while true {
            let sent = send(descriptor, base, bytes.count, CInt(MSG_NOSIGNAL))
            if sent >= 0 { return sent }
            if errno != EINTR { return 0 }
        }
    }

    private static func transmit(
        _ descriptor: CInt, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Int {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
            parts.initializeElement(
                at: 0, to: iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count))
            parts.initializeElement(
                at: 1, to: iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
            )
            var message = msghdr()
            message.msg_iov = parts.baseAddress
            message.msg_iovlen = 2
            while true {
                let sent = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
                if sent >= 0 { return sent }
                if errno != EINTR { return 0 }
            }
        }
    }
}
