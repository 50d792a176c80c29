import AdminAPI
import DualWrite
import Extraction
import Foundation
import PostgresStore

// Changes of stage and weight, and between them what people have decided beside: about writes, and what may pass without
// evidence.
extension ProxyBackend {
    /// Of an entry: decisions about writes that may be one.
    private static let decisionsOfOne = 100
    private static let decisionLimits = 1_000...10_000

    func history(name: String, limit: Int) async throws(AdminError) -> [HistoryEntry] {
        do throws(StageKeeper.Failure) {
            _ = try await keeper.find(name)
        } catch {
            throw adminError(error, name: name)
        }
        let few = Self.decisionLimits
        let decisions = min(few.upperBound, max(few.lowerBound, limit * Self.decisionsOfOne))
        return try await asking { store in
            HistoryEntry.merged(
                stages: try await store.history(name: name, limit: limit),
                decisions: try await store.decisions(extraction: name, limit: decisions),
                waivers: try await store.waivers(extraction: name), limit: limit)
        }
    }
}

extension HistoryEntry {
    /// - Parameters:
    ///   - stages: the newest first, as many as there are, or `limit`; likewise the others.
    /// - Returns: at most `limit`, the newest first. Decisions of one person about several writes, for one reason and with
    ///   nothing between them, are one entry, at the time of the last.
    static func merged(
        stages: [HistoryEntry], decisions: [WriteDecision], waivers: [WaiverEntry], limit: Int
    ) -> [HistoryEntry] {
        let beside =
            (decisions.map(Decided.init) + waivers.flatMap(Decided.both)).sorted { $0.at > $1.at }
        var merged: [HistoryEntry] = []
        var last: Decided?
        var rest = beside[...]
        /// Where it stood when what comes now was decided: as the stage's next older change has left it.
        func take(until at: Date?, standing: StagePoint) {
            while let decided = rest.first, at.map({ decided.at >= $0 }) ?? true {
                rest.removeFirst()
                if let write = decided.write, let known = last, known.isOne(with: decided), !merged.isEmpty {
                    merged[merged.count - 1] = merged[merged.count - 1].also(write)
                } else {
                    merged.append(decided.entry(at: standing))
                }
                last = decided
            }
        }
        for entry in stages {
            take(until: entry.at, standing: entry.to)
            merged.append(entry)
            last = nil
        }
        // Older than what was asked for belongs to a later page.
        if stages.count < limit {
            take(
                until: nil,
                standing: stages.last?.from ?? StagePoint(stage: .identified, weight: .none))
        }
        return Array(merged.prefix(limit))
    }

    private func also(_ write: String) -> HistoryEntry {
        let writes = (writes ?? []) + [write]
        return HistoryEntry(
            at: at, actor: actor, action: action, from: from, to: to, reason: reason, forced: forced,
            evidence: evidence, subject: ReportText.counted(writes.count, "write"), writes: writes)
    }
}

/// Something that was decided beside stage and weight.
private struct Decided {
    let at: Date
    let actor: String
    let action: String
    let reason: String?
    let subject: String
    /// Its id, of a decision about one.
    var write: String?

    init(_ decision: WriteDecision) {
        at = decision.at
        actor = decision.actor
        action = "writes \(decision.verdict.rawValue)"
        reason = decision.reason
        let id = decision.write.description
        subject = decision.endpoint.map { "write \(id), \($0)" } ?? "write \(id)"
        write = id
    }

    private init(_ action: String, _ subject: String, at: Date, by actor: String, _ reason: String?) {
        self.at = at
        self.actor = actor
        self.action = action
        self.reason = reason
        self.subject = subject
    }

    /// A waiver, and its end.
    static func both(_ entry: WaiverEntry) -> [Decided] {
        let given = Decided("waive", entry.subject, at: entry.waiver.at, by: entry.waiver.actor, entry.waiver.reason)
        guard let at = entry.revokedAt else { return [given] }
        return [Decided("unwaive", entry.subject, at: at, by: entry.revokedBy ?? "", nil), given]
    }

    func isOne(with other: Decided) -> Bool {
        write != nil && action == other.action && actor == other.actor && reason == other.reason
    }

    func entry(at point: StagePoint) -> HistoryEntry {
        HistoryEntry(
            at: at, actor: actor, action: action, from: point, to: point, reason: reason, forced: false, evidence: nil,
            subject: subject, writes: write.map { [$0] })
    }
}
