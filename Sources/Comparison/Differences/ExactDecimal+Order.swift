extension ExactDecimal: Comparable {
    /// By sign, then by size, then digit for digit: exact, however far apart the two are.
    package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let (leftSign, rightSign) = (left.sign, right.sign)
        guard leftSign == rightSign else { return leftSign < rightSign }
        switch leftSign {
        case 1: return left.isSmaller(than: right)
        case -1: return right.isSmaller(than: left)
        default: return false
        }
    }

    package static let zero = ExactDecimal()

    /// No digit behind the point: `1`, `1.0`, `1e3`.
    package var isWhole: Bool { digits.isEmpty || exponent >= 0 }

    /// The same for all spellings of one number, and a number as JSON writes it.
    package var canonicalText: String {
        guard !digits.isEmpty else { return "0" }
        let text = String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
        return (isNegative ? "-" : "") + text + (exponent == 0 ? "" : "e\(exponent)")
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    /// Of two that are not zero, by their distance from it.
    private func isSmaller(than other: ExactDecimal) -> Bool {
        let (size, otherSize) = (exponent + digits.count, other.exponent + other.digits.count)
        return size != otherSize ? size < otherSize : digits.lexicographicallyPrecedes(other.digits)
    }
}
