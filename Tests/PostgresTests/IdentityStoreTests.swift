import DualWrite
import Extraction
import Foundation
import Logging
import PostgresClient
import ShadowRunner
import Testing

@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct IdentityStoreTests {
        private func learned(_ monolith: String, _ service: String, extraction: String = "orders") -> LearnedPair {
            LearnedPair(
                extraction: extraction,
                pair: IdentityPair(kind: "$.id", monolith: monolith, service: service, spelling: [.serviceNumber]),
                write: WriteID(high: 1, low: 2))
        }

        private func question(_ value: String, _ side: Side, extraction: String = "orders") -> IdentityQuestion {
            IdentityQuestion(extraction: extraction, kind: "$.id", side: side, value: value)
        }

        @Test func `pairs are filed once, and found by either name`() async throws {
            let store = PostgresStore(try await TestServer.database(), logger: Logger(label: "test"))
            try await store.migrate()
            let pairs = [learned("1", "a\"'\\{}"), learned("2", "b"), learned("1", "z", extraction: "users")]
            for _ in 0..<2 { #expect(try await store.file(pairs: pairs).isEmpty) }
            let asked = [
                question("b", .service), question("nobody", .monolith), question("1", .monolith),
                question("b", .monolith),
                question("1", .monolith, extraction: "users"),
            ]
            let found = try await store.partners(of: asked)
            #expect(found.map(\.question) == [asked[0], asked[2], asked[4]])
            #expect(found.map(\.pair) == [pairs[1].pair, pairs[0].pair, pairs[2].pair])
            #expect(try await store.partners(of: []).isEmpty)
            #expect(try await store.pairs(extraction: "orders", kind: "$.id", limit: 1) == [pairs[0].pair])
            #expect(try await store.pairs(extraction: "orders", kind: "$.id", after: "1") == [pairs[1].pair])
            await store.close()
        }

        @Test func `what contradicts a pair that is there is told and not filed`() async throws {
            let store = PostgresStore(try await TestServer.database(), logger: Logger(label: "test"))
            try await store.migrate()
            #expect(try await store.file(pairs: [learned("1", "a"), learned("2", "b")]).isEmpty)
            let conflicts = try await store.file(
                pairs: [learned("1", "x"), learned("3", "c"), learned("4", "a"), learned("1", "b")])
            #expect(
                Set(
                    conflicts.map {
                        "\($0.learned.monolith)=\($0.learned.service): \($0.known.monolith)=\($0.known.service)"
                    })
                    == ["1=x: 1=a", "4=a: 1=a", "1=b: 1=a", "1=b: 2=b"])
            #expect(try await store.pairs(extraction: "orders", kind: "$.id").map(\.service) == ["a", "b", "c"])
            await store.close()
        }

        @Test func `replicas that file the same pairs at once agree on the first`() async throws {
            let target = try await TestServer.database()
            let stores = (0..<4).map { _ in PostgresStore(target, logger: Logger(label: "test")) }
            try await stores[0].migrate()
            let count = 1_500
            let conflicts = try await withThrowingTaskGroup(of: Int.self) { group in
                for (number, store) in stores.enumerated() {
                    let pairs = (0..<count).map { learned("\($0)", "\($0 % 2 == 0 ? 0 : number)-\($0)") }
                    group.addTask { try await store.file(pairs: number % 2 == 0 ? pairs : pairs.reversed()).count }
                }
                return try await group.reduce(0, +)
            }
            // Of the odd ones three of four replicas come too late.
            #expect(conflicts == count / 2 * 3)
            #expect(try await stores[1].pairs(extraction: "orders", kind: "$.id", limit: 10_000).count == count)
            for store in stores { await store.close() }
        }

        @Test func `a directory finds what another process has filed`() async throws {
            let store = PostgresStore(try await TestServer.database(), logger: Logger(label: "test"))
            try await store.migrate()
            try await store.file(pairs: [learned("1", "a")])
            let directory = IdentityDirectory(ask: { try await store.partners(of: $0) })
            let deadline = ContinuousClock.now + .seconds(30)
            while directory.lookup(question("a", .service)) != .known(learned("1", "a").pair) {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(directory.lookup(question("1", .monolith)) == .known(learned("1", "a").pair))
            await store.close()
        }
    }
}
