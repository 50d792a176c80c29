import AdminAPI

/// Which lines of two texts face each other.
enum LineAlignment {
    /// Positions in the two texts; nil where nothing faces the other one.
    struct Pair: Equatable {
        var left: Int?
        var right: Int?
    }

    /// The search takes time and memory with the square of what differs; beyond this lines face each other by position.
    private static let searchedLines = 1500

    /// Equal lines face each other, in order; between them lines that begin with the same member's name do, and then
    /// whatever is left as long as both sides have some.
    static func pairs(_ left: [String], _ right: [String]) -> [Pair] {
        let keys = (left.map(comparable), right.map(comparable))
        var pairs: [Pair] = []
        var next = (left: 0, right: 0)
        for match in matches(keys.0[...], keys.1[...]) + [(left.count, right.count)] {
            pairs += gap(keys.0[next.left..<match.0], keys.1[next.right..<match.1])
            if match.0 < left.count { pairs.append(Pair(left: match.0, right: match.1)) }
            next = (match.0 + 1, match.1 + 1)
        }
        return pairs
    }

    /// A comma says only that there is more.
    private static func comparable(_ line: String) -> String {
        line.hasSuffix(",") ? String(line.dropLast()) : line
    }

    /// A longest common subsequence (Myers), by positions.
    private static func matches(_ left: ArraySlice<String>, _ right: ArraySlice<String>) -> [(Int, Int)] {
        let head = zip(left, right).prefix { $0 == $1 }.count
        let tail = zip(left.dropFirst(head).reversed(), right.dropFirst(head).reversed()).prefix { $0 == $1 }.count
        let middle = (left.dropFirst(head).dropLast(tail), right.dropFirst(head).dropLast(tail))
        var result = (0..<head).map { (left.startIndex + $0, right.startIndex + $0) }
        if middle.0.count + middle.1.count <= searchedLines {
            let change = Array(middle.1).difference(from: Array(middle.0))
            var gone: Set<Int> = []
            var new: Set<Int> = []
            for step in change {
                switch step {
                case .remove(let offset, _, _): gone.insert(offset)
                case .insert(let offset, _, _): new.insert(offset)
                }
            }
            let kept = (
                middle.0.indices.filter { !gone.contains($0 - middle.0.startIndex) },
                middle.1.indices.filter { !new.contains($0 - middle.1.startIndex) }
            )
            result += zip(kept.0, kept.1).map { ($0, $1) }
        }
        return result + (0..<tail).reversed().map { (left.endIndex - 1 - $0, right.endIndex - 1 - $0) }
    }

    private static func gap(_ left: ArraySlice<String>, _ right: ArraySlice<String>) -> [Pair] {
        let names = (left.map(name), right.map(name))
        var pairs: [Pair] = []
        var next = (left: left.startIndex, right: right.startIndex)
        let common = matches(names.0[...], names.1[...]).map { (left.startIndex + $0.0, right.startIndex + $0.1) }
        for match in common + [(left.endIndex, right.endIndex)] {
            let (ones, others) = (Array(next.left..<match.0), Array(next.right..<match.1))
            for index in 0..<max(ones.count, others.count) {
                let isInBoth = index < min(ones.count, others.count)
                if isInBoth, !isMember(left[ones[index]]), !isMember(right[others[index]]) {
                    pairs.append(Pair(left: ones[index], right: others[index]))
                } else {
                    if index < ones.count { pairs.append(Pair(left: ones[index], right: nil)) }
                    if index < others.count { pairs.append(Pair(left: nil, right: others[index])) }
                }
            }
            if match.0 < left.endIndex { pairs.append(Pair(left: match.0, right: match.1)) }
            next = (match.0 + 1, match.1 + 1)
        }
        return pairs
    }

    private static func isMember(_ line: String) -> Bool {
        line.drop { $0 == " " }.hasPrefix("\"") && line.contains("\": ")
    }

    /// Indentation and name of a member of an object; of anything else, something that equals nothing by chance.
    private static func name(_ line: String) -> String {
        guard isMember(line), let end = line.firstRange(of: "\": ") else { return "\u{0}" + line }
        return String(line[..<end.upperBound])
    }
}
