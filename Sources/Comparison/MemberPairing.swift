/// Which members of two objects belong together: those with the same name, however it is escaped. A repeated
/// name, which RFC 8259 §4 allows and no two readers treat alike, pairs first with first, second with second.
struct MemberPairing {
    typealias Member = (name: Document.Value, value: Document.Value)

    /// In the primary's order; `name` is the primary's.
    private(set) var both: [(name: Document.Value, primary: Document.Value, shadow: Document.Value)] = []
    private(set) var missing: [Member] = []
    /// In the shadow's order.
    private(set) var extra: [Member] = []

    /// Linear in the number of members; names in the same order on both sides need no table.
    init(_ primary: Document, _ left: [Member], _ shadow: Document, _ right: [Member]) {
        both.reserveCapacity(left.count)
        var start = 0
        while start < left.count, start < right.count,
            primary.sameText(left[start].name, as: right[start].name, in: shadow)
        {
            both.append((left[start].name, left[start].value, right[start].value))
            start += 1
        }
        guard start < left.count || start < right.count else { return }
        var waiting: [[UInt8]: [Int]] = [:]
        for index in (start..<right.count).reversed() {
            waiting[shadow.text(of: right[index].name), default: []].append(index)
        }
        var taken = Set<Int>()
        for member in left[start...] {
            let name = primary.text(of: member.name)
            if let index = waiting[name]?.popLast() {
                taken.insert(index)
                both.append((member.name, member.value, right[index].value))
            } else {
                missing.append(member)
            }
        }
        extra = (start..<right.count).filter { !taken.contains($0) }.map { right[$0] }
    }
}
