package import DualWrite
internal import Extraction
internal import NIOCore
internal import NIOPosix
package import Upstreams

/// The ledger's part of the runner: writes before and after their primaries see them, and what a process before has left.
extension ShadowRunner {
    /// Why a write cannot be delivered again.
    package enum ReadmissionFailure: Error, Sendable, Equatable {
        /// Of another version, or damaged.
        case notARecord
        /// There is no such extraction in the present configuration.
        case unknownExtraction(String)
        case refused(LogRefusal)
    }

    private func owner(of lane: UInt64) -> NIOLoopBound<ShadowLoop>? {
        loops.isEmpty ? nil : loops[Int(lane % UInt64(loops.count))]
    }

    /// For the loop that it is called on: brings a write to disk before its primary sees it.
    ///
    /// The answer comes on the same loop, once: at once where there is nobody to ask.
    package func intending(
        under settings: ShadowSettings
    ) -> (_ write: IntendedWrite, _ done: @escaping (IntentAnswer) -> Void) -> Void {
        guard let own = MultiThreadedEventLoopGroup.currentEventLoop else {
            return { _, done in done(.refused(reason: LogRefusal.closed.rawValue)) }
        }
        return { write, done in
            // A lane's writes are numbered on the loop that delivers them.
            guard let owner = self.owner(of: write.lane) else {
                return done(.refused(reason: LogRefusal.closed.rawValue))
            }
            let asker = NIOLoopBound(done, eventLoop: own)
            if owner.eventLoop === own {
                owner.value.delivery.intend(write, under: settings) { asker.value($0) }
            } else {
                owner.eventLoop.execute {
                    owner.value.delivery.intend(write, under: settings) { answer in
                        own.execute { asker.value(answer) }
                    }
                }
            }
        }
    }

    /// Of a write that certainly never reached a primary, or that went on without its ticket: it is not delivered.
    package func withdraw(_ ticket: WriteTicket) {
        guard let owner = owner(of: ticket.lane) else { return }
        if owner.eventLoop.inEventLoop {
            owner.value.delivery.withdraw(ticket)
        } else {
            owner.eventLoop.execute { owner.value.delivery.withdraw(ticket) }
        }
    }

    // MARK: What was left

    /// While a process that is being taken over from delivers its own writes, this one only puts its own on record: they
    /// come after.
    package func holdDeliveries(_ isHeld: Bool) async {
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.delivery.hold(isHeld) }.get()
        }
    }

    /// Takes over what logs hold of writes that were open. Before anything is served, or later, when a log is adopted.
    ///
    /// - Parameters:
    ///   - recovery: all records of `logs`, each with the number of its log as origin.
    ///   - logs: the first one is the process's own.
    /// - Returns: how many are owed, and how many are uncertain.
    @discardableResult
    package func recover(_ recovery: LedgerRecovery, from logs: [any LedgerLog]) async -> (owed: Int, uncertain: Int) {
        sequence.begin(above: recovery.highest)
        let found = recovery.found()
        // Before another record can have a segment deleted.
        for writes in [found.owed, found.uncertain] {
            for write in writes where logs.indices.contains(Int(write.origin)) {
                logs[Int(write.origin)].retain(write.intent)
            }
        }
        let shares = RecoveredShare.split(found, recovery.names, among: loops.count)
        await withDiscardingTaskGroup { group in
            for (loop, share) in zip(loops, shares) {
                group.addTask { try? await Self.bring(share, from: logs, to: loop) }
            }
        }
        return (found.owed.count, found.uncertain.count)
    }

    /// Turn by turn: clients are served in between.
    private static func bring(
        _ share: RecoveredShare, from logs: [any LedgerLog], to loop: NIOLoopBound<ShadowLoop>
    ) async throws {
        let origins = try await loop.eventLoop.submit {
            loop.value.delivery.recovers(true)
            return loop.value.delivery.adoptLogs(logs)
        }.get()
        var place = 0
        while place < share.count {
            place = try await loop.eventLoop.submit { [place] in
                loop.value.delivery.recover(share, from: place, origins: origins)
            }.get()
        }
        try await loop.eventLoop.submit { loop.value.delivery.recovers(false) }.get()
    }

    /// Has writes that wait in old segments of this process's log written down anew, so that the segments can go: for when
    /// its quota runs out while one side is away from a few lanes only.
    ///
    /// - Returns: how many were found; fewer than `limit` by loop: there are no more.
    @discardableResult
    package func carryForward(upTo segment: UInt32, limit: Int = 1_000) async -> Int {
        var count = 0
        for loop in loops {
            count += await withCheckedContinuation { continuation in
                loop.eventLoop.execute {
                    loop.value.delivery.carryForward(upTo: segment, limit: limit) { continuation.resume(returning: $0) }
                }
            }
        }
        return count
    }

    /// A person has a write delivered that was dead or uncertain.
    /// - Parameter payload: a `carried` record, as the store has it.
    /// - Returns: the sequence that it has from now on.
    @discardableResult
    package func readmit(_ payload: [UInt8]) async throws(ReadmissionFailure) -> UInt64 {
        guard case .carried(let write) = LedgerRecord(payload), let owner = owner(of: write.intent.facts.lane) else {
            throw .notARecord
        }
        let result: Result<UInt64, ReadmissionFailure> = await withCheckedContinuation { continuation in
            owner.eventLoop.execute {
                owner.value.delivery.readmit(write) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    // MARK: How it stands

    /// By slot of the present configuration.
    package func standing() async -> [LedgerStanding] {
        var sums: [LedgerStanding] = []
        for loop in loops {
            let part = try? await loop.eventLoop.submit { loop.value.delivery.standing() }.get()
            guard let part else { continue }
            sums = sums.isEmpty ? part : zip(sums, part).map { $0.adding($1) }
        }
        return sums
    }

    /// The same by extraction.
    package func standings() async -> [String: LedgerStanding] {
        var sums: [String: LedgerStanding] = [:]
        for loop in loops {
            let part = try? await loop.eventLoop.submit { loop.value.delivery.standingByName() }.get()
            for (name, standing) in part ?? [:] { sums[name] = sums[name]?.adding(standing) ?? standing }
        }
        return sums
    }

    /// What has become of writes since the start, by extraction.
    package func ledgerCounts() async -> [String: LedgerCounts] {
        var sums: [String: LedgerCounts] = [:]
        for loop in loops {
            let part = try? await loop.eventLoop.submit { loop.value.delivery.countsByName() }.get()
            for (name, counts) in part ?? [:] { sums[name, default: LedgerCounts()].add(counts) }
        }
        return sums
    }
}

extension LedgerStanding {
    fileprivate func adding(_ other: LedgerStanding) -> LedgerStanding {
        var sum = self
        for side in [Side.monolith, .service] {
            sum[side].writes += other[side].writes
            sum[side].oldest = [sum[side].oldest, other[side].oldest].compactMap { $0 }.min()
        }
        sum.underWay += other.underWay
        sum.paused += other.paused
        return sum
    }
}
