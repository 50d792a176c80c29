internal import HTTPWire
internal import NIOCore

/// The client's side of one exchange, whatever protocol it speaks: a whole connection in HTTP/1.1, a stream in HTTP/2.
/// Class-bound, as `UpstreamConsumer` is and for the same reason.
protocol ClientStream: AnyObject {
    /// What the proxy adds to requests of this client.
    var forwardingFacts: ForwardingFacts { get }
    /// Whose connection it is, or whom its PROXY protocol header names.
    var peer: SocketAddress? { get }
    /// Interim heads (1xx) may precede the final one.
    func sendHead(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, servedBy: [UInt8], requestEnded: Bool)
    /// 100: the client may send its request's body.
    func sendContinue()
    func sendBody(_ bytes: ByteBuffer)
    /// The answer is complete. The next exchange may begin within this call.
    func sendEnd(trailers: [UInt8], requestEnded: Bool)
    /// An answer of the proxy's own, in place of an upstream's.
    /// - Parameter retryAfter: seconds after which the client may try again; nil: nothing is said.
    func sendError(status: Int, detail: String, requestEnded: Bool, retryAfter: Int?)
    /// Ends what cannot be ended cleanly, so that the client sees it.
    func abort()
    func flush()
    var isWritable: Bool { get }
    /// The upstream takes no more of the request for now.
    func pauseRequest()
    func resumeRequest()
    /// What follows in both directions is another protocol's. What the client has sent already is handed over later,
    /// not within this call.
    func tunnelBegan()
    /// Of a tunnel: the upstream has said all that it will say.
    func tunnelInputEnded()
    /// Of a tunnel: it is over.
    func tunnelEnded()
}

extension ClientStream {
    func sendError(status: Int, detail: String, requestEnded: Bool) {
        sendError(status: status, detail: detail, requestEnded: requestEnded, retryAfter: nil)
    }
}
