internal import HTTPWire
internal import NIOCore

/// Takes the PROXY protocol header off the front of a connection and tells the client's handler whose it is; then it is
/// gone, so that requests cost nothing more.
///
/// A peer that is not listed, bytes that are no header, and a header that does not come in time end the connection:
/// nobody who could lie about the address is listened to.
final class ProxyProtocolHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let client: HTTP1ClientConnection
    private let senders: [AddressRange]
    private var kept = ByteBuffer()
    private var timer: Scheduled<Void>?
    private var isDone = false

    init(client: HTTP1ClientConnection, senders: [AddressRange]) {
        self.client = client
        self.senders = senders
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        guard let peer = context.remoteAddress, senders.contains(where: { $0.contains(peer) }) else {
            refuse(context)
            return
        }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: client.context.settings.head) { [self] in
            refuse(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isDone = true
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        var bytes = unwrapInboundIn(data)
        kept.writeBuffer(&bytes)
        let header: ProxyProtocol?
        do throws(ProxyProtocol.Failure) {
            header = try kept.proxyProtocolHeader()
        } catch {
            refuse(context)
            return
        }
        guard let header else { return }
        if !header.address.isEmpty {
            guard
                let address = try? SocketAddress(
                    packedIPAddress: ByteBuffer(bytes: header.address), port: header.port)
            else {
                refuse(context)
                return
            }
            client.peerIs(address)
        }
        isDone = true
        timer?.cancel()
        kept.moveReaderIndex(forwardBy: header.length)
        if kept.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(kept)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard !isDone else { return }
        isDone = true
        timer?.cancel()
        client.context.proxyHeaderRefused()
        context.close(promise: nil)
    }
}

extension ByteBuffer {
    fileprivate func proxyProtocolHeader() throws(ProxyProtocol.Failure) -> ProxyProtocol? {
        var failure: ProxyProtocol.Failure?
        var header: ProxyProtocol?
        withUnsafeReadableBytes { raw in
            do throws(ProxyProtocol.Failure) {
                header = try ProxyProtocol.parse(raw)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return header
    }
}
