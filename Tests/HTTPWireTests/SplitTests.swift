import FuzzProperties
import Testing

/// Any split of the same bytes into reads parses the same, over random messages. Each check is the fuzz target's: byte by
/// byte, several random splits, against a plain second reading.
struct SplitTests {
    private static let rounds = 400

    /// How many of each outcome valid messages have and damaged ones.
    private func outcomes(_ target: FuzzTarget, seed: UInt64, _ make: (inout RandomMessage) -> [UInt8])
        -> (valid: [Outcome], damaged: [Outcome])
    {
        var random = RandomMessage(seed: seed)
        var valid: [Outcome] = []
        var damaged: [Outcome] = []
        for _ in 0..<SplitTests.rounds {
            let message = make(&random)
            if let outcome = check(message, target) { valid.append(outcome) }
            for _ in 0..<3 {
                if let outcome = check(random.damaged(message), target) { damaged.append(outcome) }
            }
        }
        return (valid, damaged)
    }

    @Test(arguments: [FuzzTarget.requestHead, .requestForwarding])
    func `request heads`(target: FuzzTarget) {
        let seen = outcomes(target, seed: 1) { $0.requestHead() }
        #expect(seen.valid.count == SplitTests.rounds && seen.damaged.count == 3 * SplitTests.rounds)
        // Forwarding refuses paths that are ambiguous, and HTTP/1.0 is never chunked.
        #expect(seen.valid.count { $0 == .accepted } > SplitTests.rounds / 4)
        for outcome in [Outcome.accepted, .refused, .incomplete] { #expect(seen.damaged.count { $0 == outcome } > 50) }
    }

    @Test(arguments: [FuzzTarget.responseHead, .responseForwarding])
    func `response heads`(target: FuzzTarget) {
        let seen = outcomes(target, seed: 2) { $0.responseHead() }
        #expect(seen.valid.count == SplitTests.rounds && seen.damaged.count == 3 * SplitTests.rounds)
        #expect(seen.valid.count { $0 == .accepted } > SplitTests.rounds / 2)
        for outcome in [Outcome.accepted, .refused, .incomplete] { #expect(seen.damaged.count { $0 == outcome } > 50) }
    }

    @Test func `chunked bodies`() {
        let seen = outcomes(.chunkedBody, seed: 3) { $0.chunkedBody().coded }
        #expect(seen.valid.allSatisfy { $0 == .accepted } && seen.valid.count == SplitTests.rounds)
        #expect(seen.damaged.count == 3 * SplitTests.rounds)
        for outcome in [Outcome.accepted, .refused, .incomplete] { #expect(seen.damaged.count { $0 == outcome } > 50) }
    }

    @Test func `a chunked body is what was put into it, in reads of any size`() throws {
        var random = RandomMessage(seed: 4)
        for _ in 0..<200 {
            let (coded, body) = random.chunkedBody()
            let read = try #require(try dechunked(coded, piece: random.number(1...coded.count)))
            #expect(read.body == body)
        }
    }
}
