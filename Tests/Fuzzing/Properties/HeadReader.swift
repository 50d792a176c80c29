internal import HTTPWire

/// What the two head parsers have in common, so that one property serves both.
protocol HeadReader {
    associatedtype Head: Equatable
    var head: Head { get }
    var length: Int { get }
    var fields: [FieldLine] { get }
    var facts: HeadFacts { get }
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) -> Bool
    mutating func reset()
}

extension RequestHeadParser: HeadReader {
    var length: Int { head.length }
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) -> Bool { try parse(bytes) }
}

/// A response parser that knows what was asked.
struct AnswerReader: HeadReader {
    var parser: ResponseHeadParser
    let method: Method

    var head: ResponseHead { parser.head }
    var length: Int { parser.head.length }
    var fields: [FieldLine] { parser.fields }
    var facts: HeadFacts { parser.facts }
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) -> Bool {
        try parser.parse(bytes, answering: method)
    }
    mutating func reset() { parser.reset() }
}

/// One reading of some bytes, and how it ended.
struct Reading<Reader: HeadReader> {
    private(set) var reader: Reader
    private(set) var outcome = Outcome.incomplete
    private(set) var failure: ParseFailure?

    /// Reads a head that grows to each of `ends` in turn.
    init(_ bytes: UnsafeRawBufferPointer, ends: [Int], _ reader: Reader) throws(Violation) {
        self.reader = reader
        for end in ends where outcome == .incomplete {
            let arrived = bytes.slice(0, end)
            // Byte by byte a copy each time would be all that the fuzzer does.
            if ends.count > 8 { take(arrived) } else { try withOwnMemory(arrived) { take($0) } }
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        do throws(ParseFailure) {
            if try reader.read(bytes) { outcome = .accepted }
        } catch {
            outcome = .refused
            failure = error
        }
    }
}

/// Any split of the same bytes into reads parses the same; a used and reset reader reads as a fresh one; a head ends
/// exactly where it says.
/// - Returns: the reading of all bytes at once.
func checkReads<Reader: HeadReader>(_ bytes: UnsafeRawBufferPointer, _ fresh: Reader) throws(Violation)
    -> Reading<Reader>
{
    let whole = try Reading(bytes, ends: [bytes.count], fresh)
    for ends in arrivals(of: bytes) {
        try demandSame(whole, try Reading(bytes, ends: ends, fresh), described(ends))
    }
    var used = whole.reader
    used.reset()
    try demandSame(whole, try Reading(bytes, ends: [bytes.count], used), "after a reset")
    if whole.outcome == .accepted {
        let length = whole.reader.length
        try demand(length > 0 && length <= bytes.count, "an accepted head is longer than its bytes")
        try demandSame(whole, try Reading(bytes, ends: [length], fresh), "without what follows")
        let short = try Reading(bytes, ends: [length - 1], fresh)
        try demand(short.outcome == .incomplete, "a head without its last byte is \(short.outcome)")
        try checkFieldLines(whole.reader, bytes)
    }
    return whole
}

private func demandSame<Reader: HeadReader>(_ whole: Reading<Reader>, _ other: Reading<Reader>, _ how: String)
    throws(Violation)
{
    try demand(
        whole.outcome == other.outcome,
        "\(whole.outcome) \(whole.failure.map { "\($0)" } ?? "") at once, \(other.outcome) "
            + "\(other.failure.map { "\($0)" } ?? "") \(how)")
    if whole.outcome == .accepted {
        try demand(
            whole.reader.head == other.reader.head && whole.reader.fields == other.reader.fields
                && whole.reader.facts == other.reader.facts, "another head \(how)")
    } else if let one = whole.failure, let two = other.failure, one != two {
        // Who has read less knows less: that a line is too long, or that this is another protocol, is said before the
        // line's end is seen.
        let early: [ParseFailure] = [.headTooLarge, .targetTooLong, .badRequestLine]
        try demand(early.contains(two), "refused as \(one) at once, as \(two) \(how)")
    }
}

/// Field lines lie one behind the other up to the empty line: forwarding copies them in runs and relies on it.
private func checkFieldLines<Reader: HeadReader>(_ reader: Reader, _ bytes: UnsafeRawBufferPointer) throws(Violation) {
    var previous: UInt32?
    for line in reader.fields {
        let offsets = [line.nameStart, line.nameEnd, line.valueStart, line.valueEnd, line.lineEnd]
        try demand(
            offsets == offsets.sorted() && line.nameStart < line.nameEnd, "a field line's offsets are \(offsets)")
        if let previous { try demand(previous == line.nameStart, "between two field lines lies something") }
        previous = line.lineEnd
    }
    if let previous { try demand(Int(previous) + 2 == reader.length, "the last field line is not the last") }
}

/// What the parser says of the fields is what a plain reading of them says.
func checkFacts<Reader: HeadReader>(_ reader: Reader, _ plain: PlainHead, _ bytes: UnsafeRawBufferPointer)
    throws(Violation)
{
    try demand(reader.fields.count == plain.fields.count, "fields were lost or invented")
    for (line, field) in zip(reader.fields, plain.fields) {
        try demand(
            PlainHead.lowercased(Array(line.name(in: bytes))[...]) == field.name
                && line.value(in: bytes).elementsEqual(field.value), "the field \(field.name) is read in two ways")
    }
    let facts = reader.facts
    let options = plain.connectionOptions
    try demand(facts.saysClose == options.contains("close"), "close is not what Connection says")
    try demand(facts.saysKeepAlive == options.contains("keep-alive"), "keep-alive is not what Connection says")
    try demand(facts.saysUpgrade == options.contains("upgrade"), "upgrade is not what Connection says")
    let known = ["close", "keep-alive", "upgrade", "te"]
    try demand(facts.nominatesFields == !options.allSatisfy(known.contains), "Connection's fields are overlooked")
    try demand(facts.hasDate == plain.has("date"), "Date")
    try demand(facts.hasForwardedFor == plain.has("x-forwarded-for"), "X-Forwarded-For")
    try demand(facts.hasVia == plain.has("via"), "Via")
    try demand(facts.takesTrailers == plain.elements("te").contains("trailers"), "TE")
    try demand(facts.maxForwards == plain.maxForwards, "Max-Forwards")
    let upgrade = plain.tunnelProtocols == nil ? -1 : plain.fields.firstIndex { $0.name == "upgrade" } ?? -1
    try demand(facts.upgradeIndex == upgrade || upgrade < 0 && facts.upgradeIndex < 0, "Upgrade")
    try demand(
        facts.hasIdempotencyKey == plain.values("idempotency-key").contains { !PlainHead.trimmed($0[...]).isEmpty },
        "Idempotency-Key")
    try demand(facts.expectsContinue == plain.has("expect") || !(reader is RequestHeadParser), "Expect")
    try demand(facts.cookieIndex == plain.fields.firstIndex { $0.name == "cookie" } ?? -1, "Cookie")
    try demand(facts.hostIndex == plain.fields.lastIndex { $0.name == "host" } ?? -1, "Host")
}
