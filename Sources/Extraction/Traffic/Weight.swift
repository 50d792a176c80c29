/// A share in steps of a hundredth of a percent: of keys that move over, of requests that are sampled, of answers
/// that may differ. Whole hundredths, because a weight is compared with one of 10,000 hash buckets on every
/// request, and because 0.1 % has no exact binary fraction. Shares outside 0 … 100 % cannot be represented.
package struct Weight: Hashable, Comparable, Sendable {
    /// 0 … 10,000.
    package let hundredths: Int

    package static let none = Weight(clamping: 0)
    package static let all = Weight(clamping: 10_000)

    /// Nil outside 0 … 10,000.
    package init?(hundredths: Int) {
        guard (0...10_000).contains(hundredths) else { return nil }
        self.hundredths = hundredths
    }

    /// The nearest share that can be represented.
    package init(clamping hundredths: Int) {
        self.hundredths = min(max(hundredths, 0), 10_000)
    }

    /// Reads `25%`, `25` or `12.34%`: up to three digits, up to two decimals, the percent sign optional. Anything
    /// else is nil, more decimals too: a weight is never rounded behind the writer's back.
    package init?(parsing text: String) {
        var digits = text[...].utf8
        if digits.last == UInt8(ascii: "%") { digits.removeLast() }
        let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Self.number($0, digits: 1...3) }) else { return nil }
        switch parts.count {
        case 1:
            self.init(hundredths: whole * 100)
        case 2:
            guard let decimals = Self.number(parts[1], digits: 1...2) else { return nil }
            self.init(hundredths: whole * 100 + (parts[1].count == 1 ? decimals * 10 : decimals))
        default:
            return nil
        }
    }

    private static func number(_ text: Substring.UTF8View, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.count) else { return nil }
        var value = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// 0 … 100.
    package var percent: Double { Double(hundredths) / 100 }

    package static func < (left: Weight, right: Weight) -> Bool { left.hundredths < right.hundredths }
}

extension Weight: CustomStringConvertible {
    /// `25%`, `12.5%`, `12.34%`: what `init(parsing:)` reads back as the same weight.
    package var description: String {
        let (whole, decimals) = hundredths.quotientAndRemainder(dividingBy: 100)
        if decimals == 0 { return "\(whole)%" }
        if decimals % 10 == 0 { return "\(whole).\(decimals / 10)%" }
        return "\(whole).\(decimals < 10 ? "0" : "")\(decimals)%"
    }
}

extension Weight: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let percent = try container.decode(Double.self)
        let hundredths = (percent * 100).rounded()
        // A third decimal is refused like in text; 1e-6 only forgives what binary fractions do to 12.34.
        guard (0...10_000).contains(hundredths), abs(percent * 100 - hundredths) < 1e-6,
            let weight = Weight(hundredths: Int(hundredths))
        else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "a weight is a percentage from 0 to 100 with up to two decimals, not \(percent)")
        }
        self = weight
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if hundredths % 100 == 0 {
            try container.encode(hundredths / 100)
        } else {
            try container.encode(percent)
        }
    }
}
