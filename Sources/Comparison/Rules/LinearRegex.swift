/// A regular expression that is matched in time linear in the value: rules of operators meet values of strangers,
/// and a backtracking matcher would let `(a+)+b` and forty letters stop a worker.
///
/// The expression becomes a nondeterministic automaton whose states are followed all at once (K. Thompson, CACM
/// 11(6), 1968). Matching costs at most the value's length times ``maximumSize``. There are no captures, no
/// back-references and no look-around, which such an automaton cannot express.
///
/// | written | means |
/// |---|---|
/// | `a`, `.` | itself; any character but a line feed |
/// | `[a-z_]`, `[^0-9]` | one of these; any other |
/// | `\d` `\w` `\s`, `\D` `\W` `\S` | ASCII digit, letter or digit or `_`, white space; any other |
/// | `\n` `\r` `\t`, `\.` | a control character; the punctuation mark itself |
/// | `(…)`, `(?:…)`, `a\|b` | grouping; either |
/// | `?` `*` `+` `{3}` `{2,}` `{2,5}` | repetition |
/// | `^` at the start, `$` at the end | nothing: the whole value is matched anyway |
package struct LinearRegex: Sendable, Hashable, CustomStringConvertible {
    /// Instructions of one expression, after repetitions with a count are written out.
    package static let maximumSize = 1_000

    package let text: String
    let program: [Instruction]
    let sets: [ScalarSet]

    package init(_ text: String) throws(LinearRegexError) {
        var parser = LinearRegexParser(text)
        var compiler = LinearRegexCompiler()
        compiler.emit(try parser.expression())
        self.text = text
        (program, sets) = compiler.finished()
    }

    package var description: String { text }

    package static func == (left: LinearRegex, right: LinearRegex) -> Bool { left.text == right.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    enum Instruction: Sendable {
        case scalar(UInt32)
        /// `.`
        case any
        /// An index into `sets`.
        case set(Int)
        case jump(Int)
        case split(Int, Int)
        /// The end of the expression: a match if the value ends here.
        case accept
    }

    /// Whether the whole value matches. What is not UTF-8 counts byte by byte as characters that only `.` and
    /// negated classes know.
    package func matches(_ bytes: some Collection<UInt8>) -> Bool {
        var threads = Threads(count: program.count)
        follow(0, &threads)
        var rest = bytes[...]
        while let scalar = ScalarReader.next(&rest) {
            let current = threads.advance()
            for state in current where accepts(scalar, at: state) { follow(state + 1, &threads) }
            guard !threads.states.isEmpty else { return false }
        }
        return threads.states.contains { if case .accept = program[$0] { true } else { false } }
    }

    private func accepts(_ scalar: UInt32, at state: Int) -> Bool {
        switch program[state] {
        case .scalar(let wanted): wanted == scalar
        case .any: scalar != 0x0A
        case .set(let index): sets[index].contains(scalar)
        case .jump, .split, .accept: false
        }
    }

    /// Adds the states that are reached from one without reading. Every state is added once per character, so
    /// loops around nothing end.
    private func follow(_ start: Int, _ threads: inout Threads) {
        threads.pending.append(start)
        while let state = threads.pending.popLast() {
            guard threads.mark(state) else { continue }
            switch program[state] {
            case .jump(let target): threads.pending.append(target)
            case .split(let first, let second):
                threads.pending.append(second)
                threads.pending.append(first)
            default: threads.states.append(state)
            }
        }
    }

    /// The states that the automaton is in.
    private struct Threads {
        var states: [Int] = []
        var pending: [Int] = []
        private var spare: [Int] = []
        /// The character before which a state was last added.
        private var marks: [Int]
        private var time = 1

        init(count: Int) { marks = Array(repeating: 0, count: count) }

        mutating func mark(_ state: Int) -> Bool {
            guard marks[state] != time else { return false }
            marks[state] = time
            return true
        }

        /// Goes on to the next character; returns the states before it.
        mutating func advance() -> [Int] {
            time &+= 1
            swap(&states, &spare)
            states.removeAll(keepingCapacity: true)
            return spare
        }
    }
}

/// Why a text is not an expression, and at which character.
package struct LinearRegexError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    /// The character, counted from 1; one past the last if something is missing at the end.
    package let position: Int

    package var description: String { "\(message) (at character \(position))" }
}

/// Characters as ranges of code points.
struct ScalarSet: Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    /// The ranges of all code points that are not in these.
    mutating func insertComplement(of others: [ClosedRange<UInt32>]) {
        var next: UInt32 = 0
        for range in others.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { insert(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        insert(next...ScalarReader.largest)
    }

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        return isNegated
    }
}

/// Code points from UTF-8. Each byte that is part of no well-formed sequence is a value of its own above U+10FFFF.
enum ScalarReader {
    static let largest: UInt32 = 0x10FFFF + 0x100

    static func next<Bytes: Collection<UInt8>>(_ rest: inout Bytes) -> UInt32?
    where Bytes.SubSequence == Bytes {
        guard let lead = rest.popFirst() else { return nil }
        if lead < 0x80 { return UInt32(lead) }
        let malformed = 0x10FFFF + UInt32(lead)
        let (count, first): (Int, ClosedRange<UInt8>) =
            switch lead {
            case 0xC2...0xDF: (1, 0x80...0xBF)
            case 0xE0: (2, 0xA0...0xBF)
            case 0xED: (2, 0x80...0x9F)
            case 0xE1...0xEF: (2, 0x80...0xBF)
            case 0xF0: (3, 0x90...0xBF)
            case 0xF1...0xF3: (3, 0x80...0xBF)
            case 0xF4: (3, 0x80...0x8F)
            default: (0, 0...0)
            }
        let tail = rest.prefix(count)
        guard count > 0, tail.count == count, let second = tail.first, first.contains(second),
            tail.allSatisfy({ $0 & 0xC0 == 0x80 })
        else { return malformed }
        rest = rest.dropFirst(count)
        let mask: UInt8 = 0x3F >> UInt8(count)
        return tail.reduce(UInt32(lead & mask)) { $0 << 6 | UInt32($1 & 0x3F) }
    }
}
