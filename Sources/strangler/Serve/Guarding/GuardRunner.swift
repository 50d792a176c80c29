import Extraction
import Foundation
import Logging
import PostgresStore

/// Lets the guard look at every extraction that is being cut over, and carries out what it finds: the next step of a ramp,
/// the beginning of the fallback window, or the way back.
///
/// One process at a time does it for all, the one that holds an advisory lock of Postgres; the others try for it each
/// second. It judges by what is in Postgres, where each replica brings what it has counted once a second: what is seen is
/// never older than that, but for replicas that are silent, and while one is, no weight rises. Decisions are `Guard`'s and
/// `Ramp`'s. With Postgres away nothing can be read, and nothing moves.
actor GuardRunner {
    private let replica: String
    private let stages: any GuardedStages
    private let connected: @Sendable () throws -> any GuardStore
    private let now: @Sendable () -> Date
    private let logger: Logger
    /// Of `leased`, held or not.
    private var lease: (any GuardLease)?
    private var leased: (any GuardStore)?
    private(set) var isHolder = false
    private var nextLooks: [String: Date] = [:]
    /// What was found last, while this process looks.
    private var reports: [String: GuardReport] = [:]
    /// Breaches that this process has acted on, by extraction.
    private(set) var breaches: [String: Int] = [:]
    private var steps = StepSpans()
    private var nextTidying = Date.distantPast
    private var lost: Set<String> = []
    /// One after the other.
    private var failedLooks = 0

    /// How often the lock is tried for, and the longest time between two looks at what is due.
    static let turnInterval = Duration.seconds(1)
    /// Longer than this between the look and the move, and another look is due before anything rises.
    static let longestLook = Duration.seconds(5)
    /// Seconds for which people are shown a replica that is gone.
    private static let memory = 86_400.0
    /// Looks in one turn, where others have changed the extraction in between.
    private static let maximumLooks = 3
    private static let failedLooksToYield = 3

    init(
        replica: String, stages: any GuardedStages, connected: @escaping @Sendable () throws -> any GuardStore,
        logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.replica = replica
        self.stages = stages
        self.connected = connected
        self.logger = logger
        self.now = now
    }

    /// Until the task is cancelled; the lock is free then.
    func run() async {
        while !Task.isCancelled {
            let wait = await turn()
            guard (try? await Task.sleep(for: wait)) != nil else { break }
        }
        await lease?.release()
        isHolder = false
    }

    /// One go at what is due.
    /// - Returns: how long until the next.
    func turn() async -> Duration {
        guard let store = try? connected(), await holdsLease(store) else { return Self.turnInterval }
        await tidy(store)
        let definitions = await stages.definitions
        var next = now().addingTimeInterval(Self.turnInterval.inSeconds)
        for definition in definitions {
            let interval = definition.guardLimits.interval.inSeconds
            // A clock that was set back must not put the next look off.
            if let due = nextLooks[definition.name], due > now(), due <= now().addingTimeInterval(interval) {
                next = min(next, due)
                continue
            }
            // From the beginning of the look: a breach is acted on within two intervals.
            nextLooks[definition.name] = now().addingTimeInterval(interval)
            next = min(next, now().addingTimeInterval(interval))
            await look(at: definition, store)
        }
        return max(.milliseconds(20), .seconds(next.timeIntervalSince(now())))
    }

    // MARK: The lock

    private func holdsLease(_ store: any GuardStore) async -> Bool {
        let lease = await lease(of: store)
        if isHolder {
            if await lease.isHeld() { return true }
            logger.warning("the guard's lock is lost, another proxy may judge from now on")
            isHolder = false
            reports = [:]
            await stages.holdsGuard(backend: nil)
        }
        guard let isTaken = try? await lease.tryAcquire() else { return false }
        guard isTaken else {
            await endSilentHolder(store, lease)
            return false
        }
        isHolder = true
        nextLooks = [:]
        // Told at once: should this process hang from now on, the others have to find it by this.
        await stages.holdsGuard(backend: await lease.backend)
        logger.notice("this proxy judges for all replicas from now on, as \(replica)")
        return true
    }

    /// Postgres may have moved, as a private one does when another process takes it over.
    private func lease(of store: any GuardStore) async -> any GuardLease {
        if let lease, leased === store { return lease }
        await lease?.release()
        let made = store.lease()
        lease = made
        leased = store
        return made
    }

    /// Whoever holds the lock and does nothing, a stopped process or a machine that is gone, loses it.
    private func endSilentHolder(_ store: any GuardStore, _ lease: any GuardLease) async {
        guard let replicas = try? await store.replicas() else { return }
        for silent in replicas where silent.id != replica && !silent.isBeating {
            guard let backend = silent.guardBackend, (try? await lease.terminate(backend: backend)) == true else {
                continue
            }
            logger.warning("the guard's lock is taken from \(silent.id), which was silent for more than 3 s")
        }
    }

    // MARK: Looking

    private func look(at definition: ExtractionDefinition, _ store: any GuardStore) async {
        for _ in 0..<Self.maximumLooks {
            do {
                guard let state = try await present(definition.name, store), Ramp.isGuarded(state) else {
                    reports[definition.name] = nil
                    return
                }
                if try await judge(definition, state, store) {
                    failedLooks = 0
                    return
                }
            } catch {
                await lookFailed(at: definition.name, error)
                return
            }
        }
    }

    /// Nothing moves on what cannot be read. Another process may read more.
    private func lookFailed(at name: String, _ error: any Error) async {
        reports[name] = nil
        failedLooks += 1
        if failedLooks == 1 { logger.error("the guard cannot look at \(name): \(error)") }
        guard failedLooks >= Self.failedLooksToYield else { return }
        failedLooks = 0
        logger.error("the guard could not look \(Self.failedLooksToYield) times, another proxy may judge from now on")
        await lease?.release()
        isHolder = false
        await stages.holdsGuard(backend: nil)
    }

    /// As Postgres knows it; or this proxy, where Postgres was restored from a backup.
    private func present(_ name: String, _ store: any GuardStore) async throws -> ExtractionState? {
        await stages.adopt(try await store.load())
        return await stages.state(of: name)
    }

    /// - Returns: whether nothing is left to do; false when somebody else has changed the extraction in between.
    private func judge(
        _ definition: ExtractionDefinition, _ state: ExtractionState, _ store: any GuardStore
    ) async throws -> Bool {
        let began = ContinuousClock.now
        let kept = steps.span(for: state, now: now())
        var (findings, move) = try await find(definition, state, store, step: kept)
        if kept != nil, !move.isStay {
            // What moves moves on all that is known now.
            (findings, move) = try await find(definition, state, store, step: nil)
        }
        reports[definition.name] = GuardReport(definition, state, findings, move, holder: replica)
        let actor = if case .rollBack = move { "guard" } else { "ramp" }
        guard
            let transition = ExtractionMachine.carryOut(
                move, state: state, definition: definition, evidence: StageEvidence(findings: findings), actor: actor,
                now: now())
        else { return true }
        var evidence = await stages.recordedEvidence(for: definition, in: state)
        evidence.findings = findings
        // This process may have been stopped meanwhile. Back is always right; up only on what is still so.
        if actor == "ramp" {
            guard ContinuousClock.now - began < Self.longestLook, await lease?.isHeld() == true else { return false }
        }
        do {
            _ = try await stages.apply(
                transition, actor: actor, reason: move.reason(state, findings), evidence: evidence, at: now())
            if actor == "guard" { breaches[definition.name, default: 0] += 1 }
            return true
        } catch is StageConflict {
            return false
        }
    }

    private func find(
        _ definition: ExtractionDefinition, _ state: ExtractionState, _ store: any GuardStore,
        step: GuardEvidence.Span?
    ) async throws -> (GuardFindings, RampMove) {
        let isFlushed = await stages.flush()
        let now = now()
        var evidence = try await store.guardEvidence(
            for: definition, in: state, step: step, except: replica, now: now)
        if step == nil { steps.keep(evidence.step, of: state, now: now) }
        if !isFlushed { evidence.silentReplicas.append(replica) }
        let findings = Guard.judge(evidence, limits: definition.guardLimits, now: now)
        return (findings, Ramp.next(state: state, definition: definition, findings: findings, now: now))
    }

    // MARK: Replicas that are gone

    /// What a replica had counted and not handed over is missing once nobody can expect it back.
    private func tidy(_ store: any GuardStore) async {
        let now = now()
        guard now >= nextTidying || nextTidying > now.addingTimeInterval(10) else { return }
        nextTidying = now.addingTimeInterval(10)
        do {
            let gone = try await store.replicas().filter(\.isGivenUp)
            // One that came back may be lost again.
            lost.formIntersection(gone.map(\.id))
            for replica in gone {
                let gap = ReplicaLoss.unheard(replica, now: now)
                try await store.record(gap)
                if lost.insert(replica.id).inserted { logger.warning("\(replica.id): \(gap.reason)") }
            }
            _ = try await store.forgetReplicas(olderThan: Self.memory)
        } catch {
            // The next time.
        }
    }

    // MARK: Telling

    /// What the guard finds and the ramp waits for; nil at stages that nothing guards, and while it cannot be known.
    ///
    /// The process that judges tells what it found last. The others look by themselves, at the same evidence and with the
    /// same functions.
    func report(of name: String) async -> GuardReport? {
        guard let definition = await stages.definitions.first(where: { $0.name == name }),
            let state = await stages.state(of: name), Ramp.isGuarded(state), let store = try? connected()
        else { return nil }
        if isHolder, let known = reports[name], known.version == state.version,
            now().timeIntervalSince(known.findings.judgedAt) <= definition.guardLimits.interval.inSeconds + 1
        {
            return known
        }
        guard
            let evidence = try? await store.guardEvidence(
                for: definition, in: state, step: nil, except: replica, now: now()),
            let replicas = try? await store.replicas()
        else { return nil }
        let findings = Guard.judge(evidence, limits: definition.guardLimits, now: now())
        let move = Ramp.next(state: state, definition: definition, findings: findings, now: now())
        let holder = isHolder ? replica : replicas.first { $0.guardBackend != nil && $0.isBeating }?.id
        return GuardReport(definition, state, findings, move, holder: holder)
    }
}

extension RampMove {
    fileprivate var isStay: Bool { if case .stay = self { true } else { false } }

    /// For history.
    fileprivate func reason(_ state: ExtractionState, _ findings: GuardFindings) -> String {
        let service = findings.service
        let held = "\(state.weights) has held: the service answered \(service.requests), failed on \(service.errors)"
        return switch self {
        case .stay: ""
        case .raise: state.weights == .none ? "the ramp begins" : held
        case .enterFallback: held
        case .rollBack(let breaches): breaches.joined(separator: "; ")
        }
    }
}
