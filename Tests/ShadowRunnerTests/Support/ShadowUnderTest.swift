import Comparison
import Contract
import DualWrite
import Extraction
import Foundation
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import Routing
import Synchronization
import Testing
import Upstreams

@testable import ShadowRunner

/// What differs from test to test.
struct Setup: Sendable {
    var rules = ComparisonRules.none
    var timeout = Duration.seconds(10)
    var maximumJobs = 2_048
    var maximumBytes = 64 * 1024 * 1024
    var maximumConnections = 64
    var answerLimit = 1024 * 1024
    var answerCeiling = BodyCollector.defaultCeiling
    var maximumEndpoints = 1_000
    var settleDelay = Duration.milliseconds(250)
    /// Of 10,000.
    var noise = 0
    var contract: ContractDocument?
    var attempts = 12
    var board: LaneBoard?
    var log: (any LedgerLog)?
    var identities = IdentityDirectory()
    var identityWait = Duration.seconds(30)
    var circuitOpenFor = Duration.seconds(2)
}

/// A runner on two loops, between two origins and a store in memory.
struct ShadowUnderTest: Sendable {
    let monolith: ScriptedOrigin
    let service: ScriptedOrigin
    let store: MemoryStore
    let recorder: EvidenceRecorder
    let runner: ShadowRunner
    let loops: [any EventLoop]
    let settings: ShadowSettings
    let clock: TestClock

    /// Everything that was counted, by `verdict` or `verdict reason`, mismatches of all groups together, once nothing is under way any more.
    func verdicts() async throws -> [String: Int] {
        try await becomesIdle()
        return await verdictsSoFar()
    }

    func verdictsSoFar() async -> [String: Int] {
        await recorder.flush()
        var sums: [String: Int] = [:]
        for (key, count) in await store.counts {
            let reason = key.verdict == .mismatch ? nil : key.reason
            sums[key.verdict.rawValue + (reason.map { " " + $0 } ?? ""), default: 0] += count
        }
        return sums
    }

    func becomesIdle() async throws {
        try await eventually("nothing is under way") { await runner.load == ShadowLoad() }
    }

    /// As the proxy hands an exchange over: a write is on record before its primary has answered.
    func accept(_ exchange: CapturedExchange) async throws {
        var exchange = exchange
        if !exchange.method.isSafe, !exchange.isForContract { exchange.ticket = try await intend(exchange) }
        runner.accept(exchange)
    }

    func intend(_ exchange: CapturedExchange) async throws -> WriteTicket {
        switch await answer(toIntent: exchange) {
        case .durable(let ticket): return ticket
        case .refused(let reason): throw DeadlineExceeded(description: "refused: \(reason)")
        }
    }

    func answer(toIntent exchange: CapturedExchange, on loop: Int = 0) async -> IntentAnswer {
        let write = IntendedWrite(
            extraction: exchange.extraction, route: exchange.route, method: exchange.method,
            requestHead: exchange.requestHead, requestBody: exchange.requestBody, lane: exchange.lane,
            requestID: exchange.requestID, primary: exchange.shadowIsService ? .monolith : .service)
        return await withCheckedContinuation { continuation in
            loops[loop].execute {
                runner.intending(under: settings)(write) { continuation.resume(returning: $0) }
            }
        }
    }

    func endpoints() async -> Set<String> { Set(await store.counts.keys.map(\.endpoint)) }
}

final class TestClock: Sendable {
    private let seconds = Mutex(0.0)

    var now: Date { seconds.withLock { Date(timeIntervalSince1970: 1_800_000_000 + $0) } }

    func advance(by more: Double) { seconds.withLock { $0 += more } }
}

struct DeadlineExceeded: Error, CustomStringConvertible {
    let description: String
}

/// Waits for a condition, for at most 60 seconds.
func eventually(_ what: String, _ isTrue: @Sendable () async -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while await !isTrue() {
        guard ContinuousClock.now < deadline else { throw DeadlineExceeded(description: "not in time: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Runs `body` with everything started, stops it, and expects that nothing is left.
func withShadow(
    _ setup: Setup = Setup(),
    monolith monolithScript: @escaping ScriptedOrigin.Script = { _, _ in .json("{}") },
    service serviceScript: @escaping ScriptedOrigin.Script,
    _ body: (ShadowUnderTest) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let originGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let monolith = ScriptedOrigin(monolithScript)
    let service = ScriptedOrigin(serviceScript)
    let settings = try await shadowSettings(
        setup, monolith: monolith.listen(on: originGroup), service: service.listen(on: originGroup))
    let store = MemoryStore()
    let clock = TestClock()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let recorder = EvidenceRecorder(store: store, logger: logger) { clock.now }
    let loops = Array(group.makeIterator())
    let runner = try await ShadowRunner(
        loops: loops, settings: settings, recorder: recorder, identities: setup.identities, log: setup.log
    ) { clock.now }
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(
            try await body(
                ShadowUnderTest(
                    monolith: monolith, service: service, store: store, recorder: recorder, runner: runner,
                    loops: loops, settings: settings, clock: clock)))
    } catch {
        outcome = .failure(error)
    }
    await runner.shutdown()
    #expect(await runner.load == ShadowLoad(), "work is left after the shutdown")
    for origin in [monolith, service] {
        try await eventually("connections to an origin are closed") { origin.openConnections == 0 }
    }
    try await group.shutdownGracefully()
    try await originGroup.shutdownGracefully()
    try outcome.get()
}

private let contractPaths = ["/api/v1/orders", "/api/v1/orders/{id}"]

private func shadowSettings(_ setup: Setup, monolith: Int, service: Int) throws -> ShadowSettings {
    let redactor = Redactor(key: Array("a key for tests".utf8))
    let here = SourceLocation(file: "orders.yaml", line: 1, column: 1)
    let route = Route(pattern: try RoutePattern(parsing: "/api/v1/**"), extraction: 0, location: here)
    let extraction = ShadowedExtraction(
        name: "orders", service: UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: service)),
        comparer: Comparer(rules: setup.rules, redactor: redactor), rules: setup.rules, timeout: setup.timeout,
        noise: setup.noise, contract: setup.contract, board: setup.board, attempts: setup.attempts,
        identity: IdentityMapping(rules: setup.rules.identity, routes: [route.pattern], templates: contractPaths),
        identityWait: setup.identityWait)
    return ShadowSettings(
        monolith: UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: monolith)), extractions: [extraction],
        templates: EndpointTemplates(routes: [route], known: [contractPaths]),
        redactor: redactor, maximumJobs: setup.maximumJobs, maximumBytes: setup.maximumBytes,
        maximumConnections: setup.maximumConnections, answerLimit: setup.answerLimit,
        answerCeiling: setup.answerCeiling, maximumEndpoints: setup.maximumEndpoints, settleDelay: setup.settleDelay,
        circuitOpenFor: setup.circuitOpenFor)
}

/// An exchange as the proxy hands it over: `request` and `answer` are whole messages as client and primary sent them.
func exchange(
    _ request: String, answer: String, lane: UInt64 = 0, id: String = "req-1", shadowIsService: Bool = true,
    isTruncated: Bool = false, isOverCap: Bool = false, failed: Bool = false
) throws -> CapturedExchange {
    let (head, body) = try parts(of: request)
    let (answerHead, answerBody) = try parts(of: answer)
    let status = Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
    return CapturedExchange(
        extraction: 0, route: 0, method: Method(token: String(request.prefix { $0 != " " })),
        requestHead: ByteBuffer(bytes: try forwarded(head, id: id)),
        requestBody: body.isEmpty ? [] : [ByteBuffer(string: body)],
        answerHead: ByteBuffer(string: answerHead),
        answerBody: isOverCap
            ? .hashed(BodyDigest(of: answerBody.utf8))
            : .whole(answerBody.isEmpty ? [] : [ByteBuffer(string: answerBody)]), isTruncated: isTruncated,
        outcome: failed ? .failed : .answered(status: status), shadowIsService: shadowIsService, lane: lane,
        requestID: Array(id.utf8), primaryNanoseconds: 1_000_000)
}

/// A client's GET.
func get(_ target: String, fields: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: shop\r\n\(fields)\r\n" }

/// A client's POST with a JSON body.
func post(_ target: String, _ body: String, fields: String = "") -> String {
    "POST \(target) HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

private func parts(of message: String) throws -> (head: String, body: String) {
    let end = try #require(message.firstRange(of: "\r\n\r\n"))
    return (String(message[..<end.upperBound]), String(message[end.upperBound...]))
}

/// The head as the proxy sends it to a primary.
private func forwarded(_ head: String, id: String) throws -> [UInt8] {
    let bytes = Array(head.utf8)
    var parser = RequestHeadParser()
    return try bytes.withUnsafeBytes { raw in
        try #require(try parser.parse(raw))
        let forwarding = RequestForwarding(
            facts: ForwardingFacts(clientAddress: Array("192.0.2.7".utf8)), requestID: Array(id.utf8))
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: forwarding.capacity(for: parser.head), alignment: 1)
        defer { memory.deallocate() }
        var sink = ByteSink(memory)
        forwarding.write(parser, raw, to: &sink)
        return Array(memory[..<sink.count])
    }
}
