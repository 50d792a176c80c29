internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// The answer on its way to the client.
extension HTTP1ClientConnection: ClientStream {
    /// Bodies up to this size are copied behind their head, so that both leave in one `write`.
    private static let coalesceLimit = 16 * 1024

    func sendHead(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, servedBy: [UInt8], requestEnded: Bool
    ) {
        if parser.head.isInterim {
            guard clientMinorVersion >= 1 else { return }  // 1xx is unknown to HTTP/1.0 (RFC 9110 §15.2)
            writeHead(parser, bytes, servedBy: [], framing: .none)
            flush()
            return
        }
        // The rest of a request whose answer is already there cannot be told from a next request.
        if !requestEnded || isDraining { closesAfterAnswer = true }
        answerFraming = ResponseForwarding.clientFraming(
            of: parser.head.framing, clientMinorVersion: clientMinorVersion)
        if answerFraming == .untilClose { closesAfterAnswer = true }
        writeHead(parser, bytes, servedBy: servedBy, framing: answerFraming)
    }

    private func writeHead(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, servedBy: [UInt8],
        framing: BodyFraming
    ) {
        let forwarding = ResponseForwarding(
            framing: framing, clientMinorVersion: clientMinorVersion, closes: closesAfterAnswer, servedBy: servedBy,
            date: date)
        outbound.writeHead(estimate: forwarding.capacity(for: parser.head)) { forwarding.write(parser, bytes, to: &$0) }
    }

    func sendContinue() {
        guard clientMinorVersion >= 1 else { return }
        outbound.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
        flush()
    }

    func sendBody(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        let chunked = answerFraming == .chunked
        if chunked { outbound.writeChunkHeader(bytes.readableBytes) }
        if bytes.readableBytes <= HTTP1ClientConnection.coalesceLimit {
            outbound.writeImmutableBuffer(bytes)
        } else {
            socket?.write(outbound, bytes)
            outbound.clear()
        }
        if chunked { outbound.writeStaticString("\r\n") }
    }

    func sendEnd(trailers: [UInt8], requestEnded: Bool) {
        if answerFraming == .chunked {
            outbound.writeStaticString("0\r\n")
            outbound.writeBytes(trailers)
            outbound.writeStaticString("\r\n")
        }
        if !requestEnded { closesAfterAnswer = true }
        answerWritten()
    }

    func sendError(status: Int, detail: String, requestEnded: Bool, retryAfter: Int?) {
        // These answers do not say keep-alive, as HTTP/1.0 would need.
        if !requestEnded || isDraining || clientMinorVersion == 0 { closesAfterAnswer = true }
        outbound.writeBytes(
            ErrorAnswer.bytes(
                status: status, detail: detail, isHead: isHeadRequest, keepsAlive: !closesAfterAnswer, date: date,
                retryAfter: retryAfter))
        answerWritten()
    }

    func flush() {
        if outbound.readableBytes > 0 {
            socket?.write(outbound)
            outbound.clear()
        }
        waitForWriting()
    }
}

extension ByteBuffer {
    /// Writes a head of about `estimate` bytes. A mistaken estimate costs a second try, never a head that is cut off.
    @inline(__always)
    mutating func writeHead(estimate: Int, _ write: (inout ByteSink) -> Void) {
        var capacity = max(64, estimate)
        var isWhole = false
        while !isWhole {
            writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { memory in
                var sink = ByteSink(memory)
                write(&sink)
                isWhole = !sink.overflowed
                return isWhole ? sink.count : 0
            }
            capacity *= 2
        }
    }
}
