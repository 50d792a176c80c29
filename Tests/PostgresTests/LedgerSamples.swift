import DualWrite
import Extraction
import Foundation
import TestSupport

/// Rows as a drain folds them.
enum LedgerSamples {
    static let now = Date(timeIntervalSince1970: 1_795_234_567)

    static func row(
        _ number: Int, _ state: LedgerRow.State = .accepted, sequence: UInt64? = nil, attempts: Int = 0,
        extraction: String = "orders", receivedAt: Date = now, _ change: (inout LedgerRow) -> Void = { _ in }
    ) -> LedgerRow {
        var row = LedgerRow(
            id: WriteID(high: 7, low: UInt64(number)), extraction: extraction, endpoint: "POST /orders",
            lane: UInt64.max - UInt64(number), sequence: sequence ?? UInt64(number), primary: .monolith, state: state,
            receivedAt: Int64(receivedAt.timeIntervalSince1970 * 1_000))
        row.attempts = attempts
        if state != .intent { row.answeredBy = .monolith }
        if state == .dead || state == .uncertain {
            row.reason = state == .dead ? "status-422" : "time-out"
            row.payload = [0, 1, 2, UInt8(truncatingIfNeeded: number), 0xFF]
        }
        change(&row)
        return row
    }

    /// One write's way through one spool, step by step; what earlier steps said is in the later ones only if `isWhole`.
    static func way(
        _ number: Int, sequence: UInt64, isRetry: Bool = false, isWhole: Bool, using generator: inout SeededGenerator
    ) -> [LedgerRow] {
        var steps: [LedgerRow] = []
        func step(_ state: LedgerRow.State, _ change: (inout LedgerRow) -> Void) {
            var next = row(number, state, sequence: sequence) {
                $0.answeredBy = nil
                $0.reason = nil
            }
            if isWhole, let last = steps.last {
                next.answeredBy = last.answeredBy
                next.primaryStatus = last.primaryStatus
                next.otherStatus = last.otherStatus
                next.entity = last.entity
                next.isRetried = last.isRetried
            }
            next.attempts = steps.last?.attempts ?? 0
            change(&next)
            steps.append(next)
        }
        if isRetry {
            step(.accepted) { $0.isRetried = true }
        } else {
            step(.intent) { _ in }
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                step(.refused) { $0.reason = "refused-by-primary" }
                return steps
            case 1:
                step(.uncertain) {
                    $0.reason = "time-out"
                    $0.payload = [1, UInt8(truncatingIfNeeded: number)]
                }
                return steps
            default:
                step(.accepted) {
                    $0.answeredBy = Bool.random(using: &generator) ? .monolith : .service
                    $0.primaryStatus = 201
                }
            }
        }
        for attempt in 0..<Int.random(in: 0..<3, using: &generator) {
            step(.accepted) {
                $0.attempts = attempt + 1
                $0.otherStatus = 503
                $0.reason = "status-503"
            }
        }
        if Bool.random(using: &generator) {
            step(.dead) {
                $0.attempts += 1
                $0.reason = "status-422"
                $0.otherStatus = 422
                $0.payload = [2, UInt8(truncatingIfNeeded: number)]
            }
            return steps
        }
        step(.delivered) {
            $0.attempts += 1
            $0.otherStatus = 201
            $0.entity = "/orders/\(number)"
        }
        if Int.random(in: 0..<5, using: &generator) > 0 { step(.settled) { _ in } }
        return steps
    }
}
