import Extraction
import Foundation
import Logging
import PostgresStore
import ProxyServer
import Resilience
import ShadowRunner
import Upstreams

/// This process among the others on the same Postgres: tells each second that it lives and what it serves, and says
/// goodbye when all that it has counted is there.
///
/// A process that ends without a goodbye leaves a gap in the evidence. Its successor on the same data folder records it
/// from when Postgres last heard of it to its last sign of life (`LifeSign`). Where none starts there, whoever judges for all
/// records one after two minutes (`GuardRunner`); should the process have been cut off only, it brings what it kept,
/// beats again after that, and takes the gap away.
actor ReplicaRegistry {
    nonisolated let id: String
    private let host: String
    private let process = Int(ProcessInfo.processInfo.processIdentifier)
    private let startedAt: Date
    private let keeper: StageKeeper
    private let server: ProxyServer
    private let recorder: EvidenceRecorder
    private let store: StoreLink
    private let data: DataDirectory
    private let logger: Logger
    private let lifeSign: LifeSign?
    private var guardBackend: Int?
    /// Whether others may have given this process up: it brings what it has before it beats again.
    private var isUnheard = true

    static let beatInterval = Duration.seconds(1)

    init(
        keeper: StageKeeper, server: ProxyServer, recorder: EvidenceRecorder, store: StoreLink, data: DataDirectory,
        logger: Logger
    ) {
        id = keeper.replica
        host = ProcessInfo.processInfo.hostName
        startedAt = Date()
        self.keeper = keeper
        self.server = server
        self.recorder = recorder
        self.store = store
        self.data = data
        self.logger = logger
        lifeSign = LifeSign(data: data, id: id, startedAt: startedAt)
        if lifeSign == nil {
            logger.warning("no sign of life can be left in \(data.path): should this process die, a gap may go unseen")
        }
    }

    /// `host:process-` and something that no other process has.
    static func newID() -> String {
        let process = ProcessInfo.processInfo
        let random = String(UInt32.random(in: .min ... .max), radix: 16)
        return "\(process.hostName):\(process.processIdentifier)-\(random)"
    }

    /// Beats until the task is cancelled.
    func run() async {
        var lost = LifeSign.left(in: data)
        while !Task.isCancelled {
            lifeSign?.touch()
            if !lost.isEmpty, await recordLosses(lost) { lost = [] }
            await beat()
            guard (try? await Task.sleep(for: Self.beatInterval)) != nil else { break }
        }
    }

    /// Call when all evidence is in Postgres.
    func signOff() async {
        _ = try? await store.connected().signOff(id: id)
        lifeSign?.remove()
    }

    /// Told with the next beat, which comes at once.
    func holdsGuard(backend: Int?) async {
        guardBackend = backend
        await beat()
    }

    private func beat() async {
        guard let store = try? store.connected() else {
            isUnheard = true
            return
        }
        do {
            if isUnheard {
                guard await recorder.flush() else { return }
                try await store.forgetGaps(replica: id)
            }
            // Whoever brings nothing is as good as silent: what it knows is missing at every gate.
            guard recorder.isHandingOver else {
                isUnheard = true
                return
            }
            let asked = Date()
            let known = try await store.beat(await described())
            self.store.clock.learn(known, asked: asked)
            isUnheard = false
        } catch {
            isUnheard = true
        }
    }

    private func described() async -> Replica {
        let model = await keeper.model
        let states = await keeper.states
        let openBreakers = await server.openBreakers()
        let isMonolithFailing = await isMonolithFailing()
        var served: [String: Replica.ServedState] = [:]
        for definition in model.definitions {
            guard let state = states[definition.name], let slot = model.slots.slot(of: definition.name) else {
                continue
            }
            var own = await keeper.ownServed(of: definition.name, state)
            own.openBreakers = openBreakers.indices.contains(slot) ? openBreakers[slot] : 0
            own.isMonolithFailing = isMonolithFailing
            served[definition.name] = own
        }
        return Replica(
            id: id, host: host, process: process, version: Strangler.version, startedAt: startedAt,
            extractions: served, guardBackend: guardBackend)
    }

    private func isMonolithFailing() async -> Bool {
        await server.upstreams().contains { upstream in
            upstream.name == "monolith"
                && (upstream.openBreakers > 0
                    || (!upstream.endpoints.isEmpty && upstream.endpoints.allSatisfy { $0.health == .unhealthy }))
        }
    }

    /// - Returns: whether Postgres has all of them.
    private func recordLosses(_ lost: [LifeSign.Left]) async -> Bool {
        do {
            let store = try store.connected()
            let known = Dictionary(try await store.replicas().map { ($0.id, $0) }) { $1 }
            for process in lost {
                // Postgres says the process has handed over all it had, only its file could not be removed.
                if known[process.id]?.stoppedAt == nil {
                    let loss = ReplicaLoss.died(
                        process.id, startedAt: process.startedAt, heard: known[process.id]?.beatAt,
                        alive: process.aliveAt)
                    try await store.forgetGaps(replica: process.id)
                    try await store.record(loss)
                    try await store.signOff(id: process.id)
                    logger.warning("\(process.id): \(loss.reason)")
                }
                process.forget()
            }
            return true
        } catch {
            return false
        }
    }
}
