internal import HTTPWire
internal import NIOCore
internal import Upstreams

// Behind a 101 (RFC 9110 §7.8): bytes go both ways as they come, each side waits for the other, and each may end first.
// `ExchangeMachine` decides; here is what carries it out.

extension Exchange {
    /// How long the upstream may be silent: a tunnel longer than an answer.
    var silenceLimit: TimeAmount {
        machine.phase == .tunnelling ? context.settings.tunnelIdle : upstream.timeouts.idle
    }

    func beginTunnel(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        answeredStatus = 101
        context.counters.upgraded += 1
        countAnswer(isError: false)
        deadline = context.now + silenceLimit
        client.sendHead(parser, bytes, servedBy: servedBy, requestEnded: requestEnded)
        client.tunnelBegan()
        if let captured = takeCapture(.upgrade) { configuration.handoff.shadow(captured) }
    }

    /// The client's bytes. The caller flushes by `requestReadComplete`.
    func tunnel(_ bytes: ByteBuffer) {
        guard machine.phase == .tunnelling, let stream else { return }
        deadline = context.now + silenceLimit
        stream.sendBody(bytes)
    }

    func clientInputEnded() {
        switch machine.tunnelInputEnded(.client) {
        case .passOn: stream?.finishSending()
        case .finish: finishTunnel()
        case .ignore: break
        }
    }

    func upstreamInputEnded() {
        client.flush()
        switch machine.tunnelInputEnded(.upstream) {
        case .passOn: client.tunnelInputEnded()
        case .finish: finishTunnel()
        case .ignore: break
        }
    }

    /// Both sides have said all, or nothing for too long, or the upstream is gone.
    func finishTunnel() {
        endUpstreamOfTunnel()
        client.tunnelEnded()
    }

    /// The client's connection has ended, both ways and in order. What it said in a tunnel still goes to the upstream.
    func clientEnded() {
        if machine.phase == .tunnelling { endUpstreamOfTunnel() } else { clientGone() }
    }

    private func endUpstreamOfTunnel() {
        machine.ended()
        deadline = .distantFuture
        stream?.endTunnel(within: context.settings.body)
        stream = nil
    }
}

extension HTTP1ClientConnection {
    func tunnelBegan() {
        receiving = .tunnel
        waiting = .upstream
        // Not now: the upstream's connection is in the middle of its read.
        channelContext?.eventLoop.assumeIsolated().execute { [self] in
            if case .tunnel = receiving { process() }
        }
    }

    func takeTunnel() {
        guard let bytes = inbound else { return }
        inbound = nil
        exchangeStorage?.tunnel(bytes)
    }

    func tunnelInputEnded() {
        flush()
        // Not before all is out: a half that is shut while the other one ends takes with it what is still queued.
        socket?.whenWritten { [self] in channelContext?.close(mode: .output, promise: nil) }
    }

    func tunnelEnded() {
        flush()
        lingerOnceWritten()
    }
}
