import DualWrite
import Extraction
import TestSupport

extension WriteFacts {
    static func sample(
        _ sequence: UInt64, lane: UInt64 = 1, primary: Side = .monolith, extraction: String = "orders"
    ) -> WriteFacts {
        WriteFacts(
            id: WriteID(high: 7, low: sequence), sequence: sequence, at: Int64(sequence), extraction: extraction,
            endpoint: "POST /api/v1/orders", lane: lane, primary: primary)
    }
}

extension WriteIntent {
    static func sample(_ sequence: UInt64, lane: UInt64 = 1, primary: Side = .monolith) -> WriteIntent {
        WriteIntent(
            facts: .sample(sequence, lane: lane, primary: primary), requestHead: Array("POST / HTTP/1.1\r\n\r\n".utf8),
            requestBody: Array("{\"n\":\(sequence)}".utf8))
    }
}

extension WriteOutcome {
    static func sample(_ status: Int = 201, by side: Side = .monolith) -> WriteOutcome {
        WriteOutcome(
            answeredBy: side, status: status, nanoseconds: 5, answerHead: Array("HTTP/1.1 201 Created\r\n\r\n".utf8),
            answerBody: Array("{}".utf8))
    }
}

extension LedgerRecord {
    /// Any record.
    static func random(_ chance: inout SeededGenerator) -> LedgerRecord {
        let intent = WriteIntent.random(&chance)
        switch Kind.allCases.randomElement(using: &chance) ?? .intent {
        case .intent: return .intent(intent)
        case .outcome: return .outcome(intent.facts, .random(&chance))
        case .attempted:
            return .attempted(intent.facts, attempts: .random(in: 0...300, using: &chance), reason: text(&chance))
        case .settled:
            let pairs = (0..<Int.random(in: 0...3, using: &chance)).map { _ in
                IdentityPair(
                    kind: text(&chance), monolith: text(&chance), service: text(&chance),
                    spelling: IdentitySpelling(rawValue: .random(in: 0...15, using: &chance)))
            }
            let delivered = WriteDelivered(
                status: .random(in: 0...999, using: &chance), attempts: .random(in: 0...300, using: &chance),
                pairs: pairs, entity: .random(using: &chance) ? text(&chance) : nil)
            let ways: [WriteSettled] = [.delivered(delivered), .refusedByPrimary, .neverSent]
            return .settled(intent.facts, how: ways.randomElement(using: &chance) ?? .neverSent)
        case .dead: return .dead(.random(intent, &chance), reason: text(&chance))
        case .uncertain: return .uncertain(.random(intent, &chance), reason: text(&chance))
        case .carried: return .carried(.random(intent, &chance))
        }
    }
}

private func text(_ chance: inout SeededGenerator) -> String {
    String((0..<Int.random(in: 0...12, using: &chance)).map { _ in "aé/{$.\0漢".randomElement(using: &chance) ?? "a" })
}

private func bytes(_ chance: inout SeededGenerator) -> [UInt8] {
    (0..<Int.random(in: 0...40, using: &chance)).map { _ in .random(in: 0...255, using: &chance) }
}

extension WriteIntent {
    fileprivate static func random(_ chance: inout SeededGenerator) -> WriteIntent {
        WriteIntent(
            facts: WriteFacts(
                id: WriteID(high: .random(in: 0...UInt64.max, using: &chance), low: .random(in: 0...9, using: &chance)),
                sequence: .random(in: 0...UInt64.max, using: &chance),
                at: .random(in: Int64.min...Int64.max, using: &chance), extraction: text(&chance),
                endpoint: text(&chance), lane: .random(in: 0...UInt64.max, using: &chance),
                primary: .random(using: &chance) ? .service : .monolith),
            success: .random(using: &chance) ? .successes : StatusSet([200...204, 409...409]),
            requestHead: bytes(&chance), requestBody: bytes(&chance))
    }
}

extension WriteOutcome {
    fileprivate static func random(_ chance: inout SeededGenerator) -> WriteOutcome {
        WriteOutcome(
            answeredBy: .random(using: &chance) ? .service : .monolith, status: .random(in: 0...999, using: &chance),
            nanoseconds: .random(in: 0...Int64.max, using: &chance), answerHead: bytes(&chance),
            answerBody: .random(using: &chance) ? bytes(&chance) : nil,
            answerDigest: .random(using: &chance)
                ? BodyDigest(length: .random(in: 0...9_999, using: &chance), hash: .random(in: 0...9, using: &chance))
                : nil)
    }
}

extension OpenWrite {
    fileprivate static func random(_ intent: WriteIntent, _ chance: inout SeededGenerator) -> OpenWrite {
        OpenWrite(
            intent: intent, outcome: .random(using: &chance) ? .random(&chance) : nil,
            attempts: .random(in: 0...300, using: &chance), isRetried: .random(using: &chance))
    }
}
