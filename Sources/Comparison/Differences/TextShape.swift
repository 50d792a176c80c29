/// Formats that machines write and read, and that a text has or has not. Words, numbers and short tokens have none: chance
/// makes one look like another.
struct TextShapes: OptionSet {
    let rawValue: UInt8

    /// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
    static let uuid = TextShapes(rawValue: 1)
    /// A date-time with its offset.
    static let time = TextShapes(rawValue: 2)
    /// A date-time that lost it.
    static let localTime = TextShapes(rawValue: 4)
    static let date = TextShapes(rawValue: 8)
    /// 16 hexadecimal digits or more: hashes, trace ids.
    static let hexadecimal = TextShapes(rawValue: 16)

    /// Longer texts than the longest date-time or SHA-512 have no shape.
    private static let longest = 128

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(of text: [UInt8]) {
        self = []
        guard text.count >= 10, text.count <= Self.longest else { return }
        if Self.isUUID(text) { insert(.uuid) }
        if Self.isLongHexadecimal(text) { insert(.hexadecimal) }
        if let time = Timestamp(text) { insert(time.hasOffset ? .time : .localTime) }
        if text.count == 10, Timestamp(text + "T00:00:00Z".utf8) != nil { insert(.date) }
    }

    /// Whether one of two texts has a format that the other has not: a client that reads it could not read the other.
    static func areApart(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let (left, right) = (TextShapes(of: one), TextShapes(of: other))
        return !left.union(right).isEmpty && left.isDisjoint(with: right)
    }

    static func isLongHexadecimal(_ text: [UInt8]) -> Bool {
        text.count >= 16 && text.allSatisfy { JSONText.hexDigit($0) != nil }
    }

    static func isUUID(_ text: [UInt8]) -> Bool {
        guard text.count == 36 else { return false }
        for (place, byte) in text.enumerated() {
            let isDash = place == 8 || place == 13 || place == 18 || place == 23
            guard isDash ? byte == UInt8(ascii: "-") : JSONText.hexDigit(byte) != nil else { return false }
        }
        return true
    }
}
