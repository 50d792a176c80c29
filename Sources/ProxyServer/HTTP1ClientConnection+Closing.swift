internal import HTTPWire
internal import NIOCore
internal import Upstreams

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The ways in which a client connection ends: in order, too late, refused, broken off.
extension HTTP1ClientConnection {
    func tick(now: NIODeadline) {
        exchangeStorage?.tick(now: now)
        guard now > deadline else { return }
        switch waiting {
        case .upstream: if !hasExchange { channelContext?.close(promise: nil) }  // an exchange has its own deadline
        case .nextRequest: lingerOnceWritten()
        case .lingering: channelContext?.close(promise: nil)
        case .head: refuse(status: 408, detail: "The request head did not arrive in time.")
        case .body: refuse(status: 408, detail: "The request body did not arrive in time.")
        case .writing:
            exchangeStorage?.clientGone()
            exchangeStorage = nil
            abort()
        }
    }

    /// No further request: for a drain.
    func closeIfIdle() {
        if waiting == .nextRequest, !hasExchange { lingerOnceWritten() }
    }

    func closeNow() {
        exchangeStorage?.abandon()
        abort()
    }

    /// The client has said all that it will say. What it asked for wholly is still answered.
    func inputEnded() {
        switch receiving {
        case .nothing: break  // once its answer is out, this is asked again
        case .head: if inbound == nil || isWritable { lingerOnceWritten() }
        case .length, .chunked:
            let isAnswering = isAnswering
            exchangeStorage?.clientGone()
            if isAnswering { abort() } else { lingerOnceWritten() }
        case .tunnel: exchangeStorage?.clientInputEnded()
        case .lingering: if waiting == .lingering { channelContext?.close(promise: nil) }
        }
    }

    /// What was received cannot be understood: nothing of it, or nothing more of it, goes to an upstream.
    func refuse(_ failure: ParseFailure) { refuse(status: failure.status, detail: failure.detail) }

    func refuse(status: Int, detail: String) {
        context.counters.refused += 1
        let isAnswering = isAnswering
        exchangeStorage?.abandon()
        if isAnswering { abort() } else { sendError(status: status, detail: detail, requestEnded: false) }
    }

    /// The answer may still wait for a slow reader; the connection is closed behind it, not over it.
    func lingerOnceWritten() {
        receiving = .lingering
        waiting = .writing
        inbound = nil
        deadline = context.now + context.settings.body
        socket?.whenWritten { [self] in linger() }
    }

    func linger() {
        waiting = .lingering
        deadline = context.now + HTTP1ClientConnection.lingerTime
        guard let channelContext else { return }
        if inputClosed {
            channelContext.close(promise: nil)
        } else {
            channelContext.close(mode: .output, promise: nil)
            resumeRequest()
        }
    }

    func abort() {
        var endMeansWhole = answerFraming == .untilClose
        if case .tunnel = receiving { endMeansWhole = true }
        receiving = .lingering
        inbound = nil
        // Where the connection's end is the answer's end, only a reset says that something is missing.
        if endMeansWhole, let channel = channelContext?.channel as? any SocketOptionProvider {
            channel.resetOnClose()
        }
        channelContext?.close(promise: nil)
    }
}

extension SocketOptionProvider {
    fileprivate func resetOnClose() { _ = setSoLinger(linger(l_onoff: 1, l_linger: 0)) }
}
