import Comparison
import Foundation
import Testing

@testable import PostgresStore

extension OnRealPostgres {
    @Suite struct ConformanceTests {
        static func key(_ contract: String = "c1") -> ConformanceKey {
            ConformanceKey(extraction: "orders", contract: contract, endpoint: "GET /orders/{id}")
        }

        static func batch(_ tally: ConformanceTally, _ key: ConformanceKey = key()) -> EvidenceBatch {
            EvidenceStoreTests.batch { $0.countConformance(key, tally, at: EvidenceStoreTests.now) }
        }

        @Test func `conformance adds up over replicas, and begins anew with another contract`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            let tally = ConformanceTally(
                checked: 10, violating: 3, unchecked: ["body-too-large": 1], violations: ["a": 2, "b\0": 1])
            for _ in 0..<2 { try await store.record(Self.batch(tally), at: EvidenceStoreTests.now) }
            try await store.record(Self.batch(tally, Self.key("c2")), at: EvidenceStoreTests.now)
            let found = try await store.conformance(extraction: "orders", contract: "c1")
            #expect(
                found == [
                    "GET /orders/{id}": ConformanceTally(
                        checked: 20, violating: 6, unchecked: ["body-too-large": 2],
                        violations: ["a": 4, "b\u{FFFD}": 2], last: EvidenceStoreTests.now)
                ])
            #expect(try await store.conformance(extraction: "orders", contract: "c3").isEmpty)
            await store.close()
        }

        @Test func `violations of made-up names find no place for ever`() async throws {
            let (store, _) = try await EvidenceStoreTests.store()
            for round in 0..<4 {
                let names = (0..<40).map { ("\(round) \($0)", round + 1) }
                let tally = ConformanceTally(
                    checked: 40, violating: 40, violations: Dictionary(uniqueKeysWithValues: names))
                try await store.record(Self.batch(tally), at: EvidenceStoreTests.now)
            }
            let found = try await store.conformance(extraction: "orders", contract: "c1")["GET /orders/{id}"]
            #expect(found?.checked == 160 && found?.violations.count == 50)
            try await store.record(
                Self.batch(ConformanceTally(checked: 1, violating: 1, violations: ["0 1": 5])),
                at: EvidenceStoreTests.now)
            let more = try await store.conformance(extraction: "orders", contract: "c1")["GET /orders/{id}"]
            #expect(more?.violations["0 1"] == 6)
            await store.close()
        }
    }
}
