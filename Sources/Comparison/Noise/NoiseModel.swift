internal import Extraction
/// What is to be made of a field that differs between primary and shadow.
package enum FieldJudgement: Sendable, Equatable {
    case reported
    /// The primary differs from itself there as often, as far as can be told.
    case noise
    /// Too little is known of the primary to tell.
    case unknown
}

/// Where one primary disagrees with itself at one endpoint, as far as is known.
package struct NoiseBaseline: Sendable {
    /// Twins, that is answers of the primary to the same request asked twice, from which on its disagreement is known.
    package static let matureTwins = 10
    /// Of a field that is as noisy as its baseline, one look in a million may be a false report: two looks share it, at
    /// all that is remembered and at what came last. Every pair that differs is looked at again, and one false report is
    /// a false group: with one in a hundred, most noisy fields have one after a million pairs; with this, one in a
    /// hundred fields or fewer, 99 % confidence.
    static let error = 1e-6

    let tally: NoiseTally
    let recent: RecentPairs

    package init() { self.init(tally: NoiseTally(), recent: RecentPairs()) }

    init(tally: NoiseTally, recent: RecentPairs) {
        self.tally = tally
        self.recent = recent
    }

    package var isMature: Bool { tally.compared.twins >= NoiseBaseline.matureTwins }

    /// A field at which twins were never seen to differ is reported, whatever differs. One at which they were is reported
    /// when it differs between primary and shadow more often than between twins, each kind of difference by itself: a
    /// string in the place of a random number is a difference of type, which no twin has shown.
    ///
    /// While little is known, only that a value, an order or a length differs may be noise. (A primary whose noise has
    /// just risen is reported until its twins have shown it.)
    package func judge(_ field: GroupedDifference) -> FieldJudgement {
        let twins = Share(twinsDiffering(at: field), of: tally.compared.twins)
        guard twins.hits > 0 else { return isMature || !field.kind.mayBeChance ? .reported : .unknown }
        let all = Share(tally.differing[field]?.pairs ?? 0, of: tally.compared.pairs)
        let last = Share(recent.differing[field] ?? 0, of: recent.compared)
        let exceeds = [all, last].contains { ProportionTest.exceeds($0, twins, error: NoiseBaseline.error / 2) }
        return exceeds ? .reported : .noise
    }

    /// Which of two twins came first means nothing: a field that only one of them has is as often missing as extra, so
    /// each gets half of both, rounded up.
    private func twinsDiffering(at field: GroupedDifference) -> Int {
        func twins(_ kind: DifferenceKind) -> Int {
            tally.differing[GroupedDifference(path: field.path, kind: kind)]?.twins ?? 0
        }
        switch field.kind {
        case .missing, .extra: return (twins(.missing) + twins(.extra) + 1) / 2
        case .type, .value, .order, .length, .format: return twins(field.kind)
        }
    }
}

extension DifferenceKind {
    /// Whether two runs of one program commonly differ so.
    package var mayBeChance: Bool {
        switch self {
        case .value, .order, .length: true
        case .missing, .extra, .type, .format: false
        }
    }
}

/// The last pairs of one scope, the older ones fading: a fault shows here while it would be lost in a week's sum.
struct RecentPairs: Sendable {
    /// Between half of it and all of it is remembered.
    static let maximumPairs = 1_000

    private(set) var compared = 0
    private(set) var differing: [GroupedDifference: Int] = [:]

    mutating func add(_ delta: NoiseTally) {
        compared += delta.compared.pairs
        for (field, count) in delta.differing where count.pairs > 0 { differing[field, default: 0] += count.pairs }
        while compared > RecentPairs.maximumPairs {
            compared /= 2
            differing = differing.compactMapValues { $0 > 1 ? $0 / 2 : nil }
        }
        // What is dropped is the rarest, which no test would find to exceed anything.
        if differing.count > NoiseTally.maximumFields {
            differing = Dictionary(
                uniqueKeysWithValues: differing.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    .prefix(NoiseTally.maximumFields / 2).map { ($0.key, $0.value) })
        }
    }
}

extension NoiseTally {
    /// Fields of one scope that are counted by name: answers whose names are made up anew each time must not take all
    /// memory, or the places of those that come again. When there are more, those that twins have not shown go to
    /// ``otherFields``, the rarest first; when twins have shown so many, the less frequent half of all does.
    package static let maximumFields = 200
    /// Where fields beyond the limit are counted.
    package static let otherFields = GroupedDifference(path: "(many)", kind: .value)

    mutating func limitFields() {
        guard differing.count > NoiseTally.maximumFields else { return }
        var others = differing.removeValue(forKey: NoiseTally.otherFields) ?? NoiseCount()
        let ranked = differing.sorted { left, right in
            (right.value.twins, right.value.pairs, left.key) < (left.value.twins, left.value.pairs, right.key)
        }
        let shownByTwins = ranked.prefix { $0.value.twins > 0 }.count
        let kept =
            shownByTwins >= NoiseTally.maximumFields ? NoiseTally.maximumFields / 2 : NoiseTally.maximumFields - 1
        for (field, count) in ranked.dropFirst(kept) {
            others.merge(count)
            differing[field] = nil
        }
        differing[NoiseTally.otherFields] = others
    }

    /// Keeps the shares and lets go of half of what they rest on, so that what comes weighs more than what was long ago.
    /// What twins have shown once stays known.
    fileprivate mutating func halve() {
        let half = { (count: NoiseCount) in NoiseCount(twins: (count.twins + 1) / 2, pairs: count.pairs / 2) }
        compared = half(compared)
        differing = differing.mapValues(half).filter { $0.value != NoiseCount() }
    }
}

/// What is known of every primary's disagreement with itself. Bounded: scopes beyond the limit have no baseline.
package struct NoiseModel: Sendable {
    /// A scope is halved when it passes so many pairs, or twins.
    static let maximumCompared = 100_000
    package static let maximumScopes = 2_000

    private struct Scope {
        var tally = NoiseTally()
        var recent = RecentPairs()
    }

    private var scopes: [NoiseScope: Scope] = [:]
    /// Comparisons that were learned nothing from, because their scope found no place.
    package private(set) var comparedWithoutScope = 0

    package init() {}

    package func baseline(of scope: NoiseScope) -> NoiseBaseline {
        scopes[scope].map { NoiseBaseline(tally: $0.tally, recent: $0.recent) } ?? NoiseBaseline()
    }

    /// Fields that twins have not shown, and that have no place: they would teach nothing until twins show them, and only
    /// so many are kept for that day, first come. All of them where the scope itself has no place.
    package func unplaced(_ news: [GroupedDifference: NoiseCount], in scope: NoiseScope) -> [GroupedDifference] {
        guard scopes[scope] != nil || scopes.count < NoiseModel.maximumScopes else { return Array(news.keys) }
        let known = scopes[scope]?.tally.differing ?? [:]
        var places = NoiseTally.maximumFields - known.count
        for (field, count) in news where count.twins > 0 && known[field] == nil { places -= 1 }
        return news.filter { field, count in
            guard count.twins == 0, known[field] == nil else { return false }
            places -= 1
            return places < 0
        }.map(\.key)
    }

    /// - Parameter news: what has been seen since the last time.
    package mutating func learn(_ news: [NoiseScope: NoiseTally]) {
        for (scope, tally) in news {
            add(tally, to: scope)
            scopes[scope]?.recent.add(tally)
        }
    }

    /// Starts anew from what the store knows; what came last stays beside it.
    /// - Parameter unstored: what has been learned here, and the store does not know yet.
    package mutating func restart(from stored: [NoiseScope: NoiseTally], unstored: [NoiseScope: NoiseTally]) {
        scopes = scopes.filter { stored[$0.key] != nil || unstored[$0.key] != nil }
        for scope in scopes.keys { scopes[scope]?.tally = NoiseTally() }
        for (scope, tally) in stored { add(tally, to: scope) }
        for (scope, tally) in unstored { add(tally, to: scope) }
    }

    private mutating func add(_ tally: NoiseTally, to scope: NoiseScope) {
        guard scopes[scope] != nil || scopes.count < NoiseModel.maximumScopes else {
            comparedWithoutScope += tally.compared.pairs + tally.compared.twins
            return
        }
        // In place, or the dictionaries inside would be copied each time.
        scopes[scope, default: Scope()].tally.merge(tally)
        while let known = scopes[scope]?.tally.compared,
            known.pairs > NoiseModel.maximumCompared || known.twins > NoiseModel.maximumCompared
        {
            scopes[scope]?.tally.halve()
        }
    }
}
