internal import HTTPWire
internal import NIOCore
internal import Upstreams

/// One HTTP/1.1 (or 1.0) client: takes requests off the connection, one exchange at a time, and writes the answers.
///
/// Pipelined requests wait in the socket and in at most one read's worth of memory until the answer before them is out.
final class HTTP1ClientConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Receiving {
        case head
        case length(left: Int)
        case chunked
        /// The request is complete; its answer is not.
        case nothing
        /// Behind a 101: bytes of another protocol.
        case tunnel
        /// The last answer is out. What still comes is thrown away, so that closing does not reset the connection under
        /// the answer (RFC 9112 §9.6).
        case lingering
    }

    enum Waiting {
        case nextRequest, head, body, writing, lingering, upstream
    }

    let context: LoopContext
    var channelContext: ChannelHandlerContext?
    private(set) var socket: LoopSocket?
    var exchangeStorage: Exchange?
    private(set) var parser: RequestHeadParser
    private var decoder = ChunkedDecoder()
    var receiving = Receiving.head
    var waiting = Waiting.nextRequest
    var deadline: NIODeadline
    var inbound: ByteBuffer?
    private var isProcessing = false
    private var isRequestPaused = false
    /// The channel's read is over, and no other has been asked for.
    private var isReadWanted = false
    var inputClosed = false
    /// Reset, not ended.
    private var isBroken = false
    var outbound: ByteBuffer
    var answerFraming = BodyFraming.none
    var closesAfterAnswer = false
    var forwardingFacts = ForwardingFacts(clientAddress: [])
    /// Whose facts they are, and of which `LoopContext.configurations`: whom to trust may change.
    var peer: SocketAddress?
    var factsAreOf = 0
    /// Place in the loop's list of clients.
    var index = -1

    /// How long a connection that is closing, or comes when all are to close, may stay silent.
    static let lingerTime = TimeAmount.seconds(1)
    /// Bytes of following requests that are held while one is being answered, or while the client does not take its
    /// answers, before reading stops. No request head is as large.
    private let pipelineLimit: Int
    /// Bytes of body that may still come in chunks.
    private var bodyLeft = Int.max

    init(context: LoopContext) {
        self.context = context
        parser = RequestHeadParser(limits: context.settings.heads)
        pipelineLimit = max(64 * 1024, context.settings.heads.head &* 2)
        deadline = context.now + context.settings.idle
        outbound = ByteBufferAllocator().buffer(capacity: 1024)
    }

    private var exchange: Exchange {
        if let exchangeStorage { return exchangeStorage }
        let made = Exchange(context: context, client: self)
        exchangeStorage = made
        return made
    }

    var hasExchange: Bool { exchangeStorage?.isActive ?? false }
    var isAnswering: Bool { exchangeStorage?.machine.phase == .answering }

    /// Kept here, because the channel's own answer costs two reference counts each time.
    private(set) var isWritable = true
    private var isReadPaused: Bool {
        isRequestPaused || inbound?.readableBytes ?? 0 >= pipelineLimit
    }

    // MARK: Channel events

    func handlerAdded(context channelContext: ChannelHandlerContext) {
        self.channelContext = channelContext
        socket = LoopSocket(channelContext)
    }

    func channelActive(context channelContext: ChannelHandlerContext) {
        if let address = channelContext.remoteAddress { peerIs(address) }
        if context.isDraining { deadline = context.now + HTTP1ClientConnection.lingerTime }
        let buffer = context.settings.buffer
        _ = try? channelContext.channel.syncOptions?.setOption(
            .writeBufferWaterMark, value: .init(low: buffer / 2, high: buffer))
        context.clientConnected(self)
        socket?.read()
    }

    func handlerRemoved(context channelContext: ChannelHandlerContext) {
        self.channelContext = nil
        socket = nil
    }

    func channelInactive(context channelContext: ChannelHandlerContext) {
        isWritable = false
        if isBroken { exchangeStorage?.clientGone() } else { exchangeStorage?.clientEnded() }
        exchangeStorage = nil
        context.clientGone(self)
    }

    func errorCaught(context channelContext: ChannelHandlerContext, error: any Error) {
        isBroken = true
        channelContext.close(promise: nil)
    }

    func userInboundEventTriggered(context channelContext: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else { return }
        inputClosed = true
        inputEnded()
    }

    func channelWritabilityChanged(context channelContext: ChannelHandlerContext) {
        isWritable = channelContext.channel.isWritable
        guard isWritable else { return }
        if hasExchange {
            if waiting == .writing { waiting = .upstream }
            exchange.clientWritable()
        } else if waiting == .writing, case .head = receiving {
            waitForRequest()
            process()
            if context.isDraining { closeIfIdle() }
        }
    }

    func channelReadComplete(context channelContext: ChannelHandlerContext) {
        isReadWanted = true
        readIfWanted()
    }

    func channelRead(context channelContext: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if case .lingering = receiving { return }
        if var kept = inbound {
            inbound = nil
            kept.discardReadBytes()
            kept.writeBuffer(&bytes)
            inbound = kept
        } else {
            inbound = bytes
        }
        process()
    }

    // MARK: Requests

    /// Takes as much of what has arrived as may be taken now.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        loop: while inbound?.readableBytes ?? 0 > 0 {
            switch receiving {
            case .head: guard takeHead() else { break loop }
            case .length(let left): takeBody(left: left)
            case .chunked: guard takeChunks() else { break loop }
            case .nothing: break loop
            case .tunnel: takeTunnel()
            case .lingering: inbound = nil
            }
        }
        isProcessing = false
        if inbound?.readableBytes == 0 { inbound = nil }
        if hasExchange { exchange.requestReadComplete() }
        if inputClosed { inputEnded() } else { readIfWanted() }
    }

    /// - Returns: whether to go on with the bytes behind it.
    private func takeHead() -> Bool {
        // While the client does not read its answers, there are no more of them.
        guard !hasExchange, isWritable, var bytes = inbound else { return false }
        if parser.scanner.isFresh {
            // An empty line before a request is ignored (RFC 9112 §2.2).
            if bytes.skipEmptyLine() {
                inbound = bytes
                return true
            }
            if bytes.isHalfOfEmptyLine { return false }
            waiting = .head
            deadline = context.now + context.settings.head
        }
        var failure: ParseFailure?
        var complete = false
        bytes.withUnsafeReadableBytes { raw in
            do throws(ParseFailure) {
                complete = try parser.parse(raw)
            } catch {
                failure = error
            }
        }
        if let failure {
            refuse(failure)
            return false
        }
        guard complete else { return false }
        beginExchange(&bytes)
        return true
    }

    private func beginExchange(_ bytes: inout ByteBuffer) {
        let request = parser.head
        if factsAreOf != context.configurations, let peer { peerIs(peer) }
        if mayAnswerAlone(request), answerAlone(&bytes) { return }
        let exchange = exchange
        closesAfterAnswer = !request.keepsAlive || context.isDraining
        let isAccepted = bytes.withUnsafeReadableBytes { exchange.prepare(parser, $0) }
        bytes.moveReaderIndex(forwardBy: min(request.length, bytes.readableBytes))
        inbound = bytes
        waiting = .upstream
        switch request.framing {
        case .none, .untilClose:
            receiving = .nothing
            exchange.requestEnded = true
        case .length(let length):
            receiving = .length(left: length)
            waitForBody()
        case .chunked:
            decoder = ChunkedDecoder()
            bodyLeft = context.settings.bodyLimit ?? .max
            receiving = .chunked
            waitForBody()
        }
        if isAccepted {
            exchange.start()
        } else {
            context.counters.refused += 1
            sendError(status: 400, detail: "The path is ambiguous.", requestEnded: false)
        }
    }

    private func waitForBody() {
        guard !isRequestPaused else { return }
        waiting = .body
        deadline = context.now + context.settings.body
    }

    private func takeBody(left: Int) {
        guard var bytes = inbound else { return }
        inbound = nil
        let size = min(left, bytes.readableBytes)
        let part = bytes.readSlice(length: size)
        inbound = bytes
        receiving = size == left ? .nothing : .length(left: left - size)
        waitForBody()
        guard hasExchange, let part else { return }
        exchange.requestBody(part)
        // Sending it may have shown the upstream to be dead, and have ended all of this.
        if size == left, hasExchange { requestComplete(trailers: []) }
    }

    private func takeChunks() -> Bool {
        guard var bytes = inbound else { return false }
        waitForBody()
        var offset = 0
        while true {
            let step: ChunkedDecoder.Step
            do throws(ParseFailure) {
                step = try bytes.nextChunk(&decoder, &offset)
            } catch {
                refuse(error)
                return false
            }
            switch step {
            case .needMore:
                inbound = nil
                return false
            case .data(let start, let end):
                bodyLeft &-= end - start
                if bodyLeft < 0 {
                    refuseBody()
                    return false
                }
                guard hasExchange else { continue }
                if let part = bytes.getSlice(at: bytes.readerIndex + start, length: end - start) {
                    exchange.requestBody(part)
                }
            case .end(let next):
                bytes.moveReaderIndex(forwardBy: min(next, bytes.readableBytes))
                inbound = bytes
                if case .lingering = receiving { return true }
                receiving = .nothing
                if hasExchange { requestComplete(trailers: decoder.trailers) }
                return true
            }
        }
    }

    private func requestComplete(trailers: [UInt8]) {
        waiting = .upstream
        waitForWriting()
        exchange.requestEnded(trailers: trailers)
    }

    // MARK: After the answer

    /// The answer has been written whole.
    func answerWritten() {
        flush()
        if closesAfterAnswer || context.isDraining {
            lingerOnceWritten()
            return
        }
        parser.reset()
        receiving = .head
        waitForRequest()
        isRequestPaused = false
        process()
    }

    private func waitForRequest() {
        waiting = isWritable ? .nextRequest : .writing
        deadline = context.now + (isWritable ? context.settings.idle : context.settings.body)
    }

    func waitForWriting() {
        guard waiting == .upstream, !isWritable else { return }
        waiting = .writing
        deadline = context.now + context.settings.body
    }

    var clientMinorVersion: Int { parser.head.minorVersion }
    var isHeadRequest: Bool { parser.head.method == .head }
    var date: [UInt8] { context.date }
    var isDraining: Bool { context.isDraining }

    func pauseRequest() {
        isRequestPaused = true
        if waiting == .body { waiting = .upstream }
    }

    func resumeRequest() {
        isRequestPaused = false
        switch receiving {
        case .length, .chunked: waitForBody()
        case .head, .nothing, .tunnel, .lingering: break
        }
        readIfWanted()
    }

    private func readIfWanted() {
        guard isReadWanted, !isReadPaused else { return }
        isReadWanted = false
        socket?.read()
    }
}

extension ByteBuffer {
    /// Takes a leading CRLF off.
    fileprivate mutating func skipEmptyLine() -> Bool {
        guard getInteger(at: readerIndex, as: UInt16.self) == 0x0D0A else { return false }
        moveReaderIndex(forwardBy: 2)
        return true
    }

    fileprivate var isHalfOfEmptyLine: Bool {
        readableBytes == 1 && getInteger(at: readerIndex, as: UInt8.self) == 0x0D
    }
}
