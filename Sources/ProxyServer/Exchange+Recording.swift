internal import DualWrite
internal import Extraction
internal import NIOCore
internal import Upstreams

/// How far a write is that has to be on record before its primary sees it.
enum Recording: Equatable {
    case none
    /// Its body is arriving, and is kept.
    case gathering(expectsContinue: Bool)
    /// It is being brought to disk.
    case asked

    var isGathering: Bool {
        if case .gathering = self { true } else { false }
    }
}

/// A write that both sides are to get: first all of it is brought to disk, then its primary sees it (DESIGN §3).
extension Exchange {
    /// A write is on record, and no byte of it has been handed to a connection: no side can have carried it out.
    var isOnRecordAlone: Bool { capture?.isRecorded == true && !machine.wasSent }

    /// Waits for the whole body. A client that asks first whether it may send it (RFC 9110 §10.1.1) is told so here, for
    /// nobody else hears of it yet.
    func gather() {
        if requestEnded { return record() }
        if recording == .gathering(expectsContinue: true) {
            hasSaidContinue = true
            client.sendContinue()
        }
    }

    func record() {
        guard let capture else { return }
        recording = .asked
        recordings &+= 1
        deadline = context.now + context.settings.recording
        let number = recordings
        let handoff = configuration.handoff
        let write = IntendedWrite(
            extraction: extraction, route: capture.route, method: method, requestHead: head,
            requestBody: capture.requestBody, lane: capture.lane, requestID: capture.requestID,
            primary: machine.decision.primary)
        handoff.intend(write) { [self] answer in
            guard recordings == number, recording == .asked else {
                // The client has left, or waited for long enough; then it is known already how the write went on.
                if case .durable(let ticket) = answer { handoff.withdraw(ticket) }
                return
            }
            switch answer {
            case .durable(let ticket):
                self.ticket = ticket
                goOn()
            case .refused(let reason): notRecorded(reason)
            }
        }
    }

    /// It cannot be on record: the route says whether that is the client's loss or the record's.
    func notRecorded(_ reason: String) {
        recordings &+= 1
        guard let capture else { return }
        let rules = configuration.snapshot.writeRules
        let whenFull = capture.route < rules.count ? rules[capture.route] : WriteRules().whenFull
        let isServed = whenFull == .serveWithoutShadow
        configuration.handoff.unrecorded(extraction, capture.route, method, reason, isServed)
        self.capture = nil
        if isServed { return goOn() }
        machine.ended()
        release()
        if reason == LogRefusal.tooLarge.rawValue {
            client.sendError(
                status: 413, detail: "The request body is larger than is accepted here.", requestEnded: requestEnded)
        } else {
            client.sendError(
                status: 503, detail: "Writes are not accepted at the moment.", requestEnded: requestEnded,
                retryAfter: Self.retryAfter)
        }
    }

    /// Seconds. Room is made, and a disk is slow, for about as long.
    private static let retryAfter = 1

    /// Only now is a side asked.
    private func goOn() {
        count(machine.decision)
        recording = .none
        deadline = .distantFuture
        attempt()
    }
}
