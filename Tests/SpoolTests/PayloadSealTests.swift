import DualWrite
import Spool
import Testing

@Suite struct PayloadSealTests {
    private static let write = WriteID(high: 1, low: 2)
    private let payload = Array("name=ann&card=4111".utf8)

    private static func key(_ seed: UInt8) throws -> SpoolKey {
        try #require(SpoolKey([UInt8](repeating: seed, count: 32)))
    }

    @Test func `what is sealed is opened with the key, and says nothing without it`() throws {
        let key = try Self.key(1)
        let stored = try PayloadSeal.seal(payload, of: Self.write, with: key)
        #expect(PayloadSeal.isSealed(stored) && !PayloadSeal.isSealed(payload))
        #expect(!stored.indices.contains { stored[$0...].starts(with: payload.prefix(4)) })
        #expect(try PayloadSeal.open(stored, of: Self.write, with: key) == payload)
        #expect(try PayloadSeal.seal(payload, of: Self.write, with: key) != stored)
        #expect(
            try PayloadSeal.open(try PayloadSeal.seal([], of: Self.write, with: key), of: Self.write, with: key) == [])
    }

    @Test func `a missing key and another one are named, not guessed at`() throws {
        let stored = try PayloadSeal.seal(payload, of: Self.write, with: try Self.key(1))
        let missing = #expect(throws: PayloadSeal.Problem.self) {
            try PayloadSeal.open(stored, of: Self.write, with: nil)
        }
        #expect(missing?.description.contains("this proxy has no `spool.key-file`") == true)
        let other = #expect(throws: PayloadSeal.Problem.self) {
            try PayloadSeal.open(stored, of: Self.write, with: try Self.key(2))
        }
        guard case .otherKey(let needed, let given) = other else { throw try #require(other) }
        #expect(needed != given && needed.count == 16 && missing == .noKey(needed: needed))
    }

    @Test func `no changed byte is opened, nor what is another write's`() throws {
        let key = try Self.key(1)
        let stored = try PayloadSeal.seal(payload, of: Self.write, with: key)
        #expect(throws: PayloadSeal.Problem.damaged) {
            try PayloadSeal.open(stored, of: WriteID(high: 1, low: 3), with: key)
        }
        for place in 16..<stored.count {
            var changed = stored
            changed[place] ^= 1
            #expect(throws: PayloadSeal.Problem.damaged) { try PayloadSeal.open(changed, of: Self.write, with: key) }
        }
        for count in 16..<stored.count {
            #expect(throws: PayloadSeal.Problem.damaged) {
                try PayloadSeal.open(Array(stored.prefix(count)), of: Self.write, with: key)
            }
        }
    }

    @Test func `what was stored before there was a key is read as it is`() throws {
        for stored in [payload, [], [1, 2], Array("STRSEAL".utf8)] {
            #expect(try PayloadSeal.open(stored, of: Self.write, with: nil) == stored)
            #expect(try PayloadSeal.open(stored, of: Self.write, with: try Self.key(1)) == stored)
        }
    }
}
