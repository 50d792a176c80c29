internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// In the place of a client that has left: takes everything and keeps nothing, so that the exchange goes on.
final class DetachedClient: ClientStream {
    let forwardingFacts: ForwardingFacts
    let peer: SocketAddress?

    init(_ client: any ClientStream) {
        forwardingFacts = client.forwardingFacts
        peer = client.peer
    }

    var isWritable: Bool { true }

    func sendHead(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, servedBy: [UInt8], requestEnded: Bool
    ) {}
    func sendContinue() {}
    func sendBody(_ bytes: ByteBuffer) {}
    func sendEnd(trailers: [UInt8], requestEnded: Bool) {}
    func sendError(status: Int, detail: String, requestEnded: Bool, retryAfter: Int?) {}
    func abort() {}
    func flush() {}
    func pauseRequest() {}
    func resumeRequest() {}
    func tunnelBegan() {}
    func tunnelInputEnded() {}
    func tunnelEnded() {}
}
