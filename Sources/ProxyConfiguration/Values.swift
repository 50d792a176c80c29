import Extraction

/// Why a scalar is not what its key wants.
struct ValueError: Error {
    let problem: String
    let fix: String?

    init(_ problem: String, fix: String? = nil) {
        self.problem = problem
        self.fix = fix
    }
}

/// Parsers of single values. Each takes the text of a scalar and says what is wrong with it.
enum Values {
    static func text(_ text: String) throws(ValueError) -> String {
        guard text.contains(where: { !$0.isWhitespace }) else { throw ValueError("is an empty text") }
        return text
    }

    /// `500ms`, `2s`, `30m`, `12h`, `30d`: a whole number and a unit, at most ten years.
    static func duration(_ text: String, allowingZero: Bool) throws(ValueError) -> Duration {
        let fix = "expected a duration such as 500ms, 2s, 30m, 12h, 30d"
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let milliseconds: Int
        switch text.dropFirst(digits.count) {
        case "ms": milliseconds = 1
        case "s": milliseconds = 1_000
        case "m": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        default: throw ValueError("`\(text)` is no duration", fix: fix)
        }
        guard !digits.isEmpty, digits.utf8.count <= 12, let count = Int(digits) else {
            throw ValueError("`\(text)` is no duration", fix: fix)
        }
        let (total, overflows) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflows, total <= 3_650 * 86_400_000 else {
            throw ValueError("`\(text)` is too long", fix: "expected at most 3650d")
        }
        guard allowingZero || total > 0 else {
            throw ValueError("`\(text)` is too short", fix: "expected at least 1ms")
        }
        return .milliseconds(total)
    }

    static func duration(_ text: String) throws(ValueError) -> Duration { try duration(text, allowingZero: false) }

    static func durationOrZero(_ text: String) throws(ValueError) -> Duration { try duration(text, allowingZero: true) }

    /// `25%`, `0.1%`. The sign is mandatory: `1` could mean 1 % or everything.
    static func percent(_ text: String) throws(ValueError) -> Weight {
        guard text.hasSuffix("%"), let weight = Weight(parsing: text) else {
            throw ValueError(
                "`\(text)` is no percentage", fix: "expected 0% to 100% with at most two decimals, such as 25% or 0.1%")
        }
        return weight
    }

    /// A whole number in `range`, in decimal digits.
    static func number(_ range: ClosedRange<Int>) -> (String) throws(ValueError) -> Int {
        { text throws(ValueError) in
            guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text),
                range.contains(value)
            else {
                throw ValueError(
                    "`\(text)` is no number in range", fix: "expected \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }

    /// A decimal fraction from 0 on without exponent.
    static func decimal(_ text: String) throws(ValueError) -> Double {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isDecimal =
            (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard isDecimal, let value = Double(text), value.isFinite else {
            throw ValueError("`\(text)` is no number", fix: "expected a decimal number from 0 on, such as 0.005")
        }
        return value
    }

    /// One of the names of a closed set.
    static func oneOf<Value: Sendable>(_ known: [(name: String, value: Value)]) -> (String) throws(ValueError) -> Value
    {
        { text throws(ValueError) in
            guard let match = known.first(where: { $0.name == text }) else {
                throw ValueError("unknown value `\(text)`", fix: Suggestion.fix(for: text, known: known.map(\.name)))
            }
            return match.value
        }
    }

    /// `[a-z][a-z0-9-]{0,62}`: the name is part of file names, metrics and URLs of the admin address.
    static func extractionName(_ text: String) throws(ValueError) -> String {
        let isName = text.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
        guard isName, (1...63).contains(text.utf8.count) else {
            throw ValueError(
                "`\(text)` is no name", fix: "expected a lower-case letter, then up to 62 of a-z, 0-9 and `-`")
        }
        return text
    }

    /// `token` of RFC 9110 §5.6.2: names of header fields, cookies, methods.
    static func token(_ text: String) throws(ValueError) -> String {
        let isToken = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        guard isToken, (1...200).contains(text.utf8.count) else {
            throw ValueError("`\(text)` is no token", fix: "expected letters, digits and `-`, no spaces")
        }
        return text
    }

    /// A method of a route. Methods are case-sensitive, so `get` would be another one that no client sends.
    static func method(_ text: String) throws(ValueError) -> String {
        let token = try token(text)
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        if ["CONNECT", "TRACE"].contains(token.uppercased()) {
            throw ValueError("`\(text)` is refused by the proxy and never reaches a route", fix: "remove it")
        }
        if !known.contains(token), known.contains(token.uppercased()) {
            throw ValueError("`\(text)`: methods are written in capitals", fix: "did you mean `\(token.uppercased())`?")
        }
        return token
    }

    /// A path for a probe: absolute, no spaces or control characters.
    static func requestPath(_ text: String) throws(ValueError) -> String {
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#") else {
            throw ValueError("`\(text)` is no path", fix: "expected a path that starts with `/`, such as /healthz")
        }
        return text
    }
}
