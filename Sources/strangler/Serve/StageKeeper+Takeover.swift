import Extraction
import Foundation
import Logging

/// Lanes while one process takes over from another. For a moment both serve: the old one those whom it has accepted, the new
/// one all others; and each has writes that only it knows to be owed. A lane that changed sides then would not wait for the
/// other process's. So none does: in both, lanes keep the sides of the moment in which the old one let go, until it has ended,
/// and what it has left is owed by the new one. Those that waited then wait for as long, in both. And in neither the monolith
/// stands in for a write, which the other would not hear of. `--now` does not wait for that, either.
///
/// A third process that comes while the first still drains gets what the second had been given: the earliest sides hold.
extension StageKeeper {
    /// This process accepts nobody any more; another one does, and keeps the stages.
    func handOver() async {
        let held = sides ?? states
        sides = held
        hasSuccessor = true
        saveStates()
        // Before the look at what is owed: afterwards no write changes its side.
        await publish()
        var owed = handedCells
        for (name, board) in zip(model.slots.names, model.boards) {
            let cells = HandedLanes.Cells(monolith: board.keepOwed(.monolith), service: board.keepOwed(.service))
            owed[name] = cells.monolith.isEmpty && cells.service.isEmpty ? nil : cells
        }
        cache.lanes.save(
            HandedLanes(
                process: ProcessInfo.processInfo.processIdentifier, sides: held.values.sorted { $0.name < $1.name },
                owed: owed))
    }

    /// Another process on the same data has not ended. Before the first client is accepted.
    /// - Parameter old: the one that has let go just now, and has left its states in the cache; nil: one that drains, whoever
    ///   it is.
    func holdSides(after old: Int32? = nil) async {
        if old != nil { await adopt(Array(cache.load().values)) }
        var handed = cache.lanes.load()
        if let old, handed?.process != old {
            // Of another takeover.
            handed = nil
            logger.warning(
                "process \(old) has not said which lanes wait: until it has ended, all keep the sides of their stages")
        }
        let sidesBefore = Dictionary((handed?.sides ?? []).map { ($0.name, $0) }) { first, _ in first }
        sides = states.merging(sidesBefore) { _, before in before }
        handedCells = handed?.owed ?? [:]
        oweHandedCells(from: 0)
        await publish()
    }

    /// It has, and what it has left is known.
    func letLanesTurn() async {
        // Then it is the successor's to say.
        guard !hasSuccessor else { return }
        sides = nil
        for (name, board) in zip(model.slots.names, model.boards) {
            guard let cells = handedCells[name] else { continue }
            board.paid(.monolith, cells: cells.monolith)
            board.paid(.service, cells: cells.service)
        }
        handedCells = [:]
        cache.lanes.remove()
        await publish()
    }

    /// - Parameter slot: the first one; an extraction may be configured while lanes are held.
    func oweHandedCells(from slot: Int) {
        for (name, board) in zip(model.slots.names, model.boards).dropFirst(slot) {
            guard let cells = handedCells[name] else { continue }
            board.owe(.monolith, cells: cells.monolith)
            board.owe(.service, cells: cells.service)
        }
    }
}
