import Extraction
import TestSupport
import Testing

@testable import DualWrite

@Suite struct WriteStateTests {
    private static let legal: [LedgerRow.State: [WriteEvent: LedgerRow.State]] = [
        .intent: [
            .primaryTook: .accepted, .primaryRefused: .refused, .neverSent: .refused, .outcomeUnknown: .uncertain,
            .carried: .intent,
        ],
        .accepted: [.attemptFailed: .accepted, .otherTook: .delivered, .gaveUp: .dead, .carried: .accepted],
        .delivered: [.recorded: .settled],
        .dead: [.retried: .accepted],
        .uncertain: [.retried: .accepted],
        .settled: [:],
        .refused: [:],
    ]

    @Test func `every pair of a state and an event leads where it is said to, or is refused and changes nothing`() {
        for state in LedgerRow.State.allCases {
            for event in WriteEvent.allCases {
                var next = state
                if let expected = Self.legal[state]?[event] {
                    #expect(throws: Never.self) { try next.handle(event) }
                    #expect(next == expected, "\(state) after \(event)")
                } else {
                    #expect(throws: IllegalTransition(state: state, event: event)) { try next.handle(event) }
                    #expect(next == state)
                }
            }
        }
    }
}

@Suite struct DeliveryPolicyTests {
    private func judge(
        _ ending: DeliveryPolicy.Ending, burned: Int = 0, isAlive: Bool = true, success: StatusSet = .successes
    ) -> DeliveryPolicy.Verdict {
        DeliveryPolicy(attempts: 3).judge(ending, success: success, burned: burned, isAlive: isAlive)
    }

    @Test func `what the route calls a success is delivered`() {
        #expect(judge(.answered(status: 201)) == .delivered)
        #expect(judge(.answered(status: 302)) == .delivered)
        #expect(judge(.answered(status: 409), success: StatusSet([200...299, 409...409])) == .delivered)
        #expect(
            judge(.answered(status: 302), success: StatusSet([200...299])) == .retry(burned: true, reason: "status-302")
        )
    }

    @Test(arguments: [404, 408, 409, 425, 429, 500, 501, 505, 101])
    func `what may be otherwise later burns an attempt, and the last one is the end`(_ status: Int) {
        #expect(judge(.answered(status: status), isAlive: false) == .retry(burned: true, reason: "status-\(status)"))
        #expect(judge(.answered(status: status), burned: 2) == .dead(reason: "status-\(status)"))
    }

    @Test(arguments: [400, 401, 403, 410, 413, 422])
    func `what stays refused is dead at once`(_ status: Int) {
        #expect(judge(.answered(status: status)) == .dead(reason: "status-\(status)"))
    }

    @Test(arguments: [
        DeliveryPolicy.Ending.silent("timeout"), .answered(status: 502), .answered(status: 503), .answered(status: 504),
    ])
    func `silence burns an attempt only where somebody else was answered`(_ ending: DeliveryPolicy.Ending) {
        guard case .retry(false, _) = judge(ending, burned: 2, isAlive: false) else {
            Issue.record("burned although the other side is away")
            return
        }
        guard case .retry(true, _) = judge(ending, burned: 1) else {
            Issue.record("not burned although the other side is there")
            return
        }
        guard case .dead = judge(ending, burned: 2) else {
            Issue.record("never given up")
            return
        }
    }

    @Test func `nobody at home never burns one`() {
        #expect(judge(.unreachable("connect-refused"), burned: 2) == .retry(burned: false, reason: "connect-refused"))
    }

    @Test func `pauses double from a tenth of a second to a minute, and chance spreads them from nothing`() {
        let longest = (1...12).map { DeliveryPolicy.pause(afterFailures: $0, chance: 1) }
        #expect(longest.first == 100_000_000)
        #expect(longest[3] == 800_000_000)
        #expect(longest.last == 60_000_000_000)
        #expect(DeliveryPolicy.pause(afterFailures: .max, chance: 1) == 60_000_000_000)
        #expect(DeliveryPolicy.pause(afterFailures: 7, chance: 0) == 0)
        #expect(DeliveryPolicy.pause(afterFailures: 2, chance: 0.5) == 100_000_000)
        #expect(DeliveryPolicy.pause(afterFailures: -3, chance: 7) == 100_000_000)
    }
}

@Suite struct LedgerFoldTests {
    private let intent = WriteIntent.sample(1)

    private func rows(_ records: [LedgerRecord]) -> [LedgerRow] {
        var fold = LedgerFold()
        for record in records {
            let isRecord = fold.add(record.encoded)
            #expect(isRecord)
        }
        return fold.take()
    }

    @Test func `a write's records become one row with the last of what they say`() throws {
        let pair = IdentityPair(kind: "$.id", monolith: "1", service: "9")
        let row = try #require(
            rows([
                .intent(intent), .outcome(intent.facts, .sample()),
                .attempted(intent.facts, attempts: 1, reason: "status-500"),
                .settled(
                    intent.facts,
                    how: .delivered(WriteDelivered(status: 200, attempts: 2, pairs: [pair], entity: "/orders/1"))),
            ]).first)
        var expected = LedgerRow(intent.facts, state: .settled)
        expected.answeredBy = .monolith
        expected.primaryStatus = 201
        expected.otherStatus = 200
        expected.attempts = 2
        expected.pairs = [pair]
        expected.entity = "/orders/1"
        #expect(row == expected)
    }

    @Test func `a batch that begins in the middle gives whole rows`() {
        let row = rows([.settled(intent.facts, how: .refusedByPrimary)]).first
        #expect(row?.state == .refused)
        #expect(row?.endpoint == intent.facts.endpoint)
        #expect(row?.reason == "refused-by-primary")
    }

    @Test func `a dead write's row has all that delivering it again takes`() throws {
        let open = OpenWrite(intent: intent, outcome: .sample(), attempts: 12)
        let row = try #require(rows([.dead(open, reason: "status-500")]).first)
        #expect(row.state == .dead)
        #expect(row.attempts == 12)
        #expect(LedgerRecord(try #require(row.payload)) == .carried(open))
        var again = open
        again.intent.facts.sequence = 9
        again.isRetried = true
        again.attempts = 0
        let retried = try #require(rows([.dead(open, reason: "status-500"), .carried(again)]).first)
        #expect(retried.state == .accepted)
        #expect(retried.isRetried)
        #expect(retried.sequence == 9)
        #expect(retried.payload == nil)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever was being carried when it ended, the row is over where a restart finds nothing open`(_ seed: UInt64)
    {
        var chance = SeededGenerator(seed: seed)
        var log: [LedgerRecord] = [.intent(intent), .outcome(intent.facts, .sample())]
        var open = OpenWrite(intent: intent, outcome: .sample())
        for life in 1...3 {
            for _ in 0..<Int.random(in: 0...2, using: &chance) { log.append(.carried(open)) }
            if life == 3, Bool.random(using: &chance) { break }
            switch Int.random(in: 0..<3, using: &chance) {
            case 0: log.append(.settled(open.intent.facts, how: .delivered(WriteDelivered(status: 201, attempts: 1))))
            case 1: log.append(.dead(open, reason: "status-422"))
            default: log.append(.uncertain(open, reason: "restart"))
            }
            // Read while it was owed, on disk behind its end.
            let late = open
            if Bool.random(using: &chance) { log.append(.carried(late)) }
            guard life < 3, Bool.random(using: &chance), !log.contains(where: { $0.kind == .settled }) else { break }
            open.intent.facts.sequence += 5
            open.isRetried = true
            log.append(.carried(open))
            if Bool.random(using: &chance) { log.append(.carried(late)) }
        }
        let (row, found) = (rows(log).first, LedgerRecovery.found(log))
        #expect(row?.state.isClosed == found.owed.isEmpty, "\(log.map(\.kind))")
        #expect(row?.sequence == open.intent.facts.sequence)
        #expect(found.uncertain.isEmpty && found.owed.allSatisfy { $0.sequence == open.intent.facts.sequence })
    }

    @Test func `rows come in the order of their writes, and what is no record is told`() {
        #expect(
            rows([.intent(.sample(2)), .intent(.sample(1)), .settled(WriteFacts.sample(2), how: .neverSent)])
                .map(\.sequence) == [2, 1])
        var fold = LedgerFold()
        let isRecord = fold.add([1, 99])
        #expect(!isRecord)
        #expect(fold.isEmpty)
    }
}

extension LedgerRecovery {
    fileprivate static func found(_ log: [LedgerRecord]) -> Found {
        var recovery = LedgerRecovery()
        for (place, record) in log.enumerated() {
            _ = recovery.add(record.encoded, at: LogPosition(segment: 1, offset: UInt32(place)), origin: 0)
        }
        return recovery.found()
    }
}

@Suite struct LedgerRecoveryTests {
    private func found(_ logs: [[LedgerRecord]], order: [Int]? = nil) -> LedgerRecovery.Found {
        var recovery = LedgerRecovery()
        for origin in order ?? Array(logs.indices) {
            for (place, record) in logs[origin].enumerated() {
                let isRecord = recovery.add(
                    record.encoded, at: LogPosition(segment: 1, offset: UInt32(place)), origin: UInt8(origin))
                #expect(isRecord)
            }
        }
        return recovery.found()
    }

    private func facts(_ sequence: UInt64) -> WriteFacts { .sample(sequence) }

    @Test func `each write goes on where it was`() {
        let log: [LedgerRecord] = [
            .intent(.sample(1)), .intent(.sample(2)), .intent(.sample(3)), .intent(.sample(4)), .intent(.sample(5)),
            .intent(.sample(6)), .outcome(facts(2), .sample()), .outcome(facts(3), .sample(by: .service)),
            .attempted(facts(3), attempts: 4, reason: "status-500"), .outcome(facts(4), .sample()),
            .settled(facts(4), how: .delivered(WriteDelivered(status: 201, attempts: 1))),
            .settled(facts(5), how: .neverSent),
            .dead(OpenWrite(intent: .sample(6)), reason: "status-422"),
        ]
        let found = found([log])
        #expect(found.uncertain.map(\.sequence) == [1])
        #expect(found.owed.map(\.sequence) == [2, 3])
        #expect(found.owed.map(\.answeredBy) == [.monolith, .service])
        #expect(found.owed.map(\.attempts) == [0, 4])
        #expect(found.owed.map(\.intent.offset) == [1, 2])
        #expect(found.owed.map(\.outcome.offset) == [6, 7])
        #expect(found.lost.isEmpty)
    }

    @Test func `what was written down anew replaces what was before`() {
        let open = OpenWrite(intent: .sample(1), outcome: .sample(by: .service), attempts: 3)
        var person = OpenWrite(intent: .sample(9))
        person.isRetried = true
        let found = found([[.intent(.sample(1)), .carried(open), .carried(person)]])
        #expect(found.owed.map(\.sequence) == [1, 9])
        #expect(found.owed.map(\.intent.offset) == [1, 2])
        #expect(found.owed.map(\.attempts) == [3, 0])
        #expect(found.owed.map(\.answeredBy) == [.service, .monolith])
        #expect(found.owed.map(\.isRetried) == [false, true])
        #expect(found.uncertain.isEmpty)
    }

    @Test func `one that ended while it was being carried has ended`() {
        let open = OpenWrite(intent: .sample(1), outcome: .sample())
        let log: [LedgerRecord] = [
            .intent(.sample(1)), .outcome(facts(1), .sample()),
            .settled(facts(1), how: .delivered(WriteDelivered(status: 201, attempts: 1))),
            .carried(open),
        ]
        let found = found([log])
        #expect(found.owed.isEmpty && found.uncertain.isEmpty)
        var fold = LedgerFold()
        for record in log {
            let isRecord = fold.add(record.encoded)
            #expect(isRecord)
        }
        #expect(fold.take().map(\.state) == [.settled])
    }

    @Test(arguments: [[0, 1], [1, 0]])
    func `a write whose records lie in two logs is put together in any order`(_ order: [Int]) {
        let adopted: [LedgerRecord] = [
            .intent(.sample(1)), .outcome(facts(1), .sample()), .intent(.sample(2)), .outcome(facts(2), .sample()),
            .intent(.sample(3)), .outcome(facts(3), .sample()), .intent(.sample(4)),
        ]
        let own: [LedgerRecord] = [
            .settled(facts(1), how: .delivered(WriteDelivered(status: 201, attempts: 1))),
            .attempted(facts(2), attempts: 2, reason: "status-500"),
            .carried(OpenWrite(intent: .sample(3), outcome: .sample(), attempts: 1)),
            .uncertain(OpenWrite(intent: .sample(4)), reason: "restart"),
        ]
        let found = found([own, adopted], order: order)
        #expect(found.owed.map(\.sequence) == [2, 3])
        #expect(found.owed.map(\.origin) == [1, 0])
        #expect(found.owed.map(\.attempts) == [2, 1])
        #expect(found.owed.map(\.outcome.offset) == [3, 2])
        #expect(found.uncertain.isEmpty)
    }
}
