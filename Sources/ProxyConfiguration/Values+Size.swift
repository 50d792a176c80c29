/// Parsers of sizes, of whole shares, and of limits that may be absent.
extension Values {
    private static let sizeUnits = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    /// `32768`, `32KiB`, `10MiB`, `1GiB`: a whole number of bytes, or of a power of 1,024 bytes.
    static func size(_ range: ClosedRange<Int>) -> (String) throws(ValueError) -> Int {
        { text throws(ValueError) in
            guard let bytes = bytes(text) else { throw ValueError("`\(text)` is no size", fix: sizeFix(text)) }
            guard range.contains(bytes) else {
                throw ValueError(
                    "`\(text)` is no size in range",
                    fix: "expected \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound))")
            }
            return bytes
        }
    }

    /// What no integer holds is the largest one: a size, and in nobody's range.
    private static func bytes(_ text: String) -> Int? {
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        let suffix = text.utf8.dropFirst(digits.count)
        guard !digits.isEmpty else { return nil }
        let count = Int(Substring(digits)) ?? Int.max
        if suffix.isEmpty { return count }
        guard let unit = sizeUnits.first(where: { $0.0.utf8.elementsEqual(suffix) }) else { return nil }
        let (total, overflows) = count.multipliedReportingOverflow(by: unit.1)
        return overflows ? Int.max : total
    }

    /// `16k`, `16KB` and `16 kib` are told their right spelling: a kilobyte is 1,000 to some and 1,024 to others.
    private static func sizeFix(_ text: String) -> String {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let unit = sizeUnits.first { unit in
            let name = unit.0.lowercased()
            return [name, String(name.prefix(1)), "\(name.prefix(1))b"].contains(suffix)
        }
        if let unit, !digits.isEmpty { return "did you mean `\(digits)\(unit.0)`?" }
        return "expected bytes, or a size such as 32KiB, 10MiB, 1GiB"
    }

    /// In the largest unit that leaves no rest.
    private static func sizeText(_ bytes: Int) -> String {
        guard let unit = sizeUnits.first(where: { bytes % $0.1 == 0 }), bytes > 0 else { return "\(bytes)" }
        return "\(bytes / unit.1)\(unit.0)"
    }

    /// `50%`: the share of a small number of things, where hundredths would mean nothing.
    static func wholePercent(_ range: ClosedRange<Int>) -> (String) throws(ValueError) -> Int {
        { text throws(ValueError) in
            let digits = text.utf8.dropLast()
            guard text.hasSuffix("%"), (1...3).contains(digits.count),
                digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(Substring(digits)),
                range.contains(value)
            else {
                throw ValueError(
                    "`\(text)` is no whole percentage in range",
                    fix: "expected \(range.lowerBound)% to \(range.upperBound)%, such as 50%")
            }
            return value
        }
    }

    /// A limit, or the word `none`; 0 stands for no limit in some programs and for nothing at all in others.
    static func orNone<Value>(
        _ parse: @escaping (String) throws(ValueError) -> Value
    ) -> (String) throws(ValueError) -> Value? {
        { text throws(ValueError) in
            if text == "none" { return nil }
            do throws(ValueError) {
                return try parse(text)
            } catch {
                throw ValueError(error.problem, fix: error.fix.map { $0.hasPrefix("expected") ? $0 + ", or none" : $0 })
            }
        }
    }
}
