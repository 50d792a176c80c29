import DualWrite
import Extraction
import Foundation
import PostgresStore

/// A step of a walk: entities are taken, a few at once and at most so many a second, until its time is over. What is begun is
/// brought to its end, also when whoever asked has gone.
struct ReconcileStep: Sendable {
    let run: StoredReconcileRun
    let store: PostgresStore
    let stage: Stage
    let reading: EntityReading
    /// Nil: only looked at.
    let repair: EntityRepair?
    /// Entities a second.
    let rate: Int

    private static let lanes = 4
    private static let page = 50
    private static let length = Duration.milliseconds(1_500)

    /// - Returns: where the walk stands, and whether there is nothing left to look at.
    func take() async throws -> (walk: ReconcileWalk, isOver: Bool) {
        var walk = run.walk
        var waiting: ArraySlice<WalkedEntity> = []
        var (isExhausted, begun) = (false, 0)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: (Int, ReconcileWalk.Outcome).self) { group in
            var underWay = 0
            while true {
                let mayTake = ContinuousClock.now - start < Self.length || walk.isInDoubt
                if mayTake, !isExhausted, walk.halted == nil, underWay < Self.lanes {
                    if waiting.isEmpty { waiting = try await next(after: walk.end)[...] }
                    guard let entity = waiting.popFirst(), let number = walk.took(entity.place) else {
                        isExhausted = walk.halted == nil
                        continue
                    }
                    let due = start + .nanoseconds(Int64(begun) * 1_000_000_000 / Int64(max(1, rate)))
                    begun += 1
                    underWay += 1
                    group.addTask {
                        // A walk that is broken off here is begun again at this entity.
                        try await Task.sleep(until: due, clock: .continuous)
                        return (number, await look(entity))
                    }
                } else {
                    guard let (number, outcome) = try await group.next() else { break }
                    underWay -= 1
                    walk.looked(number, outcome)
                }
            }
        }
        if isExhausted { walk.ended() }
        return (walk, isExhausted && walk.halted == nil)
    }

    private func look(_ entity: WalkedEntity) async -> ReconcileWalk.Outcome {
        let look = await reading.look(entity)
        return await repair?.repair(entity, look) ?? look.outcome
    }

    /// The next page; empty at the end.
    private func next(after place: ReconcileWalk.Place) async throws -> [WalkedEntity] {
        var lastPair: (kind: String, monolith: String)?
        switch place {
        case .pair(let kind, let monolith): lastPair = (kind, monolith)
        case .start, .entity:
            var last: String?
            if case .entity(let path) = place { last = path }
            let entities = try await store.entities(
                extraction: run.extraction, from: run.from, to: run.to, after: last, limit: Self.page)
            if !entities.isEmpty { return entities.map(walked) }
        }
        // Pairs that name nothing to read are passed over: a confirmation is nowhere read by itself.
        while true {
            let pairs = try await store.orphanedPairs(
                extraction: run.extraction, from: run.from, to: run.to, after: lastPair, limit: Self.page)
            guard let last = pairs.last else { return [] }
            let entities = pairs.compactMap(walked)
            if !entities.isEmpty { return entities }
            lastPair = (last.kind, last.monolith)
        }
    }

    private func walked(_ entity: StoredEntity) -> WalkedEntity {
        WalkedEntity(
            place: .entity(entity.path), path: entity.path, side: entity.answeredBy,
            primary: primary(lastAnswered: entity.answeredBy), isDeleted: entity.isDeleted, open: entity.open,
            dead: entity.dead, uncertain: entity.uncertain)
    }

    private func walked(_ pair: IdentityPair) -> WalkedEntity? {
        let name = pair.kind.split(separator: ".").last.map(String.init) ?? pair.kind
        guard let path = reading.readable.path(of: EntityPath.Identity(name: name, value: pair.monolith)) else {
            return nil
        }
        return WalkedEntity(
            place: .pair(kind: pair.kind, monolith: pair.monolith), path: path, side: .monolith,
            primary: primary(lastAnswered: .monolith))
    }

    /// Who answers clients now.
    private func primary(lastAnswered: Side) -> Side {
        switch stage {
        case .fallback, .retired: .service
        case .cutover: lastAnswered
        default: .monolith
        }
    }
}
