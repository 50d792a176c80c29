/// Compares what two schemas allow, and says where they differ.
///
/// Values are compared kind by kind (null, boolean, number, …), so that `nullable`, `type: [string, null]` and `oneOf`
/// with null are one and the same. Each difference narrows or widens what is allowed; which of these breaks clients is
/// a matter of direction:
///
/// | | request | answer |
/// |---|---|---|
/// | narrowed: what was allowed is not any more | breaks | – |
/// | widened: what was not allowed is now | – | breaks |
/// | changed: both, or nobody can tell | breaks | breaks |
/// | a named property is gone | breaks: what clients send has no meaning | breaks: what they read is not there |
/// | a property is new where any was allowed | – | – |
///
/// The last two are where this goes beyond sets of values: to leave a name out widens an open object, yet clients lived
/// on it; to name a new one narrows it, yet nobody spoke of it before.
struct SchemaDiff {
    enum Effect: Sendable, Hashable {
        case narrowed, widened, changed, harmless

        func breaks(_ direction: Direction) -> Bool {
            switch self {
            case .narrowed: direction == .request
            case .widened: direction == .response
            case .changed: true
            case .harmless: false
            }
        }
    }

    enum Direction: Sendable {
        case request, response
    }

    struct Change: Sendable, Hashable {
        let path: String
        let effect: Effect
        let sentence: String
    }

    private struct Pair: Hashable {
        let old: [SchemaID]
        let new: [SchemaID]
    }

    /// Nested objects and arrays; deeper there are no differences that matter to anybody.
    private static let maximumDepth = 100

    var old: SchemaView
    var new: SchemaView
    var changes: [Change] = []
    /// Left for the whole of both documents: alternatives within alternatives can multiply.
    private var steps = 300_000
    /// Pairs that are being compared, and how deep.
    private var open: [Pair: Int] = [:]
    private var unchanged: Set<Pair> = []
    /// The outermost open pair that was met again since.
    private var outermost = Int.max
    private var saidTooMuch = false

    init(_ old: ContractDocument, _ new: ContractDocument) {
        self.old = SchemaView(old)
        self.new = SchemaView(new)
    }

    /// - Returns: every difference; of a pair within itself only those of the outer.
    mutating func compare(_ old: SchemaID, _ new: SchemaID) -> [Change] {
        changes = []
        saidTooMuch = false
        compare([old], [new], ContractText.root)
        return changes
    }

    mutating func report(_ effect: Effect, _ path: String, _ sentence: String) {
        changes.append(Change(path: path, effect: effect, sentence: sentence))
    }

    /// - Returns: false, with one change that says so, when there is too much to compare.
    mutating func spend(_ count: Int, _ path: String) -> Bool {
        steps -= count
        guard steps <= 0 else { return true }
        if !saidTooMuch { report(.changed, path, "is too entangled to be compared in full") }
        saidTooMuch = true
        return false
    }

    // MARK: - A pair

    /// - Parameters: schemas that hold at once.
    mutating func compare(_ oldIDs: [SchemaID], _ newIDs: [SchemaID], _ path: String) {
        let pair = Pair(old: Set(oldIDs).sorted(), new: Set(newIDs).sorted())
        guard !unchanged.contains(pair), spend(1, path) else { return }
        if let depth = open[pair] {
            outermost = min(outermost, depth)
            return
        }
        guard open.count < Self.maximumDepth else {
            outermost = 0
            return
        }
        let depth = open.count
        let before = changes.count
        let outer = outermost
        outermost = Int.max
        open[pair] = depth
        compareAlternatives(pair, path)
        open[pair] = nil
        // What rests on a pair that is still open is not known to be unchanged.
        if changes.count == before, outermost >= depth { unchanged.insert(pair) }
        outermost = min(outer, outermost >= depth ? Int.max : outermost)
    }

    private mutating func compareAlternatives(_ pair: Pair, _ path: String) {
        guard let oldAlternatives = old.alternatives(of: pair.old), let newAlternatives = new.alternatives(of: pair.new)
        else { return compareInOrder(pair, path) }
        guard spend(oldAlternatives.count + newAlternatives.count, path) else { return }
        let oldTypes = oldAlternatives.reduce(SchemaTypes()) { $0.union(old.types(of: $1)) }
        let newTypes = newAlternatives.reduce(SchemaTypes()) { $0.union(new.types(of: $1)) }
        compareTypes(oldTypes, newTypes, path)
        var isFirst = true
        for kind in SchemaTypes.kinds where !oldTypes.isDisjoint(with: kind) && !newTypes.isDisjoint(with: kind) {
            compareKind(
                kind, oldAlternatives.filter { !old.types(of: $0).isDisjoint(with: kind) },
                newAlternatives.filter { !new.types(of: $0).isDisjoint(with: kind) }, path, isFirst: isFirst)
            isFirst = false
        }
    }

    private mutating func compareTypes(_ oldTypes: SchemaTypes, _ newTypes: SchemaTypes, _ path: String) {
        guard oldTypes != newTypes else { return }
        let effect: Effect =
            newTypes.isSubset(of: oldTypes) ? .narrowed : newTypes.isSuperset(of: oldTypes) ? .widened : .changed
        report(effect, path, "the type is \(newTypes.text), it was \(oldTypes.text)")
    }

    /// What has too many alternatives: each with the one that stands in its place.
    private mutating func compareInOrder(_ pair: Pair, _ path: String) {
        let (oldParts, newParts) = (old.closure(pair.old).sorted(), new.closure(pair.new).sorted())
        let oldGroups = oldParts.flatMap { old.schemas[$0].alternatives }
        let newGroups = newParts.flatMap { new.schemas[$0].alternatives }
        guard oldGroups.map(\.count) == newGroups.map(\.count) else {
            return report(.changed, path, "has other alternatives, too many to be compared one by one")
        }
        for kind in SchemaTypes.kinds {
            compareParts(kind, .init(parts: oldParts), .init(parts: newParts), path, isFirst: kind == .null)
        }
        for (oldGroup, newGroup) in zip(oldGroups, newGroups) {
            for (oldID, newID) in zip(oldGroup, newGroup) { compare([oldID], [newID], path) }
        }
    }

    // MARK: - One kind of values

    private mutating func compareKind(
        _ kind: SchemaTypes, _ olds: [SchemaView.Alternative], _ news: [SchemaView.Alternative], _ path: String,
        isFirst: Bool
    ) {
        if compareValues(kind, olds, news, path) { return }
        if olds.count == 1, news.count == 1 {
            compareParts(kind, olds[0], news[0], path, isFirst: isFirst, isAlone: true)
        } else {
            match(kind, olds, news, path, isFirst: isFirst)
        }
    }

    /// Where one side lists its values, they are held against the other.
    /// - Returns: false if neither side does.
    private mutating func compareValues(
        _ kind: SchemaTypes, _ olds: [SchemaView.Alternative], _ news: [SchemaView.Alternative], _ path: String
    ) -> Bool {
        let oldValues = Self.values(kind, olds, old)
        let newValues = Self.values(kind, news, new)
        guard oldValues != nil || newValues != nil else { return false }
        guard spend((oldValues?.count ?? 0) + (newValues?.count ?? 0), path) else { return true }
        let gone = (oldValues ?? []).filter { value in !news.contains { new.fits(value, $0) } }
        let added = (newValues ?? []).filter { value in !olds.contains { old.fits(value, $0) } }
        if let newValues, oldValues == nil {
            report(
                added.isEmpty ? .narrowed : .changed, path,
                "is one of \(ContractText.list(newValues.map(\.text))) now, it was any \(kind.text)")
            return true
        }
        if let oldValues, newValues == nil {
            report(
                gone.isEmpty ? .widened : .changed, path,
                "may be others than \(ContractText.list(oldValues.map(\.text))) now")
            return true
        }
        if !gone.isEmpty { report(.narrowed, path, Self.sentence(gone, "gone")) }
        if !added.isEmpty { report(.widened, path, Self.sentence(added, "new")) }
        return true
    }

    private static func sentence(_ values: [ContractValue], _ what: String) -> String {
        let list = ContractText.list(values.map(\.text))
        return values.count == 1 ? "the value \(list) is \(what)" : "the values \(list) are \(what)"
    }

    /// All values of one kind, if every alternative lists them.
    private static func values(
        _ kind: SchemaTypes, _ alternatives: [SchemaView.Alternative], _ view: SchemaView
    ) -> [ContractValue]? {
        var all: [ContractValue] = []
        for alternative in alternatives {
            if let values = view.values(of: alternative) {
                all += values.filter { !kind.isDisjoint(with: $0.type) }
            } else if kind == .boolean {
                all += ContractValue.booleans
            } else if kind == .null {
                all.append(.null)
            } else {
                return nil
            }
        }
        return ContractValues(all).values
    }

    /// Pairs alternatives: those without any difference, then those of one name, then in order. Of what is left, only
    /// what no alternative of the other side takes is a difference.
    private mutating func match(
        _ kind: SchemaTypes, _ olds: [SchemaView.Alternative], _ news: [SchemaView.Alternative], _ path: String,
        isFirst: Bool
    ) {
        var (oldLeft, newLeft) = (olds, news)
        for oldOne in olds {
            let same = newLeft.firstIndex { probe(kind, oldOne, $0, path, isFirst).isEmpty }
            guard let same else { continue }
            newLeft.remove(at: same)
            oldLeft.removeAll { $0 == oldOne }
        }
        for oldOne in oldLeft {
            guard let name = old.name(oldOne), let index = newLeft.firstIndex(where: { new.name($0) == name }) else {
                continue
            }
            compareParts(kind, oldOne, newLeft[index], path + "(\(name))", isFirst: isFirst)
            newLeft.remove(at: index)
            oldLeft.removeAll { $0 == oldOne }
        }
        let goneAlternatives = oldLeft.filter { oldOne in
            !news.contains { probe(kind, oldOne, $0, path, isFirst).isDisjoint(with: [.narrowed, .changed]) }
        }
        let newAlternatives = newLeft.filter { newOne in
            !olds.contains { probe(kind, $0, newOne, path, isFirst).isDisjoint(with: [.widened, .changed]) }
        }
        for (oldOne, newOne) in zip(goneAlternatives, newAlternatives) {
            compareParts(kind, oldOne, newOne, path, isFirst: isFirst)
        }
        for one in goneAlternatives.dropFirst(newAlternatives.count) {
            report(.narrowed, path, "the alternative \(old.name(one) ?? kind.text) is gone")
        }
        for one in newAlternatives.dropFirst(goneAlternatives.count) {
            report(.widened, path, "the alternative \(new.name(one) ?? kind.text) is new")
        }
    }

    /// The effects of all differences between two alternatives, of which nothing is said.
    private mutating func probe(
        _ kind: SchemaTypes, _ oldOne: SchemaView.Alternative, _ newOne: SchemaView.Alternative, _ path: String,
        _ isFirst: Bool
    ) -> Set<Effect> {
        let before = changes.count
        compareParts(kind, oldOne, newOne, path, isFirst: isFirst)
        let effects = Set(changes[before...].map(\.effect))
        // That there was too much has to stay said.
        if !saidTooMuch { changes.removeSubrange(before...) }
        return effects
    }
}

extension ContractValue {
    static let null = ContractValue(ContractNode(.null, at: ContractPlace(line: 1, column: 1)))
    static let booleans = [true, false].map {
        ContractValue(ContractNode(.boolean($0), at: ContractPlace(line: 1, column: 1)))
    }
}
