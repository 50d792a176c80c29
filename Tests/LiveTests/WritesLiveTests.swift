import DualWrite
import Extraction
import Foundation
import PostgresStore
import Testing

/// Rows of the ledger, as a running proxy judges and shows them.
@Suite(.serialized) struct WritesLiveTests {
    private static func row(_ number: Int, _ state: LedgerRow.State, secondsAgo: Double = 60) -> LedgerRow {
        var row = LedgerRow(
            id: WriteID(high: 0, low: UInt64(number)), extraction: "orders", endpoint: "POST /o/{id}", lane: 1,
            sequence: UInt64(number), primary: .service, state: state,
            receivedAt: Int64((Date().timeIntervalSince1970 - secondsAgo) * 1_000))
        row.answeredBy = .service
        if state == .dead {
            row.reason = "status-422"
            // No record: no spool takes it.
            row.payload = [0xFF]
        }
        return row
    }

    @Test(.timeLimit(.minutes(10)))
    func `dead writes and those of a spool that nobody holds close the gate until a person has decided`() async throws {
        let set = try await ReplicaSet(1)
        try await eventually("Postgres is connected") {
            try await set.run("advance", "orders", "--to", "shadow", "--force", "--reason", "test").status == 0
        }
        let (dead, lost) = (Self.row(1, .dead), Self.row(2, .accepted))
        try await set.store.file(writes: [dead, lost, Self.row(3, .settled)], spool: "of a machine that is gone")
        let status = try JSONTree(try await set.run("status", "orders", "--json").output)
        #expect(status["backlog"] == .number(1))
        #expect(status["dualWrite"]?["toMonolith"]?["writes"] == .number(1))
        #expect(status["dualWrite"]?["lost"] == .number(1) && status["dualWrite"]?["dead"] == .number(1))
        let text = try await set.run("status", "orders").output
        #expect(text.contains("1 write is dead: see `strangler writes orders`"), "\(text)")
        #expect(text.contains("1 write not delivered to the other side yet"), "\(text)")
        let list = try await set.run("writes", "orders")
        #expect(list.status == 0 && list.output.contains("\(dead.id)  dead"), "\(list)")
        #expect(list.output.contains("\(lost.id)  accepted") && !list.output.contains("0003"))
        // What cannot be taken back stays dead.
        let retried = try await set.run("writes", "retry", "\(dead.id)", "--reason", "mended")
        #expect(retried.status == 1, "\(retried)")
        #expect(try await set.store.write(dead.id)?.state == .dead)
        let settled = try await set.run("writes", "settle", "\(dead.id)", "\(lost.id)", "--reason", "by hand")
        #expect(settled.status == 0, "\(settled)")
        let again = try await set.run("writes", "settle", "\(dead.id)", "--reason", "by hand")
        #expect(again.status == 1 && again.error.contains("is settled: only dead and uncertain"), "\(again)")
        let after = try JSONTree(try await set.run("status", "orders", "--json").output)
        #expect(after["backlog"] == .number(0) && after["dualWrite"] == nil, "\(after)")
        #expect(try await set.store.decisions(dead.id).first?.reason == "by hand")
        await set.stop()
    }

    @Test(.timeLimit(.minutes(10)))
    func `a rollback with now is told to every proxy, also from Postgres alone`() async throws {
        let set = try await ReplicaSet(1)
        try await set.cutOver(to: "50%")
        try await set.store.file(writes: [Self.row(2, .accepted)], spool: "gone")
        let back = try await set.run("rollback", "orders", "--reason", "slow")
        #expect(back.status == 0 && back.output.flowing.contains("1 write to the monolith behind"), "\(back)")
        #expect(try await set.store.load().first?.flipsAtOnce == false)
        let now = try await set.run("rollback", "orders", "--now", "--reason", "cannot wait")
        #expect(now.status == 0 && now.output.flowing.contains("with 1 write to the monolith behind"), "\(now)")
        let state = try #require(try await set.store.load().first)
        #expect(state.flipsAtOnce && state.stage == .shadow)
        for repeated in [
            try await set.run("rollback", "orders", "--now", "--reason", "again"),
            try await set.run("rollback", "orders", "--now", "--store", set.url),
        ] {
            #expect(
                repeated.status == 0
                    && repeated.output.flowing.contains("orders is at stage shadow already, where the monolith answers"),
                "\(repeated)")
        }
        #expect(try await set.store.load().first == state)
        let history = try await set.run("history", "orders", "--limit", "1")
        #expect(history.output.contains("rollback --now"), "\(history)")
        let json = try JSONTree(try await set.run("status", "orders", "--json").output)
        #expect(json["dualWrite"]?["flipsAtOnce"] == .bool(true))
        let again = try await set.run("cutover", "orders", "--to", "50%", "--force", "--reason", "test")
        #expect(again.status == 0, "\(again)")
        let stored = try await set.run("rollback", "orders", "--now", "--store", set.url)
        #expect(
            stored.status == 0 && stored.output.flowing.contains("with 1 write to the monolith behind"), "\(stored)")
        #expect(try await set.store.load().first?.flipsAtOnce == true)
        await set.stop()
    }
}
