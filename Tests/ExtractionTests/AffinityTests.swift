import Extraction
import TestSupport
import Testing

@Suite struct AffinityTests {
    private func bucket(_ key: String, seed: UInt64) -> Int {
        Array(key.utf8).withUnsafeBytes { AffinityHash.bucket(salt: seed, key: $0) }
    }

    /// Published test values of XXH64 with seed 0; the last is longer than a stripe of 32 bytes.
    @Test func seedsAreXXH64() {
        #expect(AffinityHash.seed(for: "") == 0xEF46_DB37_51D8_E999)
        #expect(AffinityHash.seed(for: "a") == 0xD24E_C4F1_A98C_6E5B)
        #expect(AffinityHash.seed(for: "abc") == 0x44BC_2CF5_AD77_0999)
        #expect(AffinityHash.seed(for: "Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
    }

    /// Computed with another implementation of XXH64 (Python's xxhash).
    /// If this fails, the next release moves every user of every running cutover. Do not adapt the values.
    @Test func bucketsNeverChange() {
        let orders = AffinityHash.seed(for: "orders")
        let keys = ["", "a", "session-1", "session-2", "0123456789abcdef0123456789abcdef", "192.0.2.7"]
        #expect(keys.map { bucket($0, seed: orders) } == [5_453, 8_269, 4_962, 8_276, 9_537, 559])
        #expect(bucket("session-1", seed: AffinityHash.seed(for: "payments")) == 2_223)
    }

    @Test func anEmptyKeyWithoutMemoryHasABucket() {
        let bucket = AffinityHash.bucket(salt: 1, key: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect((0..<AffinityHash.buckets).contains(bucket))
    }

    /// Pearson's chi-square over 100 classes: 99 degrees of freedom, above 161 with a probability of 1 in 10,000.
    @Test(arguments: ["counter", "hex", "address"])
    func keysSpreadEvenly(kind: String) {
        var generator = SeededGenerator(seed: 11)
        let seed = AffinityHash.seed(for: "orders")
        var counts = [Int](repeating: 0, count: 100)
        let total = 100_000
        for index in 0..<total {
            let key =
                switch kind {
                case "counter": "user-\(index)"
                case "hex": String(generator.next(), radix: 16)
                default: "10.\(index >> 16).\(index >> 8 & 255).\(index & 255)"
                }
            counts[bucket(key, seed: seed) / 100] += 1
        }
        let expected = Double(total) / 100
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 161)
    }

    /// Chi-square of the 10 × 10 table: 81 degrees of freedom, above 137 with a probability of 1 in 10,000.
    @Test func twoSaltsAreIndependent() {
        let (first, second) = (AffinityHash.seed(for: "orders"), AffinityHash.seed(for: "payments"))
        var table = [Int](repeating: 0, count: 100)
        let total = 100_000
        for index in 0..<total {
            let key = "user-\(index)"
            table[bucket(key, seed: first) / 1_000 * 10 + bucket(key, seed: second) / 1_000] += 1
        }
        let expected = Double(total) / 100
        let chiSquare = table.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 137)
    }

    @Test func theShareOfMovedKeysIsTheWeight() {
        let seed = AffinityHash.seed(for: "orders")
        let moved = (0..<100_000).count { bucket("user-\($0)", seed: seed) < 2_500 }
        // Four standard deviations of a binomial with p = 0.25.
        #expect(abs(moved - 25_000) < 550)
    }

    @Test func raisingTheWeightOnlyMovesKeysOver() {
        let definition = makeDefinition()
        let seed = AffinityHash.seed(for: definition.salt)
        var generator = SeededGenerator(seed: 3)
        let steps = (0..<40).map { _ in Weight(clamping: Int.random(in: 0...10_000, using: &generator)) }.sorted()
        for index in 0..<2_000 {
            let bucket = bucket("user-\(index)", seed: seed)
            let sides = ([.none] + steps + [.all]).map { weight in
                TrafficPlan(state: makeState(.cutover, weight), definition: definition)
                    .decide(bucket: bucket, isSafe: true, sampleRoll: 0).primary
            }
            #expect(sides.first == .monolith)
            #expect(sides.last == .service)
            #expect(zip(sides, sides.dropFirst()).allSatisfy { !($0 == .service && $1 == .monolith) })
        }
    }

    @Test func aCohortSharesItsSalt() {
        #expect(makeDefinition().salt == "orders")
        #expect(makeDefinition(cohort: "checkout").salt == "checkout")
    }
}
