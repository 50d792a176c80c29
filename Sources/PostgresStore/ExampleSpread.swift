import Foundation

/// Which examples of one group are kept: a few at once, then one per hour, and when there are enough, those that lie
/// furthest apart between the first and the last.
struct ExampleSpread {
    /// Taken whatever their distance, so that a new group can be understood at once.
    static let atOnce = 3
    /// Between further ones, in seconds.
    static let distance: TimeInterval = 3600

    enum Place: Equatable {
        /// In the table, by its id.
        case stored(Int64)
        /// In the batch, by its position.
        case new(Int)
    }

    private var kept: [(at: Date, place: Place)]
    private let limit: Int
    /// Ids of stored examples that made room.
    private(set) var replaced: [Int64] = []

    init(stored: [(at: Date, id: Int64)], limit: Int) {
        kept = stored.map { ($0.at, .stored($0.id)) }
        kept.sort { $0.at < $1.at }
        self.limit = limit
    }

    /// Positions in the batch of those that are to be stored.
    var added: [Int] {
        kept.compactMap { if case .new(let position) = $0.place { position } else { nil } }
    }

    mutating func offer(at: Date, position: Int) {
        guard limit > 0 else { return }
        let isDistant = kept.allSatisfy { abs($0.at.timeIntervalSince(at)) >= Self.distance }
        guard kept.count < min(Self.atOnce, limit) || isDistant else { return }
        if kept.count >= limit {
            // An earlier one would only fill a gap that somebody chose to make.
            guard let last = kept.last, at > last.at, let crowded = mostCrowded(beforeNew: at) else { return }
            if case .stored(let id) = kept.remove(at: crowded).place { replaced.append(id) }
        }
        kept.insert((at, .new(position)), at: kept.firstIndex { $0.at > at } ?? kept.endIndex)
    }

    /// Never the first; the last is no longer the last once a new one has come.
    private func mostCrowded(beforeNew at: Date) -> Int? {
        let gap = { (index: Int) -> TimeInterval in
            let next = index + 1 < kept.count ? kept[index + 1].at : at
            return next.timeIntervalSince(kept[index - 1].at)
        }
        return kept.indices.dropFirst().min { gap($0) < gap($1) }
    }
}
