/// One spelling for every path, so that no spelling of a path takes another side than the plain one.
///
/// A proxy and the server behind it that read one path differently are the classic way around a proxy: `/a/%2e%2e/b`,
/// `/a//b`, `/%61`. So the path is brought into one form before it is matched, **that form is what the upstream
/// receives**, and what servers are known to read in two ways is refused instead of guessed at.
///
/// Brought into one form:
/// - escapes of unreserved characters are decoded, the others written with upper-case digits (RFC 3986 §6.2.2);
/// - bytes that a path may not hold raw (RFC 3986 §3.3: `"<>^{|}`, the back-quote, and non-ASCII) are escaped;
/// - `//` becomes `/`, then dot segments are removed (RFC 3986 §5.2.4), also when the dots were escaped.
///
/// Refused (answer 400): see `Reason`.
///
/// Left alone, because folding would change what the upstream receives: upper and lower case, a trailing slash, and
/// `;parameters`. The route table matches a literal in any case, with and without them, so none leads around a route.
package enum PathNormalization {
    package enum Result: Sendable, Equatable {
        case unchanged
        case changed([UInt8])
        case refused(Reason)
    }

    package enum Reason: String, Sendable, Equatable, CaseIterable, CustomStringConvertible {
        case notAbsolute = "not-absolute"
        case queryOrFragment = "query-or-fragment"
        case controlCharacter = "control-character"
        case backslash = "backslash"
        case encodedSlash = "encoded-slash"
        case invalidEscape = "invalid-escape"
        case doubleEncoding = "double-encoding"
        case invalidUTF8 = "invalid-utf8"
        case overlongUTF8 = "overlong-utf8"
        case climbsAboveRoot = "climbs-above-root"
        case dotSegmentParameter = "dot-segment-parameter"
        case emptySegmentParameter = "empty-segment-parameter"

        package var description: String {
            switch self {
            case .notAbsolute: "the path does not start with a slash"
            case .queryOrFragment: "the path holds a raw ? or #"
            case .controlCharacter: "the path holds a space or a control character, raw or escaped"
            case .backslash: "the path holds a backslash, raw or escaped"
            case .encodedSlash: "the path holds an escaped slash"
            case .invalidEscape: "the path holds a % that is not followed by two hexadecimal digits"
            case .doubleEncoding: "the path is percent-encoded twice"
            case .invalidUTF8: "the path holds raw bytes that are not UTF-8"
            case .overlongUTF8: "the path holds an overlong UTF-8 sequence"
            case .climbsAboveRoot: "the path climbs above the root"
            case .dotSegmentParameter: "the path holds a dot segment with parameters"
            case .emptySegmentParameter: "the path holds an empty segment with parameters"
            }
        }
    }

    /// Normalises a path without its query. A plain path costs one scan and no allocation.
    package static func normalize(path: UnsafeRawBufferPointer) -> Result {
        isPlain(path) ? .unchanged : normalizeSlowly(path)
    }

    /// Whether nothing in the path can need a change: only bytes legal in a path, no escape, no segment that is empty
    /// or starts with `.` or `;`. Says no too often for names such as `.well-known`, which then cost an allocation.
    private static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
        guard path.first == UInt8(ascii: "/") else { return false }
        var atStart = false
        for byte in path {
            guard isPathByte(byte) else { return false }
            if atStart, byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ";") {
                return false
            }
            atStart = byte == UInt8(ascii: "/")
        }
        return true
    }

    /// `pchar` of RFC 3986 §3.3 without escapes, and `/`: two words of bits, one per half of ASCII.
    @inline(__always)
    static func isPathByte(_ byte: UInt8) -> Bool {
        guard byte < 0x80 else { return false }
        let bits: UInt64 = byte < 64 ? 0x2FFF_FFD2_0000_0000 : 0x47FF_FFFE_87FF_FFFF
        return bits &>> UInt64(byte & 63) & 1 == 1
    }

    private static func normalizeSlowly(_ path: UnsafeRawBufferPointer) -> Result {
        if path.isEmpty { return .changed([UInt8(ascii: "/")]) }  // `http://host` names the root, RFC 9110 §4.2.3.
        guard path.first == UInt8(ascii: "/") else { return .refused(.notAbsolute) }
        let decoded: [UInt8]
        switch unified(path) {
        case .failure(let refusal): return .refused(refusal.reason)
        case .success(let bytes): decoded = bytes
        }
        if let reason = hazard(in: decoded) { return .refused(reason) }
        switch withoutDotSegments(decoded) {
        case .failure(let refusal): return .refused(refusal.reason)
        case .success(let normal): return normal.elementsEqual(path) ? .unchanged : .changed(normal)
        }
    }
}

// MARK: - One spelling per byte

extension PathNormalization {
    private struct Refusal: Error { let reason: Reason }

    /// The path with every byte in its one spelling.
    private static func unified(_ path: UnsafeRawBufferPointer) -> Swift.Result<[UInt8], Refusal> {
        var output: [UInt8] = []
        output.reserveCapacity(path.count)
        var index = 0
        while index < path.count {
            let byte = path[index]
            if byte == UInt8(ascii: "%") {
                guard path.count - index > 2, let high = PercentEncoding.hexValue(path[index + 1]),
                    let low = PercentEncoding.hexValue(path[index + 2])
                else { return .failure(Refusal(reason: .invalidEscape)) }
                if let reason = appendEscaped(high << 4 | low, to: &output) { return .failure(Refusal(reason: reason)) }
                index += 3
            } else if byte >= 0x80 {
                let length = utf8Length(path, at: index)
                guard length > 0 else { return .failure(Refusal(reason: .invalidUTF8)) }
                for offset in 0..<length { PercentEncoding.append(path[index + offset], to: &output) }
                index += length
            } else {
                if let reason = appendRaw(byte, to: &output) { return .failure(Refusal(reason: reason)) }
                index += 1
            }
        }
        return .success(output)
    }

    private static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) -> Reason? {
        switch byte {
        case UInt8(ascii: "/"): return .encodedSlash
        case UInt8(ascii: "\\"): return .backslash
        case 0...0x1F, 0x7F: return .controlCharacter
        default:
            if isUnreserved(byte) { output.append(byte) } else { PercentEncoding.append(byte, to: &output) }
            return nil
        }
    }

    private static func appendRaw(_ byte: UInt8, to output: inout [UInt8]) -> Reason? {
        switch byte {
        case UInt8(ascii: "\\"): return .backslash
        case 0...0x20, 0x7F: return .controlCharacter
        case UInt8(ascii: "?"), UInt8(ascii: "#"): return .queryOrFragment
        default:
            if isPathByte(byte) { output.append(byte) } else { PercentEncoding.append(byte, to: &output) }
            return nil
        }
    }

    /// RFC 3986 §2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }

    /// The length of the well-formed UTF-8 sequence of two bytes or more at `index` (RFC 3629 §4), 0 if there is none.
    private static func utf8Length(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let second: ClosedRange<UInt8>
        let length: Int
        switch bytes[index] {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}

// MARK: - Escapes and segments that servers read in two ways

extension PathNormalization {
    /// Looks through the escapes of a unified path for a second layer of encoding and for overlong UTF-8. Escaped bytes
    /// that are merely not UTF-8 pass: an old monolith may well speak Latin-1 in its paths.
    private static func hazard(in path: [UInt8]) -> Reason? {
        var index = 0
        while index < path.count {
            guard path[index] == UInt8(ascii: "%") else {
                index += 1
                continue
            }
            let byte = escaped(path, at: index)
            let next = escaped(path, at: index + 3)
            switch (byte, next) {
            case (0x25, _) where isHex(path, index + 3) && isHex(path, index + 4): return .doubleEncoding
            case (0xC0...0xC1, 0x80...0xBF), (0xE0, 0x80...0x9F), (0xF0, 0x80...0x8F), (0xF8, 0x80...0x87),
                (0xFC, 0x80...0x83):
                return .overlongUTF8
            default: index += 3
            }
        }
        return nil
    }

    /// The byte of the escape at `index`, 0 if there is none.
    private static func escaped(_ path: [UInt8], at index: Int) -> UInt8 {
        guard index < path.count, path[index] == UInt8(ascii: "%"), path.count - index > 2,
            let high = PercentEncoding.hexValue(path[index + 1]), let low = PercentEncoding.hexValue(path[index + 2])
        else { return 0 }
        return high << 4 | low
    }

    private static func isHex(_ path: [UInt8], _ index: Int) -> Bool {
        index < path.count && PercentEncoding.hexValue(path[index]) != nil
    }

    /// Merges slashes and removes dot segments in one pass, in that order: `/a//../b` is `/b`.
    private static func withoutDotSegments(_ path: [UInt8]) -> Swift.Result<[UInt8], Refusal> {
        var output: [UInt8] = []
        output.reserveCapacity(path.count)
        var starts: [Int] = []  // where in `output` the slash of each kept segment is
        var start = 1
        while start <= path.count {
            let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
            let isLast = end == path.count
            let segment = path[start..<end]
            switch kind(of: segment) {
            case .empty, .dot:
                if isLast { output.append(UInt8(ascii: "/")) }
            case .dotDot:
                guard let last = starts.popLast() else { return .failure(Refusal(reason: .climbsAboveRoot)) }
                output.removeSubrange(last...)
                if isLast { output.append(UInt8(ascii: "/")) }
            case .dotWithParameters: return .failure(Refusal(reason: .dotSegmentParameter))
            case .emptyWithParameters where !isLast: return .failure(Refusal(reason: .emptySegmentParameter))
            case .emptyWithParameters, .plain:
                starts.append(output.count)
                output.append(UInt8(ascii: "/"))
                output.append(contentsOf: segment)
            }
            start = end + 1
        }
        return .success(output)
    }

    private enum SegmentKind { case empty, dot, dotDot, dotWithParameters, emptyWithParameters, plain }

    /// Servers that strip `;parameters` before they resolve dots read `/a/..;/b` as `/b`, and `/a/;x/b` as `/a//b`.
    /// No honest client writes either, so both are refused; only `/;session` as the last segment is in real use.
    private static func kind(of segment: ArraySlice<UInt8>) -> SegmentKind {
        if segment.isEmpty { return .empty }
        let dots = segment.prefix { $0 == UInt8(ascii: ".") }.count
        let rest = segment.dropFirst(dots)
        if rest.isEmpty { return dots == 1 ? .dot : dots == 2 ? .dotDot : .plain }
        let opensParameters = rest.first == UInt8(ascii: ";") || rest.starts(with: [0x25, 0x33, 0x42])  // ; or %3B
        guard opensParameters else { return .plain }
        if dots == 0 { return rest.first == UInt8(ascii: ";") ? .emptyWithParameters : .plain }
        return dots <= 2 ? .dotWithParameters : .plain
    }
}
