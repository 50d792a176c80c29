internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Resilience
internal import Upstreams

/// The upstream's answer, and its failures.
extension Exchange: UpstreamConsumer {
    func upstreamConnected(_ stream: any UpstreamStream) {
        connected(stream)
    }

    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {
        if parser.head.isInterim {
            if hasSaidContinue, parser.head.status == 100 { return }
            client.sendHead(parser, bytes, servedBy: [], requestEnded: requestEnded)
            if !client.isWritable { stream?.pauseReading() }
            return
        }
        let now = NIODeadline.now()
        headNanoseconds = (now - attemptBegan).nanoseconds
        settleBreaker(parser.head.status >= 500 ? .failure : .success, now: now)
        keepStaleMonolithOut()
        switch machine.answerHeadArrived(status: parser.head.status) {
        case .forward:
            answeredStatus = parser.head.status
            if answeredStatus >= 502, answeredStatus <= 504 { countOriginError() }
            deadline = context.now + upstream.timeouts.idle
            capture?.answerHead(UnsafeRawBufferPointer(rebasing: bytes[..<min(parser.head.length, bytes.count)]))
            client.sendHead(parser, bytes, servedBy: servedBy, requestEnded: requestEnded)
        case .tunnel: beginTunnel(parser, bytes)
        case .fallBack(let reason):
            stream?.cancel()
            stream = nil
            fallBack(reason)
        }
    }

    func upstreamBody(_ bytes: ByteBuffer) {
        capture?.answerBody(bytes)
        answerBytes &+= bytes.readableBytes
        client.sendBody(bytes)
        if client.isWritable {
            deadline = context.now + silenceLimit
        } else {
            // A slow reader: the upstream waits with it, and the client's own deadline applies.
            stream?.pauseReading()
            deadline = .distantFuture
        }
    }

    func upstreamEnded(trailers: [UInt8]) {
        if machine.phase == .tunnelling {
            finishTunnel()
            return
        }
        stream = nil
        deadline = .distantFuture
        machine.ended()
        countAnswer(isError: false)
        let captured = takeCapture(.answered(status: answeredStatus))
        // The next exchange may begin before `sendEnd` returns, under another configuration.
        let decided = configuration
        client.sendEnd(trailers: trailers, requestEnded: requestEnded)
        if let captured { decided.handoff.shadow(captured) }
    }

    func upstreamReadComplete() {
        client.flush()
    }

    func upstreamWritabilityChanged(_ isWritable: Bool) {
        guard isWritable, isActive else { return }
        if machine.phase == .sent {
            deadline = requestEnded ? context.now + upstream.timeouts.firstByte : .distantFuture
        }
        client.resumeRequest()
    }

    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool) {
        let endpoint = stream?.endpoint ?? .none
        stream = nil
        waiter = nil
        failed(AttemptFailure(failure), reused: reused, at: endpoint)
    }

    func failed(_ failure: AttemptFailure, reused: Bool, at endpoint: EndpointID = .none) {
        deadline = .distantFuture
        // A kept connection that had died says nothing about the service, so the breaker does not hear of it; nor does it
        // of a call for which there was nobody to ask.
        settleBreaker(failure == .reset && reused || failure == .noUpstream ? nil : .failure)
        // A kept connection that was closed is no fault of the upstream's, so trying again needs no budget.
        let isAffordable = reused || upstream.mayRetry
        let wasTunnelling = machine.phase == .tunnelling
        let outcome: CapturedExchange.Outcome = isOnRecordAlone ? .neverSent : .failed
        keepStaleMonolithOut()
        switch machine.upstreamFailed(failure, reused: reused, retryIsAffordable: isAffordable) {
        case .retry:
            if !reused { upstream.retryMade() }
            attempt(failedAt: endpoint)
        case .fallBack(let reason): fallBack(reason)
        case .answer(let status, let detail):
            countUpstreamError()
            countAnswer(isError: true)
            let captured = takeCapture(outcome)
            release()
            client.sendError(status: status, detail: detail, requestEnded: requestEnded)
            if let captured { configuration.handoff.shadow(captured) }
        case .abort:
            countUpstreamError()
            if !wasTunnelling { countAnswer(isError: true) }
            let captured = takeCapture(.failed)
            release()
            client.abort()
            if let captured { configuration.handoff.shadow(captured) }
        }
    }

    /// Since the request was decided another process may have taken over: it would not hear that the monolith stood in, and
    /// would send the lane's next write to the service.
    private func keepStaleMonolithOut() {
        guard machine.decision.monolithMayAnswer, !method.isSafe, extraction >= 0 else { return }
        let extractions = context.configuration.snapshot.extractions
        guard extraction < extractions.count, extractions[extraction]?.mayBeStale == true else { return }
        machine.monolithStaysOut()
    }

    /// The monolith stands in. There is nothing to compare then: both answers would be the monolith's. A write that is on
    /// record is owed to the service from here on.
    private func fallBack(_ reason: FallbackReason) {
        if let recorded = capture, recorded.isRecorded {
            capture?.answerBeginsAnew()
            capture?.hasTurned = true
            // At once: the client's next write must not overtake this one there.
            configuration.snapshot.extractions[extraction]?.board?.owe(.service, lane: recorded.lane)
        } else {
            capture = nil
        }
        countFallback(reason)
        attempt()
    }

    var servedBy: [UInt8] {
        guard let reason = machine.fellBack else { return [] }
        return Array("monolith; fallback=\"\(reason.rawValue)\"".utf8)
    }

    /// 502, 503 and 504 that are the upstream's own words.
    private func countOriginError() {
        if extraction < 0 {
            context.counters.unmatched.originErrors += 1
        } else {
            context.counters.extractions[extraction].originErrors += 1
        }
    }

    private func countUpstreamError() {
        if extraction < 0 {
            context.counters.unmatched.upstreamErrors += 1
        } else {
            context.counters.extractions[extraction].upstreamErrors += 1
        }
    }
}

extension AttemptFailure {
    init(_ failure: UpstreamFailure) {
        switch failure {
        case .refused: self = .refused
        case .connectTimeout: self = .connectTimeout
        case .noConnection: self = .noConnection
        case .noneHealthy: self = .noUpstream
        case .closedBeforeHead: self = .reset
        case .truncated: self = .brokenOff
        case .malformed: self = .malformed
        case .firstByteTimeout: self = .firstByteTimeout
        case .idleTimeout: self = .brokenOff
        }
    }
}
