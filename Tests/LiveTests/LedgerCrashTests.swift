import Foundation
import Glibc
import PostgresClient
import TestSupport
import Testing

/// The proxy is killed under write load, again and again, also while Postgres is away and while one process takes over from
/// another. `STRANGLER_CRASHES` says how many rounds (20), `STRANGLER_SEED` which ones.
@Suite(.serialized) struct LedgerCrashTests {
    @Test func `what was acknowledged is carried out on both sides, in order, whenever the proxy dies`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["STRANGLER_CRASHES"].flatMap(Int.init) ?? 20
        let seed = environment["STRANGLER_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max)
        let scene = try await LedgerScene()
        let clients = WritingClients(clients: 16, pause: 500)
        let crashes = CrashRounds(scene, clients, seed: seed)
        var done: [CrashRounds.Round] = []
        while done.count < rounds {
            for round in crashes.bag().prefix(rounds - done.count) {
                done.append(round)
                do {
                    try await crashes.run(round)
                } catch {
                    Issue.record("seed \(seed), round \(done.count), \(round): \(error)")
                    throw error
                }
            }
        }
        let proxy = try await crashes.start()
        try await crashes.goOn(100)
        try await clients.stop()
        try await scene.settles(proxy, within: 120)

        let context = "seed \(seed), rounds \(done):"
        let truth = try await LedgerTruth(scene, clients)
        truth.expectWhole(context)
        // The list shows all of them, on however many pages.
        let listed = try await scene.listed(proxy, state: "uncertain", page: 20)
        #expect(listed.count == Set(listed).count && Set(listed) == truth.ids("uncertain"), "\(context) the list")
        #expect(try await scene.listed(proxy, state: "dead", page: 20).isEmpty)
        #expect(clients.lanes.values.allSatisfy { $0.refused.isEmpty }, "\(context) refused")
        print(
            "\(rounds) rounds (seed \(seed)), \(crashes.kills) kills: \(truth.acknowledged) writes acknowledged, \(truth.lostTrackOf) of them uncertain by their own id (\(listed.count) in all), \(scene.service.record.repeated) deliveries again with the same key"
        )
        #expect(await proxy.stop().status == 0)
        await scene.end()
    }
}

/// Ways in which proxies die under write load. What each round leaves behind is for the next one to find.
final class CrashRounds {
    enum Round: CaseIterable {
        /// Anywhere within the first moments of a start under load, when recovery and new writes meet, or later.
        case plain
        /// Without Postgres, at a start without it, and while it gets what it has missed.
        case withoutPostgres
        case whilePostgresHangs
        /// A successor anywhere between its start and having taken over; then the one before it, too.
        case successor
        /// The one that is taken over from, while it answers what it has accepted.
        case predecessor
        /// A successor, whose own begins while the first of the three still drains.
        case successorWhileTheFirstDrains
        /// One that was told to stop, while it does.
        case whileStopping
    }

    private let scene: LedgerScene
    private let clients: WritingClients
    private var chance: SeededGenerator
    private(set) var kills = 0

    init(_ scene: LedgerScene, _ clients: WritingClients, seed: UInt64) {
        self.scene = scene
        self.clients = clients
        chance = SeededGenerator(seed: seed)
    }

    /// Each kind of round once, the plain ones more often.
    func bag() -> [Round] {
        (Round.allCases + Array(repeating: .plain, count: 4)).shuffled(using: &chance)
    }

    func start(_ options: String...) async throws -> RunningProxy {
        let proxy = try await RunningProxy(scene.deployment, options)
        clients.go(to: proxy.port)
        return proxy
    }

    /// Waits until so many more writes are acknowledged.
    func goOn(_ writes: Int = 1) async throws {
        let before = clients.acknowledged
        try await eventually("writes go on") { clients.acknowledged >= before + writes }
    }

    /// The moment is chance, not waited for.
    private func pause(_ milliseconds: ClosedRange<Int>) async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: milliseconds, using: &chance)))
    }

    private func kill(_ proxy: RunningProxy) async {
        #expect(await proxy.stop(SIGKILL).status != 0)
        kills += 1
    }

    func run(_ round: Round) async throws {
        switch round {
        case .plain: try await startAndKill()
        case .withoutPostgres:
            let proxy = try await start()
            try await goOn()
            await scene.postgres.stop()
            try await goOn(20)
            try await pause(0...250)
            await kill(proxy)
            try await startAndKill()
            try await scene.postgres.start()
            try await startAndKill()
        case .whilePostgresHangs:
            let proxy = try await start()
            try await goOn()
            try await scene.freezePostgres()
            try await goOn(20)
            try await pause(0...250)
            await kill(proxy)
            try await startAndKill()
            scene.thawPostgres()
            try await startAndKill()
        case .successor: try await killSuccessor()
        case .predecessor:
            let old = try await start()
            try await goOn()
            let new = try await start("--takeover")
            try await pause(0...300)
            // It may be done by then.
            _ = await old.stop(SIGKILL)
            kills += 1
            try await goOn()
            try await pause(0...250)
            await kill(new)
        case .successorWhileTheFirstDrains:
            let first = try await start()
            try await goOn()
            let second = try await start("--takeover")
            try await pause(0...300)
            await kill(second)
            let third = try await start()
            try await goOn()
            let ended = await first.end()
            #expect(ended.status == 0, "\(ended.log)")
            try await pause(0...500)
            await kill(third)
        case .whileStopping:
            let proxy = try await start()
            try await goOn()
            proxy.send(SIGTERM)
            try await pause(0...1_500)
            _ = await proxy.stop(SIGKILL)
            kills += 1
        }
    }

    private func startAndKill() async throws {
        let proxy = try await start()
        try await goOn()
        try await pause(0...250)
        await kill(proxy)
    }

    /// It dies before it can be of use, or has everything by then: the one before it serves on, or has let go.
    private func killSuccessor() async throws {
        let old = try await start()
        try await goOn()
        let successor = Program.make(
            ["serve", "--config", "Routes/proxy.yaml", "--takeover"], in: scene.deployment.folder)
        successor.standardOutput = FileHandle.nullDevice
        successor.standardError = FileHandle.nullDevice
        try successor.run()
        try await pause(0...700)
        if successor.isRunning { Glibc.kill(successor.processIdentifier, SIGKILL) }
        successor.waitUntilExit()
        kills += 1
        try await pause(0...100)
        old.send(SIGTERM)
        try await pause(0...1_500)
        _ = await old.stop(SIGKILL)
        kills += 1
    }
}
