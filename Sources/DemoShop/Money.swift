/// A unit price in thousandths of the currency unit. Wholesale price lists carry three decimals, and that third
/// decimal is what makes the place of rounding visible.
///
/// Range: 0 to 10⁹ thousandths; with at most 50 lines of at most 1000 pieces (``OrderLimits``) no sum overflows.
package struct UnitPrice: Sendable, Hashable {
    package let thousandths: Int

    package init(thousandths: Int) {
        self.thousandths = thousandths
    }

    /// Reads a plain decimal with at most three decimals, as Postgres writes `numeric`. Nil for anything else.
    package init?(decimal text: String) {
        guard let value = DecimalText.scaled(text, decimals: 3), (0...1_000_000_000).contains(value) else { return nil }
        thousandths = value
    }

    /// At least two decimals, the third only when it is not zero: `74.99`, `12.345`.
    package var lexeme: String {
        let text = DecimalText.plain(thousandths, decimals: 3)
        return text.hasSuffix("0") ? String(text.dropLast()) : text
    }
}

/// An amount of money in hundredths of the currency unit.
package struct Cents: Sendable, Hashable, Comparable {
    package let count: Int

    package init(_ count: Int) {
        self.count = count
    }

    /// Reads a plain decimal with at most two decimals. Nil for anything else.
    package init?(decimal text: String) {
        guard let value = DecimalText.scaled(text, decimals: 2) else { return nil }
        count = value
    }

    /// Always two decimals: `149.98`, `0.00`, `-3.50`.
    package var lexeme: String { DecimalText.plain(count, decimals: 2) }

    package static func < (left: Cents, right: Cents) -> Bool { left.count < right.count }
}

/// Plain decimal notation for scaled integers. Floating point never touches money on the server side.
enum DecimalText {
    /// `12.5` with 3 decimals → 12500. Nil when the text is not a plain decimal, has more non-zero decimals, or
    /// does not fit.
    static func scaled(_ text: String, decimals: Int) -> Int? {
        let negative = text.hasPrefix("-")
        let parts = (negative ? text.dropFirst() : text[...]).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty else { return nil }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        if parts.count == 2 && fraction.isEmpty { return nil }
        while fraction.count > decimals, fraction.hasSuffix("0") { fraction.removeLast() }
        guard fraction.count <= decimals else { return nil }
        let digits = whole + fraction + String(repeating: "0", count: decimals - fraction.count)
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let value = Int(digits) else { return nil }
        return negative ? -value : value
    }

    static func plain(_ value: Int, decimals: Int) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return (value < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }
}
