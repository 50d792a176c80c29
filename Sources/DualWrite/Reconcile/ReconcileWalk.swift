/// A walk over what was written in a period, looked at by several at once, that can be broken off at any moment and goes on
/// from where it is written down: entities are counted in the order in which they were taken, so that `place` says of all
/// before it that they are counted, and of none after it.
///
/// Sides that do not answer are no property of an entity. The first few are kept back: if others are read after them, they
/// count as unreadable; if none is, the walk is halted before the first of them.
package struct ReconcileWalk: Sendable, Equatable {
    /// Where to go on, after it. Entities that writes name come first, then identity pairs whose write is not known any more.
    package enum Place: Sendable, Equatable {
        case start
        case entity(String)
        case pair(kind: String, monolith: String)
    }

    package enum Outcome: Sendable, Equatable {
        case looked(ReconcileFinding)
        /// Somebody did not answer.
        case unreachable(ReconcileFinding)
    }

    /// Sides that do not answer for so many entities in a row are not there.
    package static let patience = 8
    /// Findings other than `same` that are kept with the run.
    package static let findingLimit = 200
    static let differenceLimit = 8

    package private(set) var place: Place
    package private(set) var counts: ReconcileCounts
    package private(set) var found: [ReconcileFinding]
    /// Why nothing more is taken.
    package private(set) var halted: String?

    private struct Taken: Equatable {
        var place: Place
        var outcome: Outcome?
    }

    /// From the first that is not counted on.
    private var taken: [Taken] = []
    /// The number of the first of them.
    private var base = 0

    package init(
        at place: Place = .start, counts: ReconcileCounts = ReconcileCounts(), found: [ReconcileFinding] = []
    ) {
        self.place = place
        self.counts = counts
        self.found = found
    }

    /// Where the next page begins.
    package var end: Place { taken.last?.place ?? place }

    /// All that was taken is counted: `place` may be written down, and nothing is done again.
    package var isSettled: Bool { taken.isEmpty }

    /// Sides did not answer lately: more is to be looked at before one knows whether they are there.
    package var isInDoubt: Bool {
        if case .unreachable = taken.first?.outcome { true } else { false }
    }

    /// An entity is about to be looked at.
    /// - Returns: its number; nil if the walk is halted.
    package mutating func took(_ place: Place) -> Int? {
        guard halted == nil else { return nil }
        taken.append(Taken(place: place))
        return base + taken.count - 1
    }

    /// An entity was looked at. A number that is not under way changes nothing.
    package mutating func looked(_ number: Int, _ outcome: Outcome) {
        guard taken.indices.contains(number - base), taken[number - base].outcome == nil else { return }
        taken[number - base].outcome = outcome
        settle(atEnd: false)
    }

    /// Nothing is left to take. What nobody answered for is counted.
    package mutating func ended() { settle(atEnd: true) }

    private mutating func settle(atEnd: Bool) {
        guard halted == nil else { return }
        while let finished = lengthOfNext(atEnd: atEnd) {
            for entry in taken.prefix(finished) { count(entry) }
            taken.removeFirst(finished)
            base += finished
        }
        let silent = taken.prefix { if case .unreachable = $0.outcome { true } else { false } }
        guard !atEnd, silent.count >= Self.patience, case .unreachable(let finding) = silent.first?.outcome else {
            return
        }
        halted = finding.reason ?? "a side does not answer"
        taken = []
    }

    /// How many may be counted next: up to the first that was read.
    private func lengthOfNext(atEnd: Bool) -> Int? {
        for (index, entry) in taken.enumerated() {
            switch entry.outcome {
            case nil: return nil
            case .looked: return index + 1
            case .unreachable: if index + 1 >= Self.patience { return nil }
            }
        }
        return atEnd && !taken.isEmpty ? taken.count : nil
    }

    private mutating func count(_ entry: Taken) {
        let finding: ReconcileFinding
        switch entry.outcome {
        case nil: return
        case .looked(let looked): finding = looked
        case .unreachable(let unread): finding = unread
        }
        place = entry.place
        counts.add(finding.result)
        guard finding.result != .same, found.count < Self.findingLimit else { return }
        var kept = finding
        kept.differences = Array(kept.differences.prefix(Self.differenceLimit))
        found.append(kept)
    }
}

extension ReconcileWalk.Place {
    /// As it is stored: `entity /api/v1/orders/1`, `pair 9 $.orderId17`, with the kind's length in bytes. Nil for the start.
    package var text: String? {
        switch self {
        case .start: nil
        case .entity(let path): "entity " + path
        case .pair(let kind, let monolith): "pair \(kind.utf8.count) \(kind)\(monolith)"
        }
    }

    /// Nil for what nobody has written like that.
    package init?(text: String?) {
        guard let text else {
            self = .start
            return
        }
        if text.hasPrefix("entity ") {
            self = .entity(String(text.dropFirst(7)))
            return
        }
        guard text.hasPrefix("pair ") else { return nil }
        let rest = text.dropFirst(5)
        guard let blank = rest.firstIndex(of: " "), let length = Int(rest[..<blank]) else { return nil }
        let names = rest[blank...].dropFirst()
        guard length >= 0, length <= names.utf8.count,
            let kind = String(names.utf8.prefix(length)), let monolith = String(names.utf8.dropFirst(length))
        else { return nil }
        self = .pair(kind: kind, monolith: monolith)
    }
}
