import Comparison
import DualWrite
import Extraction
import HTTPWire
import NIOCore
import Synchronization
import Testing
import Upstreams

@testable import ShadowRunner

private let created = jsonAnswer(#"{"orderId":"ord_1"}"#, status: "201 Created")
private let ok = Reply.bytes(created)

/// 32 digits, as the proxy makes them.
private func id(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
}

private func write(_ number: Int, path: String = "/api/v1/orders", lane: UInt64 = 0, toService: Bool = true) throws
    -> CapturedExchange
{
    try exchange(
        post(path, "{\"n\":\(number)}"), answer: created, lane: lane, id: id(number), shadowIsService: toService)
}

private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

@Suite struct IntentTests {
    @Test func `a write may go to its primary when it is on disk, and to the other side when its outcome is`()
        async throws
    {
        let log = TestLog()
        try await withShadow(Setup(log: log), service: { _, _ in ok }) { shadow in
            var first = try write(1)
            log.hold()
            async let answer = shadow.answer(toIntent: first)
            try await eventually("the intent is on its way") { log.waiting == 1 }
            log.letGo()
            guard case .durable(let ticket) = await answer else {
                Issue.record("refused")
                return
            }
            #expect(log.kinds == [.intent])
            #expect(log.retained == 1)
            log.hold()
            first.ticket = ticket
            shadow.runner.accept(first)
            try await eventually("the outcome is on its way") { log.waiting == 1 }
            #expect(shadow.service.requests.isEmpty)
            log.letGo()
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(log.kinds == [.intent, .outcome, .settled])
            #expect(log.retained == 0)
            #expect(shadow.service.requests.first?.values(of: "Idempotency-Key") == [id(1)])
        }
    }

    @Test(arguments: [0, 1])
    func `whoever asks is answered on its own loop, whichever owns the lane`(_ loop: Int) async throws {
        try await withShadow(Setup(log: TestLog()), service: { _, _ in ok }) { shadow in
            let exchange = try write(1, lane: 1)
            let isOnLoop = await withCheckedContinuation { continuation in
                shadow.loops[loop].execute {
                    let intend = shadow.runner.intending(under: shadow.settings)
                    let asked = IntendedWrite(
                        extraction: 0, route: 0, method: .post, requestHead: exchange.requestHead,
                        requestBody: exchange.requestBody, lane: 1, requestID: exchange.requestID, primary: .monolith)
                    intend(asked) { answer in
                        if case .durable(let ticket) = answer { shadow.runner.withdraw(ticket) }
                        continuation.resume(returning: shadow.loops[loop].inEventLoop)
                    }
                }
            }
            #expect(isOnLoop)
            try await shadow.becomesIdle()
        }
    }

    @Test func `what the log does not take is refused by name and owed to nobody`() async throws {
        let (log, board) = (TestLog(), LaneBoard())
        try await withShadow(Setup(board: board, log: log), service: { _, _ in ok }) { shadow in
            log.refuse(.full)
            #expect(await shadow.answer(toIntent: try write(1)) == .refused(reason: "spool-full"))
            #expect(board.owed(.service) == 0)
            log.refuse(nil)
            try await shadow.accept(try write(2))
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(await shadow.runner.ledgerCounts()["orders"]?.refused == ["spool-full": 1])
            #expect(board.owed(.service) == 0)
        }
    }

    @Test func `a write without a ticket is counted and not delivered`() async throws {
        try await withShadow(service: { _, _ in ok }) { shadow in
            shadow.runner.accept(try write(1))
            #expect(try await shadow.verdicts() == ["not-compared not-recorded": 1])
            #expect(shadow.service.requests.isEmpty)
        }
    }

    @Test func `where the disk fails after the intent, the write is delivered all the same`() async throws {
        let log = TestLog()
        try await withShadow(Setup(log: log), service: { _, _ in ok }) { shadow in
            var first = try write(1)
            first.ticket = try await shadow.intend(first)
            log.refuse(.failed, all: true)
            shadow.runner.accept(first)
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(log.retained == 1, "nobody knows of it but this process")
        }
    }
}

@Suite struct OutcomeTests {
    @Test func `what the primary refused, or never saw, is not delivered, and what nobody knows is uncertain`()
        async throws
    {
        let (log, board) = (TestLog(), LaneBoard())
        try await withShadow(Setup(board: board, log: log), service: { _, _ in ok }) { shadow in
            var exchanges = try (1...6).map { try write($0) }
            exchanges[0].outcome = .answered(status: 409)
            exchanges[1].outcome = .answered(status: 503)
            exchanges[2].outcome = .neverSent
            exchanges[3].outcome = .failed
            exchanges[3].answerHead.clear()
            exchanges[4].outcome = .abandoned
            exchanges[4].answerHead.clear()
            exchanges[5].outcome = .upgrade
            for exchange in exchanges { try await shadow.accept(exchange) }
            _ = try await shadow.verdicts()
            #expect(log.states == [.refused, .refused, .refused, .uncertain, .uncertain, .refused])
            #expect(
                log.rows.map(\.reason).prefix(5) == [
                    "refused-by-primary", "refused-by-primary", "never-sent", "no-answer", "client-left",
                ])
            #expect(log.retained == 0)
            #expect(board.owed(.service) == 0)
            #expect(shadow.service.requests.isEmpty)
            guard case .uncertain(let open, _) = log.records.first(where: { $0.kind == .uncertain }) else { return }
            #expect(open.intent.requestBody == Array(#"{"n":4}"#.utf8))
        }
    }

    @Test func `an answer that broke off behind its head says what the primary decided`() async throws {
        let log = TestLog()
        try await withShadow(Setup(log: log), service: { _, _ in ok }) { shadow in
            var exchange = try write(1)
            exchange.outcome = .abandoned
            exchange.answerBody = .whole([])
            try await shadow.accept(exchange)
            #expect(try await shadow.verdicts() == ["not-compared primary-incomplete": 1])
            #expect(log.states == [.settled])
            #expect(shadow.service.requests.count == 1)
        }
    }

    @Test func `where the other side stood in, the one that was to answer gets the write`() async throws {
        let (log, board) = (TestLog(), LaneBoard())
        let barrier = Barrier()
        try await withShadow(
            Setup(board: board, log: log), service: { _, _ in .after(barrier, ok) }
        ) { shadow in
            var exchange = try write(1, toService: false)
            exchange.ticket = try await shadow.intend(exchange)
            #expect(board.owed(.monolith) == 1)
            exchange.answeredBy = .monolith
            shadow.runner.accept(exchange)
            try await eventually("it is at the service") { shadow.service.requests.count == 1 }
            #expect(board.owed(.monolith) == 0)
            #expect(board.isBehind(.service, lane: 0))
            #expect(await shadow.runner.standing().first?.toService.writes == 1)
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(board.owed(.service) == 0)
            #expect(shadow.monolith.requests.isEmpty)
            #expect(log.rows.first?.answeredBy == .monolith)
            #expect(log.rows.first?.primary == .service)
        }
    }
}

@Suite struct DeliveryTests {
    @Test func `a lane goes in the order of intents, whichever primary answers first`() async throws {
        try await withShadow(Setup(log: TestLog()), service: { _, _ in ok }) { shadow in
            var exchanges: [CapturedExchange] = []
            for number in 1...5 {
                var exchange = try write(number)
                exchange.ticket = try await shadow.intend(exchange)
                exchanges.append(exchange)
            }
            for exchange in exchanges.reversed() { shadow.runner.accept(exchange) }
            #expect(try await shadow.verdicts() == ["match": 5])
            #expect(shadow.service.requests.map(\.body) == (1...5).map { "{\"n\":\($0)}" })
        }
    }

    @Test func `a write that the other side dies of is given up, and costs other lanes nothing`() async throws {
        let log = TestLog()
        let service: ScriptedOrigin.Script = { request, _ in
            request.target == "/api/v1/poison" ? .json("{}", status: "500 Oops") : ok
        }
        try await withShadow(Setup(attempts: 3, log: log), service: service) { shadow in
            try await shadow.accept(try write(1, path: "/api/v1/poison", lane: 0))
            try await shadow.accept(try write(2, lane: 0))
            for number in 3..<20 { try await shadow.accept(try write(number, lane: UInt64(number))) }
            #expect(try await shadow.verdicts() == ["match": 18, "mismatch": 1])
            #expect(log.rows.first?.state == .dead)
            #expect(log.rows.first?.reason == "status-500")
            #expect(log.rows.first?.attempts == 3)
            #expect(log.states.dropFirst().allSatisfy { $0 == .settled })
            let poison = shadow.service.requests.filter { $0.target == "/api/v1/poison" }
            #expect(poison.count == 3)
            #expect(Set(poison.flatMap { $0.values(of: "Idempotency-Key") }) == [id(1)])
            let counts = await shadow.runner.ledgerCounts()["orders"]
            #expect(counts?.dead == ["status-500": 1])
            #expect(counts?.retried == 2)
            #expect(counts?.delivered == 18)
            #expect(log.retained == 0)
        }
    }

    @Test func `what the other side refuses for good is dead at once, and differs`() async throws {
        let log = TestLog()
        try await withShadow(
            Setup(log: log), service: { _, _ in .json("{}", status: "422 Unprocessable") }
        ) { shadow in
            try await shadow.accept(try write(1))
            #expect(try await shadow.verdicts() == ["mismatch": 1])
            #expect(shadow.service.requests.count == 1)
            #expect(log.rows.first?.reason == "status-422")
            #expect(log.rows.first?.payload != nil)
        }
    }

    @Test
    func `a dead write for which there is no room keeps its lane until there is, and nothing of the log for longer`()
        async throws
    {
        let (log, barrier) = (TestLog(), Barrier())
        let service: ScriptedOrigin.Script = { request, number in
            number == 0 ? .after(barrier, .json("{}", status: "422 Unprocessable")) : ok
        }
        try await withShadow(Setup(log: log), service: service) { shadow in
            try await shadow.accept(try write(1))
            try await shadow.accept(try write(2))
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            try await eventually("both outcomes are on disk") { log.kinds.count == 4 }
            log.refuse(.noSpace, all: true)
            barrier.open()
            try await eventually("it is dead") {
                await shadow.runner.ledgerCounts()["orders"]?.dead == ["status-422": 1]
            }
            try await eventually("its record is tried again") { log.refused > 2 }
            #expect(shadow.service.requests.count == 1)
            log.refuse(nil)
            try await shadow.becomesIdle()
            #expect(log.states == [.dead, .settled])
            #expect(log.retained == 0)
        }
    }

    @Test func `dead writes for which there is no room keep their lanes, and no call from other lanes`() async throws {
        let log = TestLog()
        let service: ScriptedOrigin.Script = { request, _ in
            request.body.contains("\"n\":1") ? .json("{}", status: "422 Unprocessable") : ok
        }
        // One call to a side at a time.
        try await withShadow(Setup(maximumConnections: 2, log: log), service: service) { shadow in
            var writes: [CapturedExchange] = []
            // All lanes are of one loop.
            for number in 10...13 { writes.append(try write(number, lane: UInt64(number - 10) * 4)) }
            writes.append(try write(2, lane: 100))
            writes.append(try write(3, lane: 0))
            for place in writes.indices { writes[place].ticket = try await shadow.intend(writes[place]) }
            log.refuse(.full, all: true)
            for write in writes { shadow.runner.accept(write) }
            try await eventually("the last lane's is delivered") {
                await shadow.runner.ledgerCounts()["orders"]?.delivered == 1
            }
            try await eventually("the others are dead") {
                await shadow.runner.ledgerCounts()["orders"]?.dead == ["status-422": 4]
            }
            try await eventually("their records are tried again") { log.refused > 20 }
            #expect(shadow.service.requests.count == 5, "a lane went on before its dead write was on record")
            #expect(await shadow.runner.standing().first?.toService.writes == 5)
            log.refuse(nil)
            try await shadow.becomesIdle()
            #expect(log.states == [.dead, .dead, .dead, .dead, .settled, .settled])
            #expect(log.retained == 0)
        }
    }

    @Test func `an outcome for which there is neither room on disk nor in memory is written when there is`()
        async throws
    {
        let log = TestLog()
        try await withShadow(Setup(maximumBytes: 10, log: log), service: { _, _ in ok }) { shadow in
            var first = try write(1)
            first.ticket = try await shadow.intend(first)
            log.refuse(.noSpace, all: true)
            shadow.runner.accept(first)
            try await eventually("it is tried again") { log.refused > 2 }
            #expect(shadow.service.requests.isEmpty)
            #expect(await shadow.runner.ledgerCounts()["orders"]?.uncertain == 0)
            log.refuse(nil)
            try await shadow.becomesIdle()
            #expect(shadow.service.requests.count == 1)
            #expect(log.kinds == [.intent, .outcome, .settled])
            #expect(log.retained == 0)
        }
    }

    @Test func `a write whose answer was lost is delivered again with the same key, and that is counted`() async throws
    {
        let service: ScriptedOrigin.Script = { _, number in number == 0 ? .close : ok }
        try await withShadow(Setup(log: TestLog()), service: service) { shadow in
            try await shadow.accept(try write(1))
            #expect(try await shadow.verdicts() == ["match": 1])
            #expect(shadow.service.requests.flatMap { $0.values(of: "Idempotency-Key") } == [id(1), id(1)])
            let counts = await shadow.runner.ledgerCounts()["orders"]
            #expect(counts?.possiblyTwice == 1)
            #expect(counts?.postponed == 1)
            #expect(counts?.retried == 0)
        }
    }

    /// The circuit opens after ten calls that came to nothing.
    @Test func `while the other side is away, writes wait, burn nothing, and go on in order when it is back`()
        async throws
    {
        let (log, isBack) = (TestLog(), Flag())
        try await withShadow(
            Setup(attempts: 2, log: log), service: { _, _ in isBack.isSet ? ok : .close }
        ) { shadow in
            for number in 1...40 { try await shadow.accept(try write(number, lane: UInt64(number % 20) * 2)) }
            try await eventually("delivery pauses") { (await shadow.runner.standing().first?.paused ?? 0) == 40 }
            let asked = shadow.service.requests.count
            #expect(asked < 40)
            #expect(log.kinds.allSatisfy { $0 == .intent || $0 == .outcome })
            isBack.set()
            #expect(try await shadow.verdicts() == ["match": 40])
            #expect(log.states.allSatisfy { $0 == .settled })
            var last: [String: Int] = [:]
            for request in shadow.service.requests.dropFirst(asked) {
                let number = Int(request.body.filter(\.isNumber)) ?? 0
                let lane = "\(number % 20)"
                #expect(last[lane, default: 0] < number)
                last[lane] = number
            }
        }
    }

    @Test func `what one loop hears of a side that is back lets the other one try at once, whatever its circuit says`()
        async throws
    {
        let (log, isBack) = (TestLog(), Flag())
        try await withShadow(
            Setup(log: log, circuitOpenFor: .seconds(3_600)), service: { _, _ in isBack.isSet ? ok : .close }
        ) { shadow in
            for number in 1...40 { try await shadow.accept(try write(number, lane: UInt64(number % 20) * 2 + 1)) }
            try await eventually("delivery pauses") { (await shadow.runner.standing().first?.paused ?? 0) == 40 }
            isBack.set()
            // A lane of the first loop, which has asked nobody until now.
            try await shadow.accept(try write(41, lane: 0))
            #expect(try await shadow.verdicts() == ["match": 41])
            #expect(log.states.allSatisfy { $0 == .settled })
        }
    }

    @Test func `a write that the other side dies of is given up where only another loop hears of that side, too`()
        async throws
    {
        let service: ScriptedOrigin.Script = { request, _ in request.target == "/api/v1/poison" ? .close : ok }
        try await withShadow(Setup(attempts: 2, log: TestLog()), service: service) { shadow in
            try await shadow.accept(try write(1, path: "/api/v1/poison", lane: 1))
            let deadline = ContinuousClock.now + .seconds(60)
            var others = 0
            while await shadow.runner.ledgerCounts()["orders"]?.dead != ["reset": 1] {
                try #require(ContinuousClock.now < deadline)
                others += 1
                try await shadow.accept(try write(1 + others, lane: 0))
                try await eventually("it is delivered") { [others] in
                    await shadow.runner.ledgerCounts()["orders"]?.delivered == others
                }
            }
            try await shadow.becomesIdle()
        }
    }

    @Test func `a write that names something unknown holds its lane until the name is learned, and no other lane`()
        async throws
    {
        let (log, identities) = (TestLog(), IdentityDirectory())
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"))]
        let answer = jsonAnswer("{}")
        try await withShadow(
            Setup(rules: rules, log: log, identities: identities), service: { _, _ in .bytes(answer) }
        ) { shadow in
            for (number, path) in ["/api/v1/orders/m1", "/api/v1/orders"].enumerated() {
                let write = post(path, #"{"a":1}"#)
                try await shadow.accept(try exchange(write, answer: answer, lane: 0, id: id(number)))
            }
            try await shadow.accept(try exchange(post("/api/v1/orders", "{}"), answer: answer, lane: 2, id: id(2)))
            try await eventually("the other lane goes on") { shadow.service.requests.count == 1 }
            #expect(await shadow.runner.standing().first?.paused == 1)
            identities.learn([IdentityPair(kind: "$.orderId", monolith: "m1", service: "s1")], extraction: "orders")
            #expect(try await shadow.verdicts() == ["match": 3])
            #expect(
                shadow.service.requests.map(\.target) == ["/api/v1/orders", "/api/v1/orders/s1", "/api/v1/orders"])
            #expect(log.states == [.settled, .settled, .settled])
        }
    }

    @Test func `bodies that memory has no room for are read back from the log`() async throws {
        let (log, barrier) = (TestLog(), Barrier())
        try await withShadow(
            Setup(maximumBytes: 10_000, log: log), service: { _, _ in .after(barrier, ok) }
        ) { shadow in
            for number in 1...10 { try await shadow.accept(try write(number)) }
            #expect(await shadow.runner.load.bytes <= 10_000)
            barrier.open()
            #expect(try await shadow.verdicts() == ["match": 10])
            #expect(shadow.service.requests.map(\.body) == (1...10).map { "{\"n\":\($0)}" })
            #expect(shadow.service.requests.flatMap { $0.values(of: "Idempotency-Key") } == (1...10).map(id))
            #expect(log.reads > 0)
            #expect(await shadow.endpoints() == ["POST /api/v1/orders"])
        }
    }
}

@Suite struct RestartTests {
    private func restarted(_ shadow: ShadowUnderTest, _ log: TestLog) async throws -> ShadowRunner {
        log.forgetRetained()
        let clock = shadow.clock
        let runner = try await ShadowRunner(
            loops: shadow.loops, settings: shadow.settings, recorder: shadow.recorder, log: log
        ) { clock.now }
        await runner.recover(log.recovery(), from: [log])
        return runner
    }

    @Test func `after a restart each write goes on where it was, in order, with its key and its comparison`()
        async throws
    {
        let (log, isBack, board) = (TestLog(), Flag(), LaneBoard())
        try await withShadow(
            Setup(board: board, log: log), service: { _, _ in isBack.isSet ? ok : .hang }
        ) { shadow in
            for number in 1...5 { try await shadow.accept(try write(number)) }
            _ = try await shadow.intend(try write(6))
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            await shadow.runner.shutdown()
            #expect(await shadow.verdictsSoFar() == [:], "what is not delivered is not lost")

            isBack.set()
            let runner = try await restarted(shadow, log)
            try await eventually("all are settled") { await runner.load == ShadowLoad() }
            #expect(log.states == [.settled, .settled, .settled, .settled, .settled, .uncertain])
            #expect(await shadow.verdictsSoFar() == ["match": 5])
            let requests = shadow.service.requests.dropFirst()
            #expect(requests.map(\.body) == (1...5).map { "{\"n\":\($0)}" })
            #expect(requests.flatMap { $0.values(of: "Idempotency-Key") } == (1...5).map(id))
            #expect(requests.allSatisfy { $0.values(of: "Strangler-Shadow") == ["1"] })
            #expect(log.retained == 0)
            let counts = await runner.ledgerCounts()["orders"]
            #expect(counts?.possiblyTwice == 1)
            #expect(counts?.uncertain == 1)
            await runner.shutdown()
        }
    }

    @Test func `what was left comes back in turns, and nothing is delivered before all of it is there`() async throws {
        let (log, count) = (TestLog(), 2_500)
        for number in 1...count {
            let facts = WriteFacts(
                id: WriteID(high: 0, low: UInt64(number)), sequence: UInt64(number) << 12, at: 0, extraction: "orders",
                endpoint: "POST /api/v1/orders", lane: 0, primary: .monolith)
            let asked = try write(number)
            log.add(
                .intent(
                    WriteIntent(
                        facts: facts, requestHead: Array(asked.requestHead.readableBytesView),
                        requestBody: asked.requestBody.flatMap { Array($0.readableBytesView) })))
            log.add(
                .outcome(
                    facts,
                    WriteOutcome(
                        answeredBy: .monolith, status: 201, nanoseconds: 1,
                        answerHead: Array(asked.answerHead.readableBytesView), answerBody: [])))
        }
        try await withShadow(Setup(log: log), service: { _, _ in ok }) { shadow in
            let recovery = log.recovery()
            shadow.runner.sequence.begin(above: recovery.highest)
            let share = RecoveredShare.split(recovery.found(), recovery.names, among: 2)[0]
            #expect(share.count == count)
            let loop = shadow.runner.loops[0]
            let (origins, first) = try await loop.eventLoop.submit {
                loop.value.delivery.recovers(true)
                let origins = loop.value.delivery.adoptLogs([log])
                return (origins, loop.value.delivery.recover(share, from: 0, origins: origins))
            }.get()
            #expect((1...2_000).contains(first), "a turn of the loop has an end")
            // What comes in between comes behind.
            try await shadow.accept(try write(count + 1))
            try await eventually("it is owed, too") {
                await shadow.runner.standing().first?.toService.writes == first + 1
            }
            #expect(shadow.service.requests.isEmpty)
            var place = first
            while place < share.count {
                place = try await loop.eventLoop.submit { [place] in
                    loop.value.delivery.recover(share, from: place, origins: origins)
                }.get()
                #expect(await shadow.runner.standing().first?.toService.writes == place + 1)
            }
            #expect(shadow.service.requests.isEmpty)
            try await loop.eventLoop.submit { loop.value.delivery.recovers(false) }.get()
            try await shadow.becomesIdle()
            #expect(shadow.service.requests.map(\.body) == (1...count + 1).map { "{\"n\":\($0)}" })
        }
    }

    @Test func `while another process delivers what comes before, a recovery does not begin the deliveries`()
        async throws
    {
        let (log, isBack) = (TestLog(), Flag())
        try await withShadow(Setup(log: log), service: { _, _ in isBack.isSet ? ok : .hang }) { shadow in
            for number in 1...3 { try await shadow.accept(try write(number)) }
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            await shadow.runner.shutdown()
            isBack.set()
            log.forgetRetained()
            let clock = shadow.clock
            let runner = try await ShadowRunner(
                loops: shadow.loops, settings: shadow.settings, recorder: shadow.recorder, log: log
            ) { clock.now }
            await runner.holdDeliveries(true)
            await runner.recover(log.recovery(), from: [log])
            #expect(await runner.standing().first?.toService.writes == 3)
            #expect(await runner.load.calls == 0)
            await runner.holdDeliveries(false)
            try await eventually("all are settled") { await runner.load == ShadowLoad() }
            #expect(shadow.service.requests.dropFirst().map(\.body) == (1...3).map { "{\"n\":\($0)}" })
            await runner.shutdown()
        }
    }

    @Test func `new writes come behind those that were left, also in number`() async throws {
        let (log, isBack) = (TestLog(), Flag())
        try await withShadow(Setup(log: log), service: { _, _ in isBack.isSet ? ok : .hang }) { shadow in
            for number in 1...3 { try await shadow.accept(try write(number)) }
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            await shadow.runner.shutdown()
            let runner = try await restarted(shadow, log)
            let next = ShadowUnderTest(
                monolith: shadow.monolith, service: shadow.service, store: shadow.store, recorder: shadow.recorder,
                runner: runner, loops: shadow.loops, settings: shadow.settings, clock: shadow.clock)
            for number in 4...6 { try await next.accept(try write(number)) }
            isBack.set()
            // The first hangs at a service that was away; it is asked again.
            await runner.shutdown()
            let last = try await restarted(shadow, log)
            try await eventually("all are settled") { await last.load == ShadowLoad() }
            #expect(shadow.service.requests.suffix(6).map(\.body) == (1...6).map { "{\"n\":\($0)}" })
            #expect(log.rows.map(\.sequence) == log.rows.map(\.sequence).sorted())
            await last.shutdown()
        }
    }

    @Test func `what holds an old segment is written down anew, and goes on from there, also after a restart`()
        async throws
    {
        let (log, isBack) = (TestLog(), Flag())
        try await withShadow(Setup(log: log), service: { _, _ in isBack.isSet ? ok : .hang }) { shadow in
            for number in 1...4 { try await shadow.accept(try write(number)) }
            try await eventually("the first is at the service") { shadow.service.requests.count == 1 }
            try await eventually("all are owed") { await shadow.runner.standing().first?.toService.writes == 4 }
            #expect(await shadow.runner.carryForward(upTo: 1) == 3, "the first is on its way")
            #expect(log.retained == 4)
            #expect(log.kinds.suffix(3) == [.carried, .carried, .carried])
            await shadow.runner.shutdown()
            isBack.set()
            let runner = try await restarted(shadow, log)
            try await eventually("all are settled") { await runner.load == ShadowLoad() }
            #expect(shadow.service.requests.dropFirst().map(\.body) == (1...4).map { "{\"n\":\($0)}" })
            #expect(log.retained == 0)
            #expect(log.states == [.settled, .settled, .settled, .settled])
            await runner.shutdown()
        }
    }

    @Test func `a person has a dead write delivered again`() async throws {
        let (log, isFixed, board) = (TestLog(), Flag(), LaneBoard())
        try await withShadow(
            Setup(board: board, log: log),
            service: { _, _ in isFixed.isSet ? ok : .json("{}", status: "422 Unprocessable") }
        ) { shadow in
            try await shadow.accept(try write(1))
            _ = try await shadow.verdicts()
            let payload = try #require(log.rows.first?.payload)
            isFixed.set()
            let sequence = try await shadow.runner.readmit(payload)
            try await shadow.becomesIdle()
            #expect(log.states == [.settled])
            #expect(log.rows.first?.sequence == sequence)
            #expect(log.rows.first?.isRetried == true)
            #expect(Set(shadow.service.requests.flatMap { $0.values(of: "Idempotency-Key") }) == [id(1)])
            #expect(board.owed(.service) == 0)
            #expect(log.retained == 0)
            await #expect(throws: ShadowRunner.ReadmissionFailure.notARecord) {
                try await shadow.runner.readmit([1, 2, 3])
            }
        }
    }

    @Test func `an uncertain write is delivered when a person says so, and there is nothing to compare`() async throws {
        let log = TestLog()
        try await withShadow(Setup(log: log), service: { _, _ in ok }) { shadow in
            var exchange = try write(1)
            exchange.outcome = .failed
            exchange.answerHead.clear()
            try await shadow.accept(exchange)
            try await shadow.becomesIdle()
            try await shadow.runner.readmit(try #require(log.rows.first?.payload))
            #expect(
                try await shadow.verdicts() == ["primary-failed no-answer": 1, "not-compared primary-incomplete": 1])
            #expect(log.states == [.settled])
            #expect(shadow.service.requests.map(\.body) == [#"{"n":1}"#])
        }
    }
}

@Suite struct ReadsBehindWritesTests {
    @Test func `a read whose lane does not move is not waited for`() async throws {
        let service: ScriptedOrigin.Script = { request, _ in
            request.method == "POST" ? .json("{}", status: "500 Oops") : .json("{}")
        }
        try await withShadow(Setup(log: TestLog()), service: service) { shadow in
            try await shadow.accept(try write(1))
            // Its pauses become long before its attempts are used up.
            try await eventually("it was tried four times") { shadow.service.requests.count >= 4 }
            shadow.runner.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"), lane: 0))
            shadow.runner.accept(try exchange(get("/api/v1/orders"), answer: jsonAnswer("{}"), lane: 2))
            try await eventually("both reads are counted") { await shadow.verdictsSoFar().values.reduce(0, +) == 2 }
            #expect(await shadow.verdictsSoFar() == ["match": 1, "not-compared behind-writes": 1])
        }
    }
}
