/// Bytes and references that XML and HTML have in common.
enum Markup {
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 || byte == 0x0C
    }

    /// Beyond ASCII, any character may stand in a name: XML 1.0 §2.3 rules out few.
    static func isNameStart(_ byte: UInt8) -> Bool {
        FieldList.lowercased(byte) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
            || byte >= 0x80
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        isNameStart(byte) || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    static func starts(_ bytes: [UInt8], at position: Int, with text: StaticString) -> Bool {
        guard bytes.count - position >= text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[position + offset] != text.utf8Start[offset] {
            return false
        }
        return true
    }

    /// `#233` or `#xE9`, as a code point; nil for anything else, and for what is none.
    static func numericReference(_ name: ArraySlice<UInt8>) -> UInt32? {
        guard name.first == UInt8(ascii: "#") else { return nil }
        var digits = name.dropFirst()
        var radix: UInt32 = 10
        if let mark = digits.first, mark | 0x20 == UInt8(ascii: "x") {
            radix = 16
            digits = digits.dropFirst()
        }
        guard !digits.isEmpty else { return nil }
        var value: UInt32 = 0
        for byte in digits {
            guard let digit = JSONText.hexDigit(byte), digit < radix else { return nil }
            value = value * radix + digit
            guard value <= 0x10FFFF else { return nil }
        }
        return 0xD800..<0xE000 ~= value ? nil : value
    }

    /// XML 1.0 §2.2.
    static func isXMLCharacter(_ point: UInt32) -> Bool {
        point >= 0x20 && point != 0xFFFE && point != 0xFFFF || point == 0x09 || point == 0x0A || point == 0x0D
    }

    /// The five that XML knows without a definition (§4.6).
    static func predefined(_ name: ArraySlice<UInt8>) -> UInt8? {
        if name.elementsEqual("amp".utf8) { return UInt8(ascii: "&") }
        if name.elementsEqual("lt".utf8) { return UInt8(ascii: "<") }
        if name.elementsEqual("gt".utf8) { return UInt8(ascii: ">") }
        if name.elementsEqual("quot".utf8) { return UInt8(ascii: "\"") }
        return name.elementsEqual("apos".utf8) ? UInt8(ascii: "'") : nil
    }
}
