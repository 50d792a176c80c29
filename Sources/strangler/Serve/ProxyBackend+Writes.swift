import AdminAPI
import DualWrite
import Extraction
import Foundation
import Logging
import PostgresStore
import ShadowRunner
import Spool

// Writes that go to both sides: lists, and what people decide about those that nobody delivers any more.
extension ProxyBackend {
    /// Dead and uncertain writes that stand in the report of an extraction.
    private static let shownUndecided = 20
    /// Of those that a list is about.
    private static let countedWrites = 100_000

    func writes(of name: String, _ query: WritesQuery) async throws(AdminError) -> WritesReport {
        let (definition, state) = try await found(name)
        let filter = WriteFilter(
            states: query.kind.states, endpoint: query.endpoint, after: try await place(query.after),
            oldestFirst: query.isOldestFirst)
        let (rows, total, settled, stored, replicas) = try await asking { store in
            (
                // One more shows whether there is another page.
                try await store.writes(extraction: name, filter, limit: query.limit + 1),
                try await store.countWrites(extraction: name, filter, limit: Self.countedWrites + 1),
                try await store.settledWrites(
                    extraction: name, since: keeper.store.clock.now.addingTimeInterval(-86_400)),
                try await store.writeStanding(extraction: name), try await store.replicas()
            )
        }
        let shown = rows.prefix(query.limit)
        return WritesReport(
            extraction: definition.name,
            dualWrite: await keeper.dualWrite(
                of: name, in: state, beside: replicas.filter { $0.id != keeper.replica }, stored: stored),
            settledLastDay: settled, writes: shown.map { WriteReport($0) },
            total: total > Self.countedWrites ? nil : max(total, shown.count),
            next: rows.count > shown.count ? shown.last?.id.description : nil)
    }

    /// The last write of the page before. It may have moved on since, not gone.
    private func place(_ id: String?) async throws(AdminError) -> WriteFilter.Place? {
        guard let id else { return nil }
        guard let known = WriteID(id), let write = try await asking({ try await $0.write(known) }) else {
            throw AdminError(.invalid, "no page of the list ends with \(id)")
        }
        return WriteFilter.Place(receivedAt: write.receivedAt, id: write.id)
    }

    func decide(
        _ command: WriteCommand, write id: String, reason: String, actor: String
    ) async throws(AdminError) -> WriteReport {
        guard let write = WriteID(id) else {
            throw AdminError(.invalid, "\(id) is no write's id: that has 32 hexadecimal digits")
        }
        let replicas = try await asking { try await $0.replicas() }
        let held = await keeper.heldSpools(replicas)
        switch command {
        case .settle: try await deciding(write, .settle, reason: reason, actor: actor, held: held)
        case .retry: try await retry(write, reason: reason, actor: actor, held: held)
        }
        keeper.logger.notice("write \(write): \(command.rawValue) by \(actor): \(reason)")
        guard let stored = try await asking({ try await $0.write(write) }) else {
            throw AdminError(.notFound, "there is no write \(write) any more")
        }
        return WriteReport(stored)
    }

    /// First the decision is on record, then the spool has the write, then its row is open: whatever fails in between, the
    /// write is still dead there, and is delivered once more at worst.
    private func retry(
        _ write: WriteID, reason: String, actor: String, held: Set<String>
    ) async throws(AdminError) {
        guard let payload = try await deciding(write, .retry, reason: reason, actor: actor, held: held) else {
            throw AdminError(.refused, WriteDecisionRefusal.withoutPayload(write).description)
        }
        do {
            // Before its row is open: what is said of its end must reach that.
            keeper.ledger.files.mayBeFiled(through: try await shadow.readmit(payload))
        } catch {
            throw AdminError(
                .refused, "write \(write) cannot be taken back for delivery and stays as it was", reasons: ["\(error)"])
        }
        do {
            try await store.connected().markReadmitted(write, spool: keeper.ledger.ownSpool)
        } catch {
            // It is on its way all the same: what the spool files of it takes over.
            keeper.logger.warning("write \(write) is delivered again, and Postgres does not know yet: \(error)")
        }
    }

    @discardableResult
    private func deciding(
        _ write: WriteID, _ verdict: WriteVerdict, reason: String, actor: String, held: Set<String>
    ) async throws(AdminError) -> [UInt8]? {
        do {
            let key = keeper.ledger.files.key
            return try await store.connected().decide(write, verdict, actor: actor, reason: reason, held: held) {
                try PayloadSeal.open($0, of: write, with: key)
            }
        } catch let problem as PayloadSeal.Problem {
            throw AdminError(
                .refused, "write \(write) cannot be taken back for delivery and stays as it was",
                reasons: [problem.description])
        } catch let refusal as WriteDecisionRefusal {
            if case .unknown = refusal { throw AdminError(.notFound, refusal.description) }
            throw AdminError(.refused, refusal.description)
        } catch {
            throw AdminError(.storeUnavailable, "Postgres cannot be reached: \(error)")
        }
    }

    private func found(_ name: String) async throws(AdminError) -> (ExtractionDefinition, ExtractionState) {
        do throws(StageKeeper.Failure) {
            return try await keeper.find(name)
        } catch {
            throw adminError(error, name: name)
        }
    }

    // MARK: Beside stage and gate

    /// Only of extractions whose writes go to both sides, or once did.
    func addWrites(
        to report: inout ExtractionReport, _ definition: ExtractionDefinition, _ state: ExtractionState,
        found: DualWriteReport?
    ) async {
        let dualWrite: DualWriteReport
        if let found { dualWrite = found } else { dualWrite = await keeper.dualWrite(of: definition.name, in: state) }
        let undecided = (dualWrite.dead ?? 0) + (dualWrite.uncertain ?? 0)
        let isNoteworthy = undecided > 0 || dualWrite.owed > 0 || !ReportText.unrecorded(dualWrite).isEmpty
        guard definition.writes == .dualWrite || isNoteworthy else { return }
        report.dualWrite = dualWrite
        guard undecided > 0, let store = try? store.answering() else { return }
        report.undecidedWrites = try? await store.writes(
            extraction: definition.name, WriteFilter(states: WriteFilter.undecidedStates, oldestFirst: true),
            limit: Self.shownUndecided
        ).map { WriteReport($0) }
    }
}

extension WritesQuery.Kind? {
    fileprivate var states: [LedgerRow.State] {
        switch self {
        case .none: WriteFilter.openStates + WriteFilter.undecidedStates
        case .open: WriteFilter.openStates
        case .dead: [.dead]
        case .uncertain: [.uncertain]
        case .settled: [.settled]
        case .refused: [.refused]
        }
    }
}

extension WriteReport {
    init(_ write: StoredWrite) {
        self.init(
            id: write.id.description, extraction: write.extraction, endpoint: write.endpoint,
            state: write.state.rawValue, to: write.other.description, receivedAt: write.receivedAt,
            changedAt: write.changedAt, attempts: write.attempts, primaryStatus: write.primaryStatus,
            otherStatus: write.otherStatus, reason: write.reason, retried: write.isRetried)
    }
}
