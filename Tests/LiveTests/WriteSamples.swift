import AdminAPI
import Foundation
import Synchronization

extension DualWriteReport {
    /// The monolith is behind, and some writes wait for a person.
    static var sample: DualWriteReport {
        var report = DualWriteReport()
        report.toMonolith = Owed(writes: 3, seconds: 0.4)
        report.underWay = 2
        report.paused = 1
        report.dead = 2
        report.uncertain = 1
        return report
    }
}

extension WriteReport {
    static func sampleID(_ number: Int) -> String { String(repeating: "0", count: 31) + String(number, radix: 16) }

    /// - Parameter text: stands wherever text from outside may stand.
    static func sample(_ number: Int, state: String = "dead", text: String? = nil) -> WriteReport {
        WriteReport(
            id: sampleID(number), extraction: text ?? "orders", endpoint: text ?? "POST /api/v1/orders", state: state,
            to: "monolith", receivedAt: SampleBackend.time, changedAt: SampleBackend.time, attempts: 12,
            primaryStatus: 201, otherStatus: 422, reason: text ?? "status-422", retried: number == 2)
    }
}

extension SampleBackend {
    struct Decided: Sendable, Equatable {
        let command: WriteCommand
        let id: String
        let reason: String
        let actor: String
    }

    final class DecidedLog: Sendable {
        private let decisions = Mutex<[Decided]>([])
        private let queries = Mutex<[WritesQuery]>([])
        func withLock<Result: Sendable>(_ body: (inout [Decided]) -> Result) -> Result {
            decisions.withLock { body(&$0) }
        }
        func asked(_ query: WritesQuery) { queries.withLock { $0.append(query) } }
        var asked: [WritesQuery] { queries.withLock { $0 } }
    }

    /// Three pages of one dead write each, where dead ones are asked for; else what the report has.
    func writes(of name: String, _ query: WritesQuery) async throws(AdminError) -> WritesReport {
        if let failure { throw failure }
        guard name == report.extraction else { throw AdminError(.notFound, "there is no extraction \(name)") }
        decided.asked(query)
        var writes = WritesReport(
            extraction: name, dualWrite: report.dualWrite ?? DualWriteReport(), settledLastDay: 1_204,
            writes: report.undecidedWrites ?? [])
        if query.kind == .dead {
            let number = query.after.flatMap { Int($0, radix: 16) }.map { $0 + 1 } ?? 1
            writes.writes = [.sample(number)]
            writes.total = 4 - number
            writes.next = number < 3 ? WriteReport.sampleID(number) : nil
        }
        return writes
    }

    /// Of ids that end in `f` nobody knows.
    func decide(
        _ command: WriteCommand, write id: String, reason: String, actor: String
    ) async throws(AdminError) -> WriteReport {
        if let failure { throw failure }
        guard !id.hasSuffix("f") else { throw AdminError(.notFound, "there is no write \(id)") }
        decided.withLock { $0.append(Decided(command: command, id: id, reason: reason, actor: actor)) }
        var write = WriteReport.sample(1, state: command == .settle ? "settled" : "accepted")
        write.id = id
        return write
    }
}
