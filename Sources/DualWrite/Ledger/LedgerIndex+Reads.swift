/// Reads of lanes that have writes.
extension LedgerIndex {
    package enum ReadAdmission: Sendable, Equatable {
        /// To be followed by `readFinished`.
        case start
        /// Its id is among those that a later call starts, or gives up.
        case wait
        /// Its lane is too far behind for it to wait.
        case behind
    }

    /// A read has come: the primary has answered it.
    package mutating func readArrived(_ id: UInt64, lane key: UInt64, extraction: UInt16, now: Int64) -> ReadAdmission {
        let lane = lane(key ^ LedgerIndex.salt(extraction))
        guard let last = lastOwed(lane) else {
            guard lanes[lane].reads < UInt16.max else { return .behind }
            lanes[lane].reads += 1
            return .start
        }
        guard isMoving(lane), lanes[lane].open <= LedgerIndex.readsWaitBehind,
            waitingReads[lane, default: []].count < LedgerIndex.readsWaitPerLane
        else { return .behind }
        waitingReads[lane, default: []].append(WaitingRead(id: id, behind: last, since: now))
        waitingReadCount += 1
        return .wait
    }

    package mutating func readFinished(lane key: UInt64, extraction: UInt16) {
        guard let lane = findLane(key ^ LedgerIndex.salt(extraction)), lanes[lane].reads > 0 else { return }
        lanes[lane].reads -= 1
        advance(lane)
    }

    /// Reads that have waited since before `since`, or whose lane does not move: they are not waited for any more.
    package mutating func giveUpReads(since: Int64, into reads: inout [UInt64]) {
        guard waitingReadCount > 0 else { return }
        for (lane, waiting) in waitingReads {
            let given = isMoving(lane) ? waiting.prefix { $0.since < since } : waiting[...]
            guard !given.isEmpty else { continue }
            reads += given.map(\.id)
            waitingReadCount -= given.count
            waitingReads[lane] = given.count == waiting.count ? nil : Array(waiting.dropFirst(given.count))
        }
    }

    /// - Returns: the last write that its other side is owed, by sequence, if a lane has one. Looks at the first ones only:
    ///   in a lane that has more, no read waits.
    private func lastOwed(_ lane: UInt32) -> UInt64? {
        var last: UInt64?
        var index = lanes[lane].head
        var looked = 0
        while index != LedgerIndex.none, looked <= LedgerIndex.readsWaitBehind {
            if nodes[index].phase != .intent { last = nodes[index].sequence }
            index = nodes[index].next
            looked += 1
        }
        return last
    }

    private func isMoving(_ lane: UInt32) -> Bool {
        switch lanes[lane].phase {
        case .pausing, .away, .holding: return false
        case .running, .waiting: return true
        case .ready: return !targets[target(nodes[lanes[lane].head]).index].isPaused
        }
    }

    /// Reads whose writes are done with.
    mutating func startReads(of lane: UInt32, into reads: inout [UInt64]) {
        guard waitingReadCount > 0, let waiting = waitingReads[lane] else { return }
        let head = lanes[lane].head
        let ready = waiting.prefix { head == LedgerIndex.none || $0.behind < nodes[head].sequence }
        guard !ready.isEmpty else { return }
        reads += ready.map(\.id)
        lanes[lane].reads += UInt16(ready.count)
        waitingReadCount -= ready.count
        waitingReads[lane] = ready.count == waiting.count ? nil : Array(waiting.dropFirst(ready.count))
    }
}
