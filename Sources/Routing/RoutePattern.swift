/// A path pattern of a route: `/a/b`, `/a/{id}/b`, `/a/**`, `/`.
///
/// `{name}` stands for exactly one non-empty segment, a final `**` for any number of further segments, also none:
/// `/a/**` matches `/a`. A trailing slash of a request path is ignored, because most servers give both spellings to
/// one handler and a route that told them apart could be walked around with one character.
package struct RoutePattern: Sendable, Hashable {
    /// Depth bound: a lookup recurses once per segment of a pattern.
    package static let maximumSegments = 64

    package enum Segment: Sendable, Hashable {
        /// The segment with its percent-escapes decoded: see `RouteTable` on why lookups compare decoded segments.
        case literal([UInt8])
        case parameter(String)
    }

    /// As the user wrote it.
    package let text: String
    package let segments: [Segment]
    /// Whether the pattern ends in `/**`.
    package let matchesRest: Bool

    package init(parsing text: String) throws(RoutePatternError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw .noLeadingSlash }
        var parts = text == "/" ? [] : text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let matchesRest = parts.last == "**"
        if matchesRest { parts.removeLast() }
        guard parts.count <= Self.maximumSegments else { throw .tooManySegments }
        var segments: [Segment] = []
        var names: Set<String> = []
        for part in parts {
            let segment = try Self.segment(String(part))
            if case .parameter(let name) = segment, !names.insert(name).inserted { throw .repeatedParameter(name) }
            segments.append(segment)
        }
        self.text = text
        self.segments = segments
        self.matchesRest = matchesRest
    }

    private static func segment(_ text: String) throws(RoutePatternError) -> Segment {
        if text.isEmpty { throw .emptySegment }
        if text.first == "{", text.last == "}" {
            let name = String(text.dropFirst().dropLast())
            guard isParameterName(name) else { throw .badParameter(text) }
            return .parameter(name)
        }
        if text.contains(where: { $0 == "{" || $0 == "}" }) { throw .badParameter(text) }
        if text.contains("*") { throw .misplacedWildcard(text) }
        if text.contains(where: { $0 == "?" || $0 == "#" }) { throw .queryOrFragment(text) }
        return .literal(try literal(text))
    }

    /// Accepts a literal only in the spelling that requests have after normalisation; any other would never match.
    /// Raw non-ASCII is the exception: it has one obvious encoding, so users may write `/straße`.
    private static func literal(_ text: String) throws(RoutePatternError) -> [UInt8] {
        var encoded: [UInt8] = [UInt8(ascii: "/")]
        for byte in text.utf8 {
            if byte < 0x80 { encoded.append(byte) } else { PercentEncoding.append(byte, to: &encoded) }
        }
        switch encoded.withUnsafeBytes({ PathNormalization.normalize(path: $0) }) {
        case .unchanged:
            return PercentEncoding.decoded(encoded.dropFirst())
        case .changed(let normal):
            throw .notNormalised(text, normal: String(decoding: normal.dropFirst(), as: UTF8.self))
        case .refused(let reason):
            throw .refusedSegment(text, reason)
        }
    }

    private static func isParameterName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

/// Why a text is no path pattern; the description is a sentence for the person who wrote it.
package enum RoutePatternError: Error, Sendable, Equatable, CustomStringConvertible {
    case noLeadingSlash
    case emptySegment
    case tooManySegments
    case badParameter(String)
    case repeatedParameter(String)
    case misplacedWildcard(String)
    case queryOrFragment(String)
    case notNormalised(String, normal: String)
    case refusedSegment(String, PathNormalization.Reason)

    package var description: String {
        switch self {
        case .noLeadingSlash: "a path pattern starts with `/`"
        case .emptySegment: "a path pattern has no empty segment, neither `//` nor a `/` at its end"
        case .tooManySegments: "a path pattern has at most \(RoutePattern.maximumSegments) segments"
        case .badParameter(let segment):
            "`\(segment)` is no parameter: `{name}` fills a whole segment, name of letters, digits, `_`, `-`, `.`"
        case .repeatedParameter(let name): "the parameter `{\(name)}` is there twice"
        case .misplacedWildcard(let segment):
            "`\(segment)`: the only wildcard is `/**` at the end; one segment is `{name}`"
        case .queryOrFragment(let segment): "`\(segment)`: routes match the path only, no query and no fragment"
        case .notNormalised(let segment, let normal):
            "requests are normalised before they are matched, so `\(segment)` never matches; its normal form is"
                + " `\(normal)`"
        case .refusedSegment(let segment, let reason): "`\(segment)` is refused in requests: \(reason)"
        }
    }
}
