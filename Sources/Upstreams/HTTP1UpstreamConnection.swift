package import HTTPWire
package import NIOCore

/// One HTTP/1.1 connection to an upstream: carries one exchange at a time, then goes back to its loop's pool.
///
/// It answers for the framing of requests and answers on the wire. Whether to try again, fall back or give up is the
/// consumer's to decide.
package final class HTTP1UpstreamConnection: ChannelInboundHandler, UpstreamStream {
    package typealias InboundIn = ByteBuffer

    private enum Reading {
        /// No exchange: any byte is one too many.
        case idle
        case head
        case length(left: Int)
        case chunked
        case untilClose
        /// Behind a 101: bytes of another protocol.
        case tunnel
        /// The answer is whole. If more comes with the same read, the connection is of no further use.
        case ended
    }

    /// Bodies up to this size are copied behind their head, so that both leave in one `write`.
    static let coalesceLimit = 16 * 1024

    /// Held, as they hold it: each lasts until the connection has closed.
    private let upstream: Upstream
    let pool: UpstreamPool
    private(set) var context: ChannelHandlerContext?
    private(set) var socket: LoopSocket?
    private var consumer: (any UpstreamConsumer)?
    private var reading = Reading.idle
    private var parser: ResponseHeadParser
    private var decoder = ChunkedDecoder()
    private var trailers: [UInt8] = []
    private var inbound: ByteBuffer?
    /// Collects what is to leave in one write. Its memory is reused once the socket has taken it.
    private var outbound: ByteBuffer
    private var method = Method.other
    private var chunksRequest = false
    private var requestEnded = true
    private var keepsAlive = true
    private var answered = false
    private var isBroken = false
    private var exchanges = 0
    private var isReadPaused = false
    /// The channel's read is over, and no other has been asked for.
    package private(set) var isReadWanted = false
    package var mayUpgrade = false
    /// The pool counts it: it has been connected, and is not one that lost the race between two addresses of a name.
    var isCounted = false
    /// When it came to rest, for the pool's sweep.
    var idleSince = NIODeadline.uptimeNanoseconds(0)

    init(upstream: Upstream, pool: UpstreamPool) {
        self.upstream = upstream
        self.pool = pool
        parser = ResponseHeadParser(limits: pool.headLimits)
        outbound = ByteBufferAllocator().buffer(capacity: 1024)
    }

    /// It had served a request before this one, so the upstream may have closed it in the meantime.
    package var isReused: Bool { exchanges > 1 }
    /// Kept here, because the channel's own answer costs two reference counts each time.
    package private(set) var isWritable = true
    private(set) var isActive = true

    // MARK: The request

    /// Begins an exchange. The head is a whole one; nothing leaves before `flush`.
    package func begin(_ consumer: any UpstreamConsumer, method: Method, framing: BodyFraming, head: ByteBuffer) {
        self.consumer = consumer
        self.method = method
        exchanges &+= 1
        reading = .head
        answered = false
        keepsAlive = true
        mayUpgrade = false
        trailers = []
        chunksRequest = framing == .chunked
        requestEnded = false
        parser.reset()
        outbound.clear()
        if head.readableBytes <= HTTP1UpstreamConnection.coalesceLimit {
            outbound.writeImmutableBuffer(head)
        } else {
            socket?.write(head)
        }
    }

    package func sendBody(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if chunksRequest { outbound.writeChunkHeader(bytes.readableBytes) }
        append(bytes)
        if chunksRequest { outbound.writeStaticString("\r\n") }
    }

    package func sendEnd(trailers: [UInt8]) {
        if chunksRequest {
            outbound.writeStaticString("0\r\n")
            outbound.writeBytes(trailers)
            outbound.writeStaticString("\r\n")
        }
        requestEnded = true
    }

    package func flush() {
        guard outbound.readableBytes > 0 else { return }
        socket?.write(outbound)
        outbound.clear()
    }

    private func append(_ bytes: ByteBuffer) {
        if bytes.readableBytes <= HTTP1UpstreamConnection.coalesceLimit {
            outbound.writeImmutableBuffer(bytes)
            return
        }
        socket?.write(outbound, bytes)
        outbound.clear()
    }

    /// The consumer wants nothing more. An exchange that is not over cannot be undone, so its connection ends.
    package func cancel() {
        guard consumer != nil else { return }
        consumer = nil
        reading = .idle
        close()
    }

    package var endpoint: EndpointID { pool.id }

    package func timedOut() {
        if consumer != nil { upstream.failed(at: pool, .firstByteTimeout, reused: isReused) }
        cancel()
    }

    package func pauseReading() { isReadPaused = true }

    package func resumeReading() {
        isReadPaused = false
        readIfWanted()
    }

    private func readIfWanted() {
        guard isReadWanted, !isReadPaused else { return }
        isReadWanted = false
        socket?.read()
    }

    func closeIdle() { close() }

    // MARK: The answer

    private func close() {
        isActive = false
        context?.close(promise: nil)
    }

    /// Before the channel is active: it is used as soon as it is connected, which is told a moment earlier.
    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket = LoopSocket(context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        socket = nil
    }

    package func channelActive(context: ChannelHandlerContext) { socket?.read() }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var kept = inbound {
            inbound = nil
            kept.writeBuffer(&bytes)
            bytes = kept
        }
        take(&bytes)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReadWanted = true
        if case .ended = reading { finish() } else { consumer?.upstreamReadComplete() }
        readIfWanted()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        consumer?.upstreamWritabilityChanged(isWritable)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        isActive = false
        isWritable = false
        upstream.connectionClosed(self)
        switch reading {
        case .ended: finish()
        case .untilClose where !isBroken: finish()
        case .tunnel where !isBroken: finish()
        // A part of a head shows that the upstream had begun to answer.
        default: fail(answered || inbound != nil ? .truncated : .closedBeforeHead)
        }
    }

    /// A connection that is reset has not ended: what it carried may lack its rest.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    private func take(_ bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0 {
            switch reading {
            case .idle:
                // More than the answer held: what these bytes mean, nobody knows (response splitting).
                close()
                return
            case .head:
                guard takeHead(&bytes) else { return }
            case .length(let left):
                let size = min(left, bytes.readableBytes)
                guard let part = bytes.readSlice(length: size) else { return }
                reading = .length(left: left - size)
                consumer?.upstreamBody(part)
                if size == left, case .length = reading { reading = .ended }
            case .chunked:
                guard takeChunks(&bytes) else { return }
            case .untilClose, .tunnel:
                consumer?.upstreamBody(bytes)
                return
            case .ended:
                keepsAlive = false
                return
            }
        }
    }

    /// - Returns: whether to go on with the bytes behind it.
    private func takeHead(_ bytes: inout ByteBuffer) -> Bool {
        var failed = false
        var complete = false
        let method = method
        bytes.withUnsafeReadableBytes { raw in
            do throws(ParseFailure) {
                complete = try parser.parse(raw, answering: method)
            } catch {
                failed = true
            }
            if complete {
                answered = true
                upstream.answered(by: pool, status: parser.head.status)
                // Behind a 101 the connection speaks something else: only for a client that asked for it.
                if parser.head.status == 101, !mayUpgrade || parser.facts.upgradeIndex < 0 {
                    failed = true
                } else {
                    consumer?.upstreamHead(parser, raw)
                }
            }
        }
        if failed {
            fail(.malformed)
            return false
        }
        guard complete else {
            inbound = bytes
            return false
        }
        guard consumer != nil else { return false }
        bytes.moveReaderIndex(forwardBy: min(parser.head.length, bytes.readableBytes))
        headTaken()
        return true
    }

    private func headTaken() {
        let head = parser.head
        if head.isInterim {
            parser.reset()
            return
        }
        if head.status == 101 {
            beginTunnel()
            return
        }
        keepsAlive = head.keepsAlive
        switch head.framing {
        case .none: reading = .ended
        case .length(let length): reading = .length(left: length)
        case .chunked:
            decoder = ChunkedDecoder()
            reading = .chunked
        case .untilClose: reading = .untilClose
        }
    }

    private func beginTunnel() {
        keepsAlive = false
        reading = .tunnel
        // Each side of a tunnel may end before the other.
        _ = try? context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .tunnel = reading, case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
        consumer?.upstreamInputEnded()
    }

    private func takeChunks(_ bytes: inout ByteBuffer) -> Bool {
        var offset = 0
        while true {
            let step: ChunkedDecoder.Step
            do throws(ParseFailure) {
                step = try bytes.nextChunk(&decoder, &offset)
            } catch {
                fail(.malformed)
                return false
            }
            switch step {
            case .needMore: return false
            case .data(let start, let end):
                if let part = bytes.getSlice(at: bytes.readerIndex + start, length: end - start) {
                    consumer?.upstreamBody(part)
                }
                guard consumer != nil else { return false }
            case .end(let next):
                bytes.moveReaderIndex(forwardBy: min(next, bytes.readableBytes))
                trailers = decoder.trailers
                reading = .ended
                return true
            }
        }
    }

    /// The answer is whole, and all that could be read with it has been read: only now it is known that nothing followed.
    /// The connection is given back before the consumer hears of it, so that the client's next request can have it.
    private func finish() {
        guard let consumer else { return }
        self.consumer = nil
        reading = .idle
        let trailers = trailers
        resumeReading()
        if keepsAlive, requestEnded, isActive { upstream.release(self) } else { close() }
        consumer.upstreamEnded(trailers: trailers)
        consumer.upstreamReadComplete()
    }

    package func finishSending() {
        flush()
        // Not before all is out: a half that is shut while the other one ends takes with it what is still queued.
        socket?.whenWritten { [self] in context?.close(mode: .output, promise: nil) }
    }

    package func endTunnel(within limit: TimeAmount) {
        consumer = nil
        flush()
        guard let context, let socket else { return }
        let channel = context.channel
        let guardian = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        socket.whenWritten {
            guardian.cancel()
            channel.close(promise: nil)
        }
    }

    private func fail(_ failure: UpstreamFailure) {
        guard let consumer else { return }
        self.consumer = nil
        reading = .idle
        close()
        upstream.failed(at: pool, failure, reused: isReused)
        consumer.upstreamFailed(failure, reused: isReused)
    }
}

extension ByteBuffer {
    /// The size line of a chunk, RFC 9112 §7.1.
    package mutating func writeChunkHeader(_ size: Int) {
        var shift = 60
        while shift > 0, size >> shift == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: size >> shift & 0xF)
            writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
        writeStaticString("\r\n")
    }

    /// One step of a chunked body over the readable bytes; `offset` counts from the reader index.
    package func nextChunk(_ decoder: inout ChunkedDecoder, _ offset: inout Int) throws(ParseFailure)
        -> ChunkedDecoder.Step
    {
        var failure: ParseFailure?
        var step = ChunkedDecoder.Step.needMore
        withUnsafeReadableBytes { raw in
            do throws(ParseFailure) {
                step = try decoder.next(raw, &offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return step
    }
}
