import Foundation
import Glibc
import Testing

/// The proxy is killed under write load, again and again. Tests/Crashes/run does it two hundred times.
@Suite(.serialized) struct LedgerCrashTests {
    private static let crashes = ProcessInfo.processInfo.environment["STRANGLER_CRASHES"].flatMap(Int.init) ?? 20

    @Test func `what was acknowledged is carried out on both sides, in order, whenever the proxy dies`() async throws {
        let scene = try await LedgerScene()
        let clients = WritingClients(clients: 16, pause: 500)
        for _ in 0..<Self.crashes {
            let proxy = try await scene.start()
            clients.go(to: proxy.port)
            let before = clients.acknowledged
            try await eventually("writes go on") { clients.acknowledged > before }
            // Anywhere within the first moments of a start under load, when recovery and new writes meet, or later.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...250)))
            #expect(await proxy.stop(SIGKILL).status != 0)
        }
        let proxy = try await scene.start()
        clients.go(to: proxy.port)
        let before = clients.acknowledged
        try await eventually("writes go on") { clients.acknowledged > before + 100 }
        try await clients.stop()
        try await scene.settles(proxy)

        let service = scene.service.record
        var lost: [String] = []
        var disordered: [String] = []
        for (name, lane) in clients.lanes {
            let delivered = service.written.filter { $0.lane == name }.map(\.number)
            if delivered != delivered.sorted() { disordered.append(name) }
            let arrived = Set(delivered)
            lost += lane.acknowledged.filter { !arrived.contains($0) }.map { "\(name) \($0)" }
        }
        // An acknowledged write may be uncertain: its outcome was not on disk yet. It is listed, not lost.
        let uncertain = try await scene.writes(proxy, state: "uncertain")
        let acknowledged = clients.acknowledged
        #expect(
            lost.count <= uncertain, "\(lost.count) of \(acknowledged) lost, \(uncertain) uncertain: \(lost.prefix(5))")
        #expect(disordered.isEmpty, "out of order: \(disordered)")
        #expect(service.keys.values.allSatisfy { $0.count == 1 && $0.first?.isEmpty == false })
        // The monolith has carried out all that the service has: nothing was made up.
        let atMonolith = Set(scene.monolith.record.written.map { "\($0.lane) \($0.number)" })
        #expect(service.written.allSatisfy { atMonolith.contains("\($0.lane) \($0.number)") })
        #expect(try await scene.writes(proxy, state: "dead") == 0)
        print(
            "\(Self.crashes) crashes: \(acknowledged) writes acknowledged, \(lost.count) of them uncertain and listed (\(uncertain) in all), \(service.repeated) delivered twice with the same key"
        )
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }
}
