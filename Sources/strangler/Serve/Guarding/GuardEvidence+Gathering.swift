import Extraction
import Foundation
import PostgresStore

extension GuardStore {
    /// What the guard judges by, summed over replicas.
    ///
    /// Both spans begin where a bucket of counters does: the whole one when the weight began to bake, or somebody said
    /// `resume`; the recent one with the minute before this one, but not earlier. What a replica has counted at another
    /// weight and brings late, at most a second's worth unless it was cut off, is among it.
    ///
    /// - Parameters:
    ///   - step: of the whole span, if it was read a short while ago.
    ///   - replica: this process, which knows itself what it serves.
    func guardEvidence(
        for definition: ExtractionDefinition, in state: ExtractionState, step: GuardEvidence.Span?,
        except replica: String, now: Date
    ) async throws -> GuardEvidence {
        let name = definition.name
        let recent = try await guardSpan(
            extraction: name, since: max(state.bakingSince, now.addingTimeInterval(-60).minute))
        var whole = step
        if whole == nil {
            do {
                whole = try await guardSpan(extraction: name, since: state.bakingSince)
            } catch {
                // What the last minute shows is enough to go back on, and never enough to go on.
                let seen = Guard.judge(GuardEvidence(recent: recent), limits: definition.guardLimits, now: now)
                guard !seen.breaches.isEmpty else { throw error }
            }
        }
        var evidence = GuardEvidence(recent: recent, step: whole ?? GuardEvidence.Span())
        let replicas = try await replicas()
        if definition.writes == .dualWrite {
            let writes = try await guardedWrites(
                extraction: name, since: state.bakingSince, held: replicas.heldSpools)
            evidence.backlog = writes.lost
            evidence.deadWrites = writes.dead
            evidence.uncertainWrites = writes.uncertain
        }
        for other in replicas where other.isCounted {
            guard let served = other.extractions[name] else { continue }
            evidence.backlog += served.backlog
            if served.openBreakers > 0 { evidence.openBreakers.append(other.id) }
            if served.isMonolithFailing { evidence.failingMonolith.append(other.id) }
            guard other.id != replica else { continue }
            if other.isSilent {
                evidence.silentReplicas.append(other.id)
            } else if served.version != state.version {
                evidence.laggingReplicas.append(other.id)
            }
        }
        return evidence
    }
}

extension Date {
    /// The beginning of its minute, UTC.
    fileprivate var minute: Date {
        Date(timeIntervalSince1970: (timeIntervalSince1970 / 60).rounded(.down) * 60)
    }
}

/// What was counted since a weight began to bake, kept for a moment: in a month of fallback window that is a hundred
/// thousand counters, which nobody needs to add up every five seconds. The last minute is always read.
struct StepSpans {
    private struct Kept {
        let version: Int64
        let readAt: Date
        let span: GuardEvidence.Span
    }

    /// At most a minute, and a twentieth of the time that the weight has held.
    private static let longest = 60.0
    private static let part = 20.0

    private var kept: [String: Kept] = [:]

    func span(for state: ExtractionState, now: Date) -> GuardEvidence.Span? {
        guard let kept = kept[state.name], kept.version == state.version else { return nil }
        let age = now.timeIntervalSince(kept.readAt)
        let allowed = min(Self.longest, now.timeIntervalSince(state.bakingSince) / Self.part)
        return age >= 0 && age < allowed ? kept.span : nil
    }

    mutating func keep(_ span: GuardEvidence.Span, of state: ExtractionState, now: Date) {
        kept[state.name] = Kept(version: state.version, readAt: now, span: span)
    }
}
