internal import Comparison

internal import struct FoundationEssentials.Date

/// Two bodies that came as bytes from outside, of one media type.
///
/// - Parameter bytes: which media type, how the second body comes about, then the bodies with a NUL between them. Without
///   one the second is the first with a byte changed.
func checkBodies(
    _ bytes: UnsafeRawBufferPointer, of types: [StaticString]
) throws(Violation) -> Outcome {
    guard bytes.count > 2 else { return .incomplete }
    let type = types[Int(bytes[0]) % types.count]
    let content = bytes[2...]
    let first: [UInt8]
    let second: [UInt8]
    if let end = content.firstIndex(of: 0) {
        first = Array(content[..<end])
        second = Array(content[(end + 1)...])
    } else {
        first = Array(content)
        second = changed(first, by: bytes[1])
    }
    let pair = BodyPair(type: type.description, first: first, second: second)
    try pair.checkItself()
    return try pair.checkBoth()
}

let jsonTypes: [StaticString] = ["application/json", "application/problem+json", "application/x-ndjson"]
let otherTypes: [StaticString] = [
    "application/xml", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
    "text/plain",
    "application/atom+xml", "text/csv",
]

private let redactor = Redactor(key: [1, 2, 3])

private func answer(_ type: String, _ body: [UInt8]) -> Answer {
    Answer(status: 200, headers: [HeaderField(name: "Content-Type", value: type)], body: body)
}

/// Compared within limits that leave out nothing an input of a few kilobytes can hold.
func comparedBodies(
    _ type: String, _ one: some Sequence<UInt8>, as otherType: String, _ other: some Sequence<UInt8>,
    _ rules: ComparisonRules
) -> ComparisonResult {
    Comparer(rules: rules, redactor: redactor, limits: ComparisonLimits(differences: 100_000))
        .compare(
            primary: answer(type, Array(one)), shadow: answer(otherType, Array(other)),
            now: Date(timeIntervalSince1970: 1_800_000_000))
}

private func changed(_ body: [UInt8], by choice: UInt8) -> [UInt8] {
    guard !body.isEmpty else { return [choice] }
    var other = body
    let place = Int(choice) * body.count / 256
    switch choice % 4 {
    case 0: other[place] = choice
    case 1: other.remove(at: place)
    case 2: other.insert(other[place], at: place)
    default: other.append(contentsOf: body[place...])
    }
    return other
}

/// What has to hold of any two bodies.
private struct BodyPair {
    let type: String
    let first: [UInt8]
    let second: [UInt8]

    private func compare(_ one: [UInt8], _ other: [UInt8], _ rules: ComparisonRules = .none) -> ComparisonResult {
        comparedBodies(type, one, as: type, other, rules)
    }

    /// A body equals itself, under rules too, and by its structure as well as by its bytes.
    func checkItself() throws(Violation) {
        for body in [first, second] {
            let same = compare(body, body)
            try demand(same.differences.isEmpty, "\(type): a body differs from itself: \(same.differences)")
            // White space behind a document makes other bytes of the same document.
            guard type.contains("json"), body.count > 1 else { continue }
            let spaced = compare(body, body + [0x20])
            let isSame = spaced.differences.allSatisfy { $0.path == "body" }
            try demand(isSame, "\(type): a blank behind it is a difference within: \(spaced.differences)")
        }
    }

    func checkBoth() throws(Violation) -> Outcome {
        let forward = compare(first, second)
        let backward = compare(second, first)
        try demand(forward.verdict == backward.verdict, "\(type): \(forward.verdict) one way, \(backward.verdict) back")
        try demand(!forward.truncated, "\(type): more differences than bytes")
        let there = grouped(forward, mirrored: false)
        let back = grouped(backward, mirrored: true)
        try demand(there == back, "\(type): differences \(there) one way, \(back) back")
        for difference in forward.differences { try checkPath(difference) }
        try checkIgnoring(forward)
        try checkRedacting(forward)
        // What is stored of it: any bytes have to be shown somehow.
        _ = redactor.recorded(answer: answer(type, first), rules: .none)
        if forward.notCompared != nil || forward.differences.contains(where: { $0.path == "body" }) { return .refused }
        return .accepted
    }

    private func grouped(_ result: ComparisonResult, mirrored: Bool) -> Set<GroupedDifference> {
        Set(
            result.differences.map { difference in
                var group = GroupedDifference(difference)
                switch group.kind {
                case .missing where mirrored: group.kind = .extra
                case .extra where mirrored: group.kind = .missing
                default: break
                }
                return group
            })
    }

    /// A reported path is one that rules can be written with.
    private func checkPath(_ difference: Difference) throws(Violation) {
        for text in [difference.path, GroupedDifference(difference).path] {
            guard let pattern = try? PathPattern(text) else {
                throw Violation("\(type): the path \(text) cannot be read")
            }
            try demand(pattern.description == text, "\(type): the path \(text) is written \(pattern) when read")
        }
    }

    /// Redacting hides no difference, and of a body that is redacted as a whole nothing is shown.
    private func checkRedacting(_ result: ComparisonResult) throws(Violation) {
        for path in ["body", "$", "$..a"] {
            let redacted = compare(first, second, ComparisonRules(redact: [try pattern(path)]))
            try demand(redacted.verdict == result.verdict, "\(type): redacting \(path): \(redacted.verdict)")
            guard path != "$..a", result.notCompared == nil else { continue }
            let isShort = redacted.differences.count <= 2
            try demand(isShort, "\(type): redacting \(path) shows \(redacted.differences)")
        }
    }

    /// Ignoring what was reported leaves nothing, whether by place or by pattern.
    private func checkIgnoring(_ result: ComparisonResult) throws(Violation) {
        let places = Set(result.differences.map(\.path))
        let patterns = Set(result.differences.map { GroupedDifference($0).path })
        // The time that rules take is their number by the places': a body of a thousand differences is hidden by pattern.
        for paths in [places, patterns] where paths.count <= 200 {
            let rules = ComparisonRules(
                ignore: paths.compactMap { path in
                    (try? PathPattern(path)).map { IgnoreRule(path: $0, because: "fuzzing") }
                })
            let left = compare(first, second, rules)
            try demand(left.differences.isEmpty, "\(type): ignoring \(paths) leaves \(left.differences)")
            // Nor is it doubted then, unless it was before.
            let isJudged = left.notCompared == nil || result.notCompared != nil
            try demand(isJudged, "\(type): ignoring \(paths) leaves the bodies unjudged: \(left.verdict)")
        }
    }
}

/// A pattern that can be read is written as it is read.
func checkPathPattern(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let text = String(decoding: bytes, as: UTF8.self)
    let pattern: PathPattern
    do throws(PathPatternError) {
        pattern = try PathPattern(text)
    } catch {
        let last = text.unicodeScalars.count + 1
        try demand(error.position >= 1 && error.position <= last, "\(text): fault at \(error.position)")
        return .refused
    }
    let again = try? PathPattern(pattern.description)
    try demand(again == pattern, "\(text) is written \(pattern), which is another pattern")
    return .accepted
}
