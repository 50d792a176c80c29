/// An expression as it was read. `size` is the number of instructions that it will become.
indirect enum LinearRegexNode {
    case empty
    case scalar(UInt32)
    case any
    case set(ScalarSet)
    case sequence([LinearRegexNode])
    case alternatives([LinearRegexNode])
    /// A nil maximum is none.
    case repeated(LinearRegexNode, minimum: Int, maximum: Int?)

    /// At least 1, so that what is empty cannot be written out without end. Saturates.
    var size: Int {
        switch self {
        case .empty, .scalar, .any, .set: 1
        case .sequence(let nodes): nodes.reduce(1) { LinearRegexNode.sum($0, $1.size) }
        case .alternatives(let nodes): nodes.reduce(1) { LinearRegexNode.sum($0, LinearRegexNode.sum($1.size, 2)) }
        case .repeated(let node, let minimum, let maximum):
            LinearRegexNode.product(LinearRegexNode.sum(node.size, 1), max(minimum + 1, maximum ?? 0))
        }
    }

    private static let most = 1 << 20
    private static func sum(_ one: Int, _ other: Int) -> Int { min(one + other, most) }
    private static func product(_ one: Int, _ other: Int) -> Int { min(one * min(other, most), most) }
}

/// Reads the text of a ``LinearRegex`` code point by code point.
struct LinearRegexParser {
    /// Groups within groups: the reader and the compiler recurse this deep.
    static let maximumDepth = 50
    static let maximumCount = 1_000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    mutating func expression() throws(LinearRegexError) -> LinearRegexNode {
        let node = try alternatives()
        guard current == nil else { throw failure("this ')' closes nothing") }
        return node
    }

    private mutating func alternatives() throws(LinearRegexError) -> LinearRegexNode {
        var branches = [try sequence()]
        while current == "|" {
            position += 1
            branches.append(try sequence())
        }
        return try checked(branches.count == 1 ? branches[0] : .alternatives(branches), at: position)
    }

    private mutating func sequence() throws(LinearRegexError) -> LinearRegexNode {
        var nodes: [LinearRegexNode] = []
        if depth == 0, current == "^" { position += 1 }
        while let scalar = current, scalar != "|", scalar != ")" {
            if scalar == "$", depth == 0, position + 1 == scalars.count || scalars[position + 1] == "|" {
                position += 1
                break
            }
            let start = position
            let node = try atom()
            nodes.append(try checked(try repetition(of: node), at: start))
        }
        return nodes.isEmpty ? .empty : nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func atom() throws(LinearRegexError) -> LinearRegexNode {
        guard let scalar = current else { return .empty }
        switch scalar {
        case "(": return try group()
        case "[": return .set(try characterClass())
        case "\\": return try escapedNode()
        case ".":
            position += 1
            return .any
        case "^": throw failure("'^' stands only at the start; the character itself is written \\^")
        case "$": throw failure("'$' stands only at the end; the character itself is written \\$")
        case "?", "*", "+", "{": throw failure("there is nothing that '\(scalar)' could repeat")
        default:
            position += 1
            return .scalar(scalar.value)
        }
    }

    private mutating func group() throws(LinearRegexError) -> LinearRegexNode {
        let start = position
        position += 1
        if current == "?" {
            guard position + 1 < scalars.count, scalars[position + 1] == ":" else {
                throw failure("of the groups with '(?', only '(?:' is supported")
            }
            position += 2
        }
        guard depth < LinearRegexParser.maximumDepth else {
            throw failure("more than \(LinearRegexParser.maximumDepth) groups within groups", at: start)
        }
        depth += 1
        let node = try alternatives()
        depth -= 1
        guard current == ")" else { throw failure("this group does not end", at: start) }
        position += 1
        return node
    }

    private mutating func repetition(of node: LinearRegexNode) throws(LinearRegexError) -> LinearRegexNode {
        let bounds: (Int, Int?)
        switch current {
        case "?": bounds = (0, 1)
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "{": bounds = try counts()
        default: return node
        }
        position += 1
        if let scalar = current, scalar == "?" || scalar == "*" || scalar == "+" || scalar == "{" {
            throw failure("a repetition cannot be repeated, and all are matched alike: neither lazy nor possessive")
        }
        return .repeated(node, minimum: bounds.0, maximum: bounds.1)
    }

    /// `{3}`, `{2,}`, `{2,5}`; ends at the `}`.
    private mutating func counts() throws(LinearRegexError) -> (Int, Int?) {
        let start = position
        position += 1
        guard let minimum = try number(from: start) else { throw failure("'{' is followed by a count", at: start) }
        var maximum: Int? = minimum
        if current == "," {
            position += 1
            maximum = try number(from: start)
        }
        guard current == "}" else { throw failure("the count does not end in '}'", at: start) }
        if let maximum, maximum < minimum { throw failure("the counts are the wrong way round", at: start) }
        return (minimum, maximum)
    }

    private mutating func number(from start: Int) throws(LinearRegexError) -> Int? {
        var value: Int?
        while let scalar = current, case "0"..."9" = scalar {
            value = (value ?? 0) * 10 + Int(scalar.value - 48)
            guard value ?? 0 <= LinearRegexParser.maximumCount else {
                throw failure("a count is at most \(LinearRegexParser.maximumCount)", at: start)
            }
            position += 1
        }
        return value
    }

    // MARK: - Characters

    private mutating func characterClass() throws(LinearRegexError) -> ScalarSet {
        let start = position
        position += 1
        var set = ScalarSet()
        if current == "^" {
            set.isNegated = true
            position += 1
        }
        while let scalar = current, scalar != "]" {
            guard let low = try classMember(into: &set) else { continue }
            guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.insert(low...low)
                continue
            }
            let dash = position
            position += 1
            guard let high = try classMember(into: &set), low <= high else {
                throw failure("this range has no upper end above its lower end", at: dash)
            }
            set.insert(low...high)
        }
        guard current == "]" else { throw failure("this class does not end", at: start) }
        guard !set.ranges.isEmpty else { throw failure("an empty class; ']' itself is written \\]", at: start) }
        position += 1
        return set
    }

    /// One character of a class; nil if it was a class of its own, which is then in the set.
    private mutating func classMember(into set: inout ScalarSet) throws(LinearRegexError) -> UInt32? {
        guard let scalar = current else { throw failure("this class does not end") }
        if scalar == "[" { throw failure("'[' in a class is written \\[") }
        guard scalar == "\\" else {
            position += 1
            return scalar.value
        }
        switch try escaped() {
        case .scalar(let value): return value
        case .set(let ranges, let isNegated):
            if isNegated { set.insertComplement(of: ranges) } else { ranges.forEach { set.insert($0) } }
            return nil
        }
    }

    private mutating func escapedNode() throws(LinearRegexError) -> LinearRegexNode {
        switch try escaped() {
        case .scalar(let value): return .scalar(value)
        case .set(let ranges, let isNegated):
            var set = ScalarSet()
            ranges.forEach { set.insert($0) }
            set.isNegated = isNegated
            return .set(set)
        }
    }

    private enum Escaped {
        case scalar(UInt32)
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    private static let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    private static let blanks: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]

    private mutating func escaped() throws(LinearRegexError) -> Escaped {
        let start = position
        position += 1
        guard let scalar = current else { throw failure("nothing follows the '\\'", at: start) }
        position += 1
        switch scalar {
        case "d", "D": return .set(Self.digits, isNegated: scalar == "D")
        case "w", "W": return .set(Self.words, isNegated: scalar == "W")
        case "s", "S": return .set(Self.blanks, isNegated: scalar == "S")
        case "n": return .scalar(0x0A)
        case "r": return .scalar(0x0D)
        case "t": return .scalar(0x09)
        case "a"..."z", "A"..."Z", "0"..."9": throw failure("'\\\(scalar)' means nothing here", at: start)
        default: return .scalar(scalar.value)
        }
    }

    // MARK: - Bounds

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func checked(_ node: LinearRegexNode, at start: Int) throws(LinearRegexError) -> LinearRegexNode {
        guard node.size < LinearRegex.maximumSize else {
            throw failure("this becomes too large when its repetitions are written out", at: start)
        }
        return node
    }

    private func failure(_ message: String, at index: Int? = nil) -> LinearRegexError {
        LinearRegexError(message: message, position: (index ?? position) + 1)
    }
}

/// Writes a tree out as instructions. The reader has bounded its size.
struct LinearRegexCompiler {
    private var program: [LinearRegex.Instruction] = []
    private var sets: [ScalarSet] = []

    mutating func emit(_ node: LinearRegexNode) {
        switch node {
        case .empty: break
        case .scalar(let value): program.append(.scalar(value))
        case .any: program.append(.any)
        case .set(let set):
            program.append(.set(sets.count))
            sets.append(set)
        case .sequence(let nodes): nodes.forEach { emit($0) }
        case .alternatives(let nodes): emit(alternatives: nodes)
        case .repeated(let node, let minimum, let maximum): emit(node, minimum, maximum)
        }
    }

    func finished() -> (program: [LinearRegex.Instruction], sets: [ScalarSet]) { (program + [.accept], sets) }

    private mutating func emit(alternatives nodes: [LinearRegexNode]) {
        var ends: [Int] = []
        for node in nodes.dropLast() {
            let split = program.count
            program.append(.split(split + 1, 0))
            emit(node)
            ends.append(program.count)
            program.append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        if let last = nodes.last { emit(last) }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func emit(_ node: LinearRegexNode, _ minimum: Int, _ maximum: Int?) {
        for _ in 0..<minimum { emit(node) }
        guard let maximum else {
            let split = program.count
            program.append(.split(split + 1, 0))
            emit(node)
            program.append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return
        }
        var splits: [Int] = []
        for _ in minimum..<max(minimum, maximum) {
            splits.append(program.count)
            program.append(.split(program.count + 1, 0))
            emit(node)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }
}
