import Comparison
import DualWrite
import Extraction
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProxyServer
import Routing
import ShadowRunner
import Synchronization
import Testing
import Upstreams

/// The proxy with its shadow: `/orders/**` is answered by the monolith and asked of the service too.
struct ShadowedProxy: Sendable {
    let proxy: ProxyUnderTest
    let monolith: ScriptedOrigin
    let service: ScriptedOrigin
    fileprivate let store: VerdictStore
    fileprivate let recorder: EvidenceRecorder
    fileprivate let runner: ShadowRunner

    /// What was counted, by `verdict` or `verdict reason`, once so many exchanges have been handed over and nothing is under
    /// way any more. A client has its answer before the shadow hears of it.
    func verdicts(of exchanges: Int) async -> [String: Int] {
        #expect(proxy.captured.wait { $0.count >= exchanges })
        #expect(await runner.drain(within: .seconds(60)))
        await recorder.flush()
        return store.counts.withLock { $0 }
    }

    /// The same where the service takes no writes: what it is owed stays owed.
    func verdictsOfReads(_ reads: Int, of exchanges: Int) async -> [String: Int] {
        #expect(proxy.captured.wait { $0.count >= exchanges })
        let deadline = NIODeadline.now() + .seconds(60)
        while true {
            await recorder.flush()
            let counts = store.counts.withLock { $0 }
            if counts.values.reduce(0, +) >= reads || NIODeadline.now() > deadline { return counts }
            await Task.yield()
        }
    }

    /// Writes that are on record, and those of them that the service has not taken yet.
    func writes() async -> (recorded: Int, owed: Int) {
        let counts = await runner.ledgerCounts()["orders"]
        let standing = await runner.standings()["orders"]
        return (counts?.recorded ?? 0, standing?.toService.writes ?? 0)
    }
}

/// The one that the program has too, with its records in memory.
private struct Ledger: Desk {
    let runner: ShadowRunner
    let settings: ShadowSettings

    func stand(in handoff: inout ExchangeHandoff) {
        handoff.intend = runner.intending(under: settings)
        handoff.withdraw = { [runner] in runner.withdraw($0) }
    }
}

private final class VerdictStore: EvidenceStore {
    let counts = Mutex<[String: Int]>([:])

    func record(_ batch: EvidenceBatch, at: Date) async throws {
        counts.withLock { counts in
            for (key, count) in batch.counts {
                // A mismatch's reason is its group.
                let reason = key.verdict == .mismatch ? nil : key.reason
                counts[key.verdict.rawValue + (reason.map { " " + $0 } ?? ""), default: 0] += count
            }
        }
    }

    func noise() async throws -> [NoiseScope: NoiseTally] { [:] }
}

/// - Parameter recordsWrites: as the program does with those that both sides are to get. Otherwise they stream to the
///   monolith as all else does, and the service gets none of them.
func withShadowedProxy(
    monolith: ScriptedOrigin, service: ScriptedOrigin, settings: ProxySettings = patient, recordsWrites: Bool = false,
    timeout: Duration = .seconds(10), _ body: (ShadowedProxy) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let redactor = Redactor(key: Array("a key for tests".utf8))
    let orders = Route(
        pattern: try RoutePattern(parsing: "/orders/**"), extraction: 0,
        location: SourceLocation(file: "orders.yaml", line: 1, column: 1))
    let board = recordsWrites ? LaneBoard() : nil
    let shadowed = ShadowedExtraction(
        name: "orders", service: UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: service.port)),
        comparer: Comparer(rules: .none, redactor: redactor), rules: .none, timeout: timeout, board: board)
    let shadowSettings = ShadowSettings(
        monolith: UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: monolith.port)), extractions: [shadowed],
        templates: EndpointTemplates(routes: [orders], known: [[]]), redactor: redactor,
        settleDelay: .milliseconds(1))
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let store = VerdictStore()
    let recorder = EvidenceRecorder(store: store, logger: logger)
    let runner = try await ShadowRunner(
        loops: Array(group.makeIterator()), settings: shadowSettings, recorder: recorder)
    let result: Result<Void, any Error>
    do {
        try await withProxy(
            monolith: monolith.port, service: service.port, orders: OrdersExtraction(stage: .shadow, board: board),
            settings: settings, shadow: { runner.accept($0, under: shadowSettings) },
            desk: recordsWrites ? Ledger(runner: runner, settings: shadowSettings) : nil
        ) { proxy in
            try await body(
                ShadowedProxy(
                    proxy: proxy, monolith: monolith, service: service, store: store, recorder: recorder,
                    runner: runner))
        }
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await runner.shutdown()
    try await group.shutdownGracefully()
    try result.get()
}
