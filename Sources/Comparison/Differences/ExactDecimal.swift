/// A JSON number as it was written, for comparing without rounding: 9007199254740993 and 9007199254740992
/// are one apart, which no `Double` can say.
package struct ExactDecimal: Sendable, Equatable {
    let isNegative: Bool
    /// Without leading and trailing zeros; empty for zero. Most significant first, 0...9.
    let digits: [UInt8]
    /// Power of ten of the last digit.
    let exponent: Int

    /// Aligned numbers longer than this are not subtracted: 1e999999999 is short to write.
    static let maximumDigits = 4096

    /// Zero.
    init() {
        isNegative = false
        digits = []
        exponent = 0
    }

    /// - Parameter lexeme: a number that `JSONParser` would accept; nil if its exponent is beyond ±10^9.
    package init?(_ lexeme: some Sequence<UInt8>) {
        var digits: [UInt8] = []
        var fraction = 0
        var exponent = 0
        var negativeExponent = false
        var part = Part.integer
        var isNegative = false
        for byte in lexeme {
            switch byte {
            case UInt8(ascii: "-"): if part == .exponent { negativeExponent = true } else { isNegative = true }
            case UInt8(ascii: "."): part = .fraction
            case UInt8(ascii: "e"), UInt8(ascii: "E"): part = .exponent
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = byte - UInt8(ascii: "0")
                if part == .exponent {
                    exponent = exponent * 10 + Int(digit)
                    guard exponent <= 1_000_000_000 else { return nil }
                } else {
                    digits.append(digit)
                    if part == .fraction { fraction += 1 }
                }
            case UInt8(ascii: "+"): break
            default: return nil
            }
        }
        let significant = digits.drop { $0 == 0 }
        let trailing = significant.reversed().prefix { $0 == 0 }.count
        self.digits = Array(significant.dropLast(trailing))
        self.exponent = self.digits.isEmpty ? 0 : (negativeExponent ? -exponent : exponent) - fraction + trailing
        self.isNegative = isNegative && !self.digits.isEmpty
    }

    /// - Parameter text: nil unless it is a number as JSON writes it.
    init?(parsing text: [UInt8]) {
        guard let document = try? Document(json: text), document.kind(of: document.root) == .number,
            document.range(of: document.root).count == text.count
        else { return nil }
        self.init(text)
    }

    /// - Parameter limit: finite and not negative, or nil.
    init?(limit: Double) {
        guard limit.isFinite, limit >= 0 else { return nil }
        self.init(limit.description.utf8)
    }

    private enum Part { case integer, fraction, exponent }

    /// Power of ten just above the number.
    private var magnitude: Int { exponent + digits.count }

    /// Whether the two are at most `limit` apart. Numbers too far apart in size to be subtracted are told
    /// apart by their size alone.
    static func areClose(_ left: ExactDecimal, _ right: ExactDecimal, within limit: ExactDecimal) -> Bool {
        let all = [left, right, limit].filter { !$0.digits.isEmpty }
        guard let lowest = all.map(\.exponent).min(), let highest = all.map(\.magnitude).max() else { return true }
        guard highest - lowest <= maximumDigits else {
            if left.isNegative == right.isNegative, left.digits == right.digits, left.exponent == right.exponent {
                return true
            }
            // Both under a tenth of the limit's leading digit: their distance cannot reach it.
            let bound = limit.magnitude - 1
            return !limit.digits.isEmpty
                && [left, right].allSatisfy { $0.digits.isEmpty || $0.magnitude < bound }
        }
        let width = highest - lowest
        let first = left.aligned(to: lowest, width: width)
        let second = right.aligned(to: lowest, width: width)
        let distance =
            left.isNegative == right.isNegative ? difference(first, second) : sum(first, second)
        return !([0] + limit.aligned(to: lowest, width: width)).lexicographicallyPrecedes(distance)
    }

    private func aligned(to lowest: Int, width: Int) -> [UInt8] {
        guard !digits.isEmpty else { return Array(repeating: 0, count: width) }
        let tail = exponent - lowest
        return Array(repeating: 0, count: width - tail - digits.count) + digits + Array(repeating: 0, count: tail)
    }

    /// |left - right| of numbers of equal width, one digit wider.
    private static func difference(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        let (large, small) = left.lexicographicallyPrecedes(right) ? (right, left) : (left, right)
        var result = [UInt8](repeating: 0, count: large.count + 1)
        var borrow: UInt8 = 0
        for index in large.indices.reversed() {
            let lower = small[index] + borrow
            borrow = large[index] < lower ? 1 : 0
            result[index + 1] = large[index] + borrow * 10 - lower
        }
        return result
    }

    private static func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: left.count + 1)
        var carry: UInt8 = 0
        for index in left.indices.reversed() {
            let digit = left[index] + right[index] + carry
            result[index + 1] = digit % 10
            carry = digit / 10
        }
        result[0] = carry
        return result
    }
}
