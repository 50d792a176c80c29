/// Objects: which members belong together is a matter of their names, however those are escaped.
extension DocumentComparison {
    /// A member that is being paired; its value is the node after its name.
    struct Member {
        var hash: Int32
        var name: Int32
        /// Position of the other side's member in its object, -1 for none.
        var partner: Int32 = -1
    }

    /// Objects of up to this many members are searched one by one, which is faster than a table.
    private static let searchedMembers = 8

    mutating func compareObjects(_ left: Int, _ right: Int) {
        let (leftCount, rightCount) = (primary.count(left), shadow.count(right))
        let (first, second) = (members.count, members.count + leftCount)
        defer { members.removeLast(members.count - first) }
        let repeatsLeft = Self.append(left, of: primary, to: &members)
        let mayRepeat = Self.append(right, of: shadow, to: &members) || repeatsLeft
        var start = 0
        while start < leftCount, start < rightCount, sameName(first + start, second + start) {
            pair(first, start, second, start)
            start += 1
        }
        var repeats = false
        if leftCount <= Self.searchedMembers, rightCount <= Self.searchedMembers {
            pairBySearching(first, leftCount, second, rightCount, from: start)
            repeats =
                mayRepeat
                && (Self.hasRepeats(members[first..<second], primary) || Self.hasRepeats(members[second...], shadow))
        } else if mayRepeat || start < leftCount || start < rightCount {
            repeats = pairByTable(first, leftCount, second, rightCount, from: start)
        }
        if repeats { return compareRepeated(left, right, first, leftCount, second, rightCount) }
        comparePaired(first, leftCount, second, rightCount)
        if isOrdered(left, right), !isDone, !partnersAscend(first, leftCount) { found(.order, left, right) }
    }

    private mutating func comparePaired(_ first: Int, _ leftCount: Int, _ second: Int, _ rightCount: Int) {
        var paired = 0
        for index in 0..<leftCount where members[first + index].partner >= 0 {
            let member = members[first + index]
            paired += 1
            let other = Int(members[second + Int(member.partner)].name)
            compare(Int(member.name) + 1, other + 1, at: .primaryMember(Int(member.name)))
        }
        if paired == leftCount, paired == rightCount { return }
        for index in 0..<leftCount where members[first + index].partner < 0 {
            let name = Int(members[first + index].name)
            found(.missing, name + 1, -1, at: .primaryMember(name))
        }
        for index in 0..<rightCount where members[second + index].partner < 0 {
            let name = Int(members[second + index].name)
            found(.extra, -1, name + 1, at: .shadowMember(name))
        }
    }

    func isOrdered(_ left: Int, _ right: Int) -> Bool {
        !primary.nodes[left].flags.union(shadow.nodes[right].flags).isDisjoint(with: .isOrdered)
    }

    private func partnersAscend(_ first: Int, _ count: Int) -> Bool {
        var last: Int32 = -1
        for member in members[first..<(first + count)] where member.partner >= 0 {
            guard member.partner > last else { return false }
            last = member.partner
        }
        return true
    }

    /// - Returns: whether a name may be there twice: sixty-four bits tell most small objects apart.
    private static func append(_ object: Int, of view: DocumentView, to members: inout [Member]) -> Bool {
        var seen: UInt64 = 0
        var mayRepeat = false
        var name = object &+ 1
        for _ in 0..<view.count(object) {
            let hash = view.nodes[name].count
            let bit = UInt64(1) << UInt64(truncatingIfNeeded: hash & 63)
            mayRepeat = mayRepeat || seen & bit != 0
            seen |= bit
            members.append(Member(hash: hash, name: Int32(truncatingIfNeeded: name)))
            name = view.next(name &+ 1)
        }
        return mayRepeat
    }

    private func sameName(_ left: Int, _ right: Int) -> Bool {
        members[left].hash == members[right].hash
            && primary.sameText(Int(members[left].name), as: Int(members[right].name), in: shadow)
    }

    private mutating func pair(_ first: Int, _ left: Int, _ second: Int, _ right: Int) {
        members[first + left].partner = Int32(truncatingIfNeeded: right)
        members[second + right].partner = Int32(truncatingIfNeeded: left)
    }

    private mutating func pairBySearching(
        _ first: Int, _ leftCount: Int, _ second: Int, _ rightCount: Int, from start: Int
    ) {
        guard start < leftCount, start < rightCount else { return }
        for left in start..<leftCount {
            for right in start..<rightCount
            where members[second + right].partner < 0 && sameName(first + left, second + right) {
                pair(first, left, second, right)
                break
            }
        }
    }

    private static func hasRepeats(_ members: ArraySlice<Member>, _ view: DocumentView) -> Bool {
        members.indices.contains { index in
            members[(index + 1)...].contains { other in
                other.hash == members[index].hash
                    && view.sameText(Int(other.name), as: Int(members[index].name), in: view)
            }
        }
    }

    /// Open addressing over the shadow's names; the primary's that have no partner there go in as well.
    /// - Returns: whether a name is there twice on either side, in which case nothing else was done properly.
    private mutating func pairByTable(
        _ first: Int, _ leftCount: Int, _ second: Int, _ rightCount: Int, from start: Int
    ) -> Bool {
        var size = 16
        while size < 2 * (leftCount + rightCount) { size *= 2 }
        if memberTable.count < size {
            memberTable = [Int32](repeating: -1, count: size)
        } else {
            for slot in 0..<size { memberTable[slot] = -1 }
        }
        let mask = size - 1
        for right in 0..<rightCount {
            var slot = Int(truncatingIfNeeded: UInt32(bitPattern: members[second + right].hash)) & mask
            while memberTable[slot] >= 0 {
                if sameShadowName(second + Int(memberTable[slot]), second + right) { return true }
                slot = (slot + 1) & mask
            }
            memberTable[slot] = Int32(truncatingIfNeeded: right)
        }
        search: for left in 0..<leftCount {
            var slot = Int(truncatingIfNeeded: UInt32(bitPattern: members[first + left].hash)) & mask
            while memberTable[slot] >= 0 {
                let entry = Int(memberTable[slot])
                if entry >= rightCount {
                    if samePrimaryName(first + entry - rightCount, first + left) { return true }
                } else if sameName(first + left, second + entry) {
                    let partner = members[second + entry].partner
                    guard partner < 0 || Int(partner) == left else { return true }
                    pair(first, left, second, entry)
                    continue search
                }
                slot = (slot + 1) & mask
            }
            memberTable[slot] = Int32(truncatingIfNeeded: rightCount + left)
        }
        return false
    }

    private func samePrimaryName(_ one: Int, _ other: Int) -> Bool {
        members[one].hash == members[other].hash
            && primary.sameText(Int(members[one].name), as: Int(members[other].name), in: primary)
    }

    private func sameShadowName(_ one: Int, _ other: Int) -> Bool {
        members[one].hash == members[other].hash
            && shadow.sameText(Int(members[one].name), as: Int(members[other].name), in: shadow)
    }

    // MARK: - Repeated names

    /// Members of one name, which RFC 8259 §4 allows and no two readers treat alike, are compared like the elements of
    /// an array: what came in between is one difference.
    private mutating func compareRepeated(
        _ left: Int, _ right: Int, _ first: Int, _ leftCount: Int, _ second: Int, _ rightCount: Int
    ) {
        var groups: [[UInt8]: Int] = [:]
        var primaryNames: [[Int]] = []
        var shadowNames: [[Int]] = []
        func group(_ name: [UInt8]) -> Int {
            if let group = groups[name] { return group }
            groups[name] = primaryNames.count
            primaryNames.append([])
            shadowNames.append([])
            return primaryNames.count - 1
        }
        for member in members[first..<(first + leftCount)] {
            primaryNames[group(primary.name(Int(member.name)).text)].append(Int(member.name))
        }
        for member in members[second..<(second + rightCount)] {
            shadowNames[group(shadow.name(Int(member.name)).text)].append(Int(member.name))
        }
        // Paired first, like other members; then those of one side.
        for (lefts, rights) in zip(primaryNames, shadowNames) where !lefts.isEmpty && !rights.isEmpty {
            if lefts.count == 1, rights.count == 1 {
                compare(lefts[0] + 1, rights[0] + 1, at: .primaryMember(lefts[0]))
            } else {
                let base = elements.count
                elements += lefts.map { Int32(truncatingIfNeeded: $0 + 1) }
                elements += rights.map { Int32(truncatingIfNeeded: $0 + 1) }
                let sequences = Sequences(
                    of: .members, left: base, leftCount: lefts.count, right: base + lefts.count,
                    rightCount: rights.count)
                if let (rule, key) = unorderedRule(ofMembers: primary.name(lefts[0])) {
                    compareBags(sequences, key: key, rule: rule)
                } else {
                    compareSequences(sequences)
                }
                elements.removeLast(elements.count - base)
            }
        }
        for names in zip(primaryNames, shadowNames) where names.1.isEmpty {
            for (index, name) in names.0.enumerated() {
                found(.missing, name + 1, -1, at: .primaryMember(name), names.0.count == 1 ? -1 : index)
            }
        }
        for names in zip(primaryNames, shadowNames) where names.0.isEmpty {
            for (index, name) in names.1.enumerated() {
                found(.extra, -1, name + 1, at: .shadowMember(name), names.1.count == 1 ? -1 : index)
            }
        }
        if isOrdered(left, right), !isDone { compareNameOrder(left, right, primaryNames, shadowNames) }
    }

    /// Names of which one side has more are no matter of order, as long as the rest follow each other alike.
    private mutating func compareNameOrder(
        _ left: Int, _ right: Int, _ primaryNames: [[Int]], _ shadowNames: [[Int]]
    ) {
        let sequence = { (names: [[Int]], isWanted: (Int, Int) -> Bool) -> [Int] in
            names.enumerated()
                .flatMap { group, names in names.enumerated().map { ($1, group, $0) } }
                .filter { isWanted($0.1, $0.2) }
                .sorted { $0.0 < $1.0 }.map(\.1)
        }
        let isCommon = { (group: Int, place: Int) in
            place < min(primaryNames[group].count, shadowNames[group].count)
        }
        let all = (sequence(primaryNames) { _, _ in true }, sequence(shadowNames) { _, _ in true })
        if Self.isPart(all.0, of: all.1) || Self.isPart(all.1, of: all.0) { return }
        if sequence(primaryNames, isCommon) != sequence(shadowNames, isCommon) { found(.order, left, right) }
    }

    /// Whether the longer sequence becomes the shorter one by leaving some out.
    private static func isPart(_ short: [Int], of long: [Int]) -> Bool {
        var rest = short[...]
        for name in long where name == rest.first { rest.removeFirst() }
        return rest.isEmpty
    }
}
