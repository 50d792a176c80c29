import DualWrite
import Foundation
import Logging
import Spool
import Synchronization

/// Postgres has been away for so long that the spool is getting full.
extension LedgerDrain {
    /// Postgres has not answered for so long: it may, or may not for hours.
    private static let patience = Duration.seconds(1)
    private static let betweenLooks = Duration.milliseconds(100)

    func keepRoom() async {
        var vain = Vain()
        while !Task.isCancelled {
            for spool in files.adopted + [files.own] where isCrowded(spool) && vain.isOver(for: spool) {
                guard beginMakingRoom() else { continue }
                let isWorthIt = await makeRoom(in: spool)
                state.withLock { $0.isMakingRoom = false }
                if !isWorthIt { vain.tried(spool) }
            }
            guard (try? await Task.sleep(for: Self.betweenLooks)) != nil else { return }
        }
    }

    /// Spools that had little to let go of: once more when there is something new in them, or after a while.
    private struct Vain {
        private var tries: [SpoolID: (bytes: Int, at: ContinuousClock.Instant)] = [:]

        /// Of the quota.
        private static let part = 32

        mutating func tried(_ spool: Spool) {
            tries[spool.id] = (spool.usage.figures.appendedBytes, .now)
        }

        mutating func isOver(for spool: Spool) -> Bool {
            guard let last = tries[spool.id] else { return true }
            let usage = spool.usage
            guard
                usage.figures.appendedBytes - last.bytes > usage.quota / Self.part
                    || ContinuousClock.now - last.at > LedgerDrain.longestPause
            else { return false }
            tries[spool.id] = nil
            return true
        }
    }

    private func isCrowded(_ spool: Spool) -> Bool {
        let usage = spool.usage
        return Double(usage.bytes) > Self.crowded * Double(usage.quota)
            && spool.drained.segment < spool.durable.segment
    }

    /// - Returns: false while Postgres takes what there is, or may.
    private func beginMakingRoom() -> Bool {
        state.withLock { state in
            let isStuck =
                switch state.turn {
                case .idle: state.isFailing
                case .reading: false
                case .filing(let since): state.isFailing || ContinuousClock.now - since > Self.patience
                }
            state.isMakingRoom = isStuck
            return isStuck
        }
    }

    /// Postgres has been away for so long that the spool is getting full: what only says that a write is settled is let go
    /// of and counted. What is still needed is appended once more, and goes on.
    ///
    /// - Returns: false where most of it is needed: the same again at once would only move it about.
    private func makeRoom(in spool: Spool) async -> Bool {
        let last = spool.durable.segment
        var (moved, freed) = (0, 0)
        while !Task.isCancelled, isCrowded(spool), spool.drained.segment < last {
            do {
                let filedThrough = mayHaveRows
                let (kept, shed, end) = try await onQueue {
                    try Self.sort(spool, before: last, filedThrough: filedThrough)
                }
                try await append(kept, to: files.own)
                try await onQueue { try spool.drained(to: end) }
                (moved, freed) = (moved + kept.count, freed + shed)
                let isFirst = state.withLock { figures in
                    defer { figures.shed += shed }
                    return figures.shed == figures.shedTold
                }
                if isFirst, shed > 0 {
                    logger.error(
                        "Postgres has been away for longer than the spool has room for: settled writes are let go of without being listed there; none of them is lost for either side"
                    )
                }
            } catch {
                logger.error("no room can be made in the spool: \(error)")
                return false
            }
        }
        return freed > moved
    }

    /// Of writes up to this one Postgres may have rows that are not over.
    private var mayHaveRows: UInt64 {
        state.withLock { max($0.filedThrough, $0.attemptedThrough, files.readmittedThrough) }
    }

    /// All in one commit, or a few.
    private func append(_ records: [[UInt8]], to spool: Spool) async throws {
        guard !records.isEmpty else { return }
        let result = Mutex<(left: Int, refusal: LogRefusal?)>((records.count, nil))
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            for record in records {
                spool.append(record, essential: true) { answer in
                    let end: Result<Void, any Error>? = result.withLock { result in
                        result.left -= 1
                        if case .failure(let refusal) = answer { result.refusal = refusal }
                        guard result.left == 0 else { return nil }
                        return result.refusal.map { .failure($0) } ?? .success(())
                    }
                    if let end { continuation.resume(with: end) }
                }
            }
        }
    }
}
