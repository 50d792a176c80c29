internal import Extraction

/// The pairs that a process has at hand, found by either name. Bounded: pairs that are filed can be asked for again, so the one
/// that was used least recently gives way first; pairs that are not filed yet stay, up to a bound of their own.
///
/// Every call costs constant time. Of two pairs that contradict each other the first one stays.
package struct IdentityTable: Sendable {
    package enum Learned: Sendable, Equatable {
        case new
        case known
        /// By one of its names another thing is known.
        case conflict(with: IdentityPair)
    }

    private struct Name: Hashable {
        let scope: Int32
        let side: Side
        let value: String
    }

    private struct Entry {
        var scope: Int32
        var pair: IdentityPair
        var isFiled: Bool
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    /// A list through the entries, from the one used least recently to the one used last.
    private struct Order {
        var oldest: Int32 = -1
        var newest: Int32 = -1
        var count = 0
    }

    private struct Scope: Hashable {
        let extraction: String
        let kind: String
    }

    /// Pairs that are kept if all are filed, and those that are not filed that are kept beside them.
    private let limit: Int
    private let unfiledLimit: Int
    private var scopes: [Scope: Int32] = [:]
    private var indices: [Name: Int32] = [:]
    private var entries: [Entry] = []
    private var free: [Int32] = []
    private var filed = Order()
    private var unfiled = Order()
    /// Pairs that gave way, and of those the ones that nobody had filed.
    package private(set) var evicted = 0
    package private(set) var lost = 0

    package init(limit: Int, unfiledLimit: Int) {
        self.limit = max(1, limit)
        self.unfiledLimit = max(1, unfiledLimit)
    }

    package var count: Int { filed.count + unfiled.count }
    package var unfiledCount: Int { unfiled.count }

    /// Finds the pair, which thereby was used last.
    package mutating func pair(of question: IdentityQuestion) -> IdentityPair? {
        guard let scope = scopes[Scope(extraction: question.extraction, kind: question.kind)],
            let index = indices[Name(scope: scope, side: question.side, value: question.value)]
        else { return nil }
        unlink(index)
        link(index)
        return entries[Int(index)].pair
    }

    /// - Parameter isFiled: it can be asked for again.
    package mutating func insert(_ pair: IdentityPair, extraction: String, isFiled: Bool) -> Learned {
        let scope = scope(extraction, pair.kind)
        let monolith = Name(scope: scope, side: .monolith, value: pair.monolith)
        let service = Name(scope: scope, side: .service, value: pair.service)
        switch (indices[monolith], indices[service]) {
        case (nil, nil):
            let index = newEntry(Entry(scope: scope, pair: pair, isFiled: isFiled))
            indices[monolith] = index
            indices[service] = index
            link(index)
            makeRoom()
            return .new
        case (.some(let index), .some(let other)) where index == other:
            unlink(index)
            entries[Int(index)].isFiled = entries[Int(index)].isFiled || isFiled
            entries[Int(index)].pair.spelling.formUnion(pair.spelling)
            link(index)
            return .known
        case (.some(let index), _), (nil, .some(let index)):
            return .conflict(with: entries[Int(index)].pair)
        }
    }

    /// Puts a pair in the place of those that contradict it: somebody else had filed it first.
    package mutating func replace(with pair: IdentityPair, extraction: String) {
        let scope = scope(extraction, pair.kind)
        for (side, value) in [(Side.monolith, pair.monolith), (.service, pair.service)] {
            guard let index = indices[Name(scope: scope, side: side, value: value)],
                !entries[Int(index)].pair.names(sameAs: pair)
            else { continue }
            remove(index)
        }
        _ = insert(pair, extraction: extraction, isFiled: true)
    }

    /// The pairs can be asked for again from now on.
    package mutating func filed(_ pairs: [IdentityPair], extraction: String) {
        for pair in pairs {
            guard let scope = scopes[Scope(extraction: extraction, kind: pair.kind)],
                let index = indices[Name(scope: scope, side: .monolith, value: pair.monolith)],
                entries[Int(index)].pair.service == pair.service, !entries[Int(index)].isFiled
            else { continue }
            unlink(index)
            entries[Int(index)].isFiled = true
            link(index)
        }
        makeRoom()
    }

    private mutating func makeRoom() {
        while filed.count > 0, count > limit { giveUp(filed.oldest) }
        while unfiled.count > unfiledLimit {
            lost += 1
            giveUp(unfiled.oldest)
        }
    }

    private mutating func giveUp(_ index: Int32) {
        evicted += 1
        remove(index)
    }

    private mutating func scope(_ extraction: String, _ kind: String) -> Int32 {
        let key = Scope(extraction: extraction, kind: kind)
        if let scope = scopes[key] { return scope }
        let scope = Int32(truncatingIfNeeded: scopes.count)
        scopes[key] = scope
        return scope
    }

    // MARK: Entries

    private mutating func newEntry(_ entry: Entry) -> Int32 {
        if let index = free.popLast() {
            entries[Int(index)] = entry
            return index
        }
        entries.append(entry)
        return Int32(truncatingIfNeeded: entries.count - 1)
    }

    private mutating func remove(_ index: Int32) {
        unlink(index)
        let entry = entries[Int(index)]
        indices[Name(scope: entry.scope, side: .monolith, value: entry.pair.monolith)] = nil
        indices[Name(scope: entry.scope, side: .service, value: entry.pair.service)] = nil
        entries[Int(index)].pair = IdentityPair(kind: "", monolith: "", service: "")
        free.append(index)
    }

    /// As the newest of its list.
    private mutating func link(_ index: Int32) {
        let isFiled = entries[Int(index)].isFiled
        var order = isFiled ? filed : unfiled
        entries[Int(index)].older = order.newest
        entries[Int(index)].newer = -1
        if order.newest >= 0 { entries[Int(order.newest)].newer = index } else { order.oldest = index }
        order.newest = index
        order.count += 1
        if isFiled { filed = order } else { unfiled = order }
    }

    private mutating func unlink(_ index: Int32) {
        let entry = entries[Int(index)]
        var order = entry.isFiled ? filed : unfiled
        if entry.older >= 0 { entries[Int(entry.older)].newer = entry.newer } else { order.oldest = entry.newer }
        if entry.newer >= 0 { entries[Int(entry.newer)].older = entry.older } else { order.newest = entry.older }
        order.count -= 1
        if entry.isFiled { filed = order } else { unfiled = order }
    }
}
