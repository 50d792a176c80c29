/// UTF-8 and JSON string escapes, byte by byte.
enum JSONText {
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// The length of the well-formed UTF-8 sequence of more than one byte at `position` (Unicode 16 table
    /// 3-7), or 0: overlong forms, surrogates, values above U+10FFFF and cut sequences are not well-formed.
    static func scalarLength(in bytes: [UInt8], at position: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { scalarLength(in: $0, from: position, to: buffer.count) } ?? 0
        }
    }

    static func scalarLength(in bytes: UnsafePointer<UInt8>, from position: Int, to end: Int) -> Int {
        func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            position + offset < end && range.contains(bytes[position + offset])
        }
        guard position >= 0, position < end else { return 0 }
        switch bytes[position] {
        case 0xC2...0xDF: return continues(1) ? 2 : 0
        case 0xE0: return continues(1, 0xA0...0xBF) && continues(2) ? 3 : 0
        case 0xED: return continues(1, 0x80...0x9F) && continues(2) ? 3 : 0
        case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
        case 0xF0: return continues(1, 0x90...0xBF) && continues(2) && continues(3) ? 4 : 0
        case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return continues(1, 0x80...0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }

    /// The content of a string that `JSONParser` has accepted, without its quotes.
    static func decoded(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var rest = content
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch letter {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): appendScalar(codePoint(&rest), to: &result)
            default: result.append(letter)
            }
        }
        return result
    }

    /// Four hex digits, and the low half of a surrogate pair if it follows.
    private static func codePoint(_ rest: inout ArraySlice<UInt8>) -> UInt32 {
        let unit = hexUnit(rest.prefix(4))
        rest = rest.dropFirst(4)
        guard 0xD800..<0xDC00 ~= unit, rest.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { return unit }
        let low = hexUnit(rest.dropFirst(2).prefix(4))
        guard 0xDC00..<0xE000 ~= low else { return unit }
        rest = rest.dropFirst(6)
        return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }

    static func hexUnit(_ digits: ArraySlice<UInt8>) -> UInt32 {
        digits.reduce(0) { $0 << 4 | (hexDigit($1) ?? 0) }
    }

    /// Appends a code point up to U+10FFFF as UTF-8; a surrogate in the same three-byte form (WTF-8).
    static func appendScalar(_ point: UInt32, to bytes: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | (point >> shift & 0x3F)) }
        switch point {
        case 0..<0x80: bytes.append(UInt8(truncatingIfNeeded: point))
        case 0x80..<0x800: bytes += [UInt8(truncatingIfNeeded: 0xC0 | point >> 6), tail(0)]
        case 0x800..<0x10000: bytes += [UInt8(truncatingIfNeeded: 0xE0 | point >> 12), tail(6), tail(0)]
        default: bytes += [UInt8(truncatingIfNeeded: 0xF0 | point >> 18), tail(12), tail(6), tail(0)]
        }
    }

    /// `\uXXXX`
    static func escaped(_ unit: UInt16) -> [UInt8] {
        let digits = Array(String(unit, radix: 16, uppercase: true).utf8)
        return Array("\\u".utf8) + Array(repeating: UInt8(ascii: "0"), count: 4 - digits.count) + digits
    }

    /// Whether the bytes begin with a lone surrogate in the three-byte form of `appendScalar`.
    static func isSurrogate(_ bytes: ArraySlice<UInt8>) -> Bool {
        let head = Array(bytes.prefix(3))
        return head.count == 3 && head[0] == 0xED && head[1] & 0xE0 == 0xA0 && head[2] & 0xC0 == 0x80
    }

    /// The code unit of a lone surrogate in the three-byte form of `appendScalar` at the start of `bytes`.
    static func surrogate(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.prefix(3).dropFirst().reduce(0xD) { $0 << 6 | UInt16($1 & 0x3F) }
    }
}
