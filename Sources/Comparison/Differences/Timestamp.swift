/// An RFC 3339 §5.6 date-time, with or without its offset.
struct Timestamp {
    /// Since 1970-01-01, as if the offset were zero when there is none.
    let seconds: Int
    /// 0..<1; digits after the ninth are dropped.
    let nanoseconds: Int
    let hasOffset: Bool

    /// `2026-11-21T04:05:06.789+01:00`; `t`, `z` and a blank for the `T` are accepted, as §5.6 allows, and so
    /// is a leap second. A text without offset is no RFC 3339 time; it is read so that it can be told apart.
    init?(_ text: some Collection<UInt8>) {
        var reader = DigitReader(rest: Array(text)[...])
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), 1...12 ~= month,
            reader.skip("-"), let day = reader.number(2),
            1...Timestamp.days(in: month, of: year) ~= day, reader.skip("Tt "),
            let hour = reader.number(2), hour < 24, reader.skip(":"), let minute = reader.number(2), minute < 60,
            reader.skip(":"), let second = reader.number(2), second <= 60
        else { return nil }
        var nanoseconds = 0
        if reader.skip(".") {
            guard let fraction = reader.fraction() else { return nil }
            nanoseconds = fraction
        }
        var offset: Int?
        if reader.skip("Zz") {
            offset = 0
        } else if let sign = reader.sign() {
            // ISO 8601's basic form of the offset, `+0100`, is what several log and cloud formats write.
            guard let hours = reader.number(2), hours < 24, reader.skip(":") || reader.rest.count == 2,
                let minutes = reader.number(2), minutes < 60
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard reader.rest.isEmpty else { return nil }
        let days = Timestamp.daysSinceEpoch(year: year, month: month, day: day)
        seconds = days * 86_400 + hour * 3600 + minute * 60 + second - (offset ?? 0)
        self.nanoseconds = nanoseconds
        hasOffset = offset != nil
    }

    /// Seconds between the two, 0...
    func distance(to other: Timestamp) -> Double {
        let whole = seconds - other.seconds
        let part = nanoseconds - other.nanoseconds
        return abs(Double(whole) + Double(part) / 1_000_000_000)
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Proleptic Gregorian. Counting years from March puts the leap day last, so every month before it has a
    /// fixed place: the first day of month m (March = 0) is day (153 m + 2) / 5.
    static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let leapDays = floorDivide(marchYear, 4) - floorDivide(marchYear, 100) + floorDivide(marchYear, 400)
        return marchYear * 365 + leapDays + (153 * marchMonth + 2) / 5 + day - 1 - 719_468
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }
}

private struct DigitReader {
    var rest: ArraySlice<UInt8>

    mutating func number(_ count: Int) -> Int? {
        guard rest.count >= count else { return nil }
        var value = 0
        for byte in rest.prefix(count) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(count)
        return value
    }

    /// Digits after the point as nanoseconds; nil if there is none.
    mutating func fraction() -> Int? {
        let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        var value = 0
        for place in 0..<9 {
            let digit = place < digits.count ? digits[digits.startIndex + place] - UInt8(ascii: "0") : 0
            value = value * 10 + Int(digit)
        }
        return value
    }

    mutating func sign() -> Int? {
        if skip("+") { return 1 }
        return skip("-") ? -1 : nil
    }

    /// Takes one byte if it is one of these.
    mutating func skip(_ choices: StaticString) -> Bool {
        guard let byte = rest.first,
            UnsafeBufferPointer(start: choices.utf8Start, count: choices.utf8CodeUnitCount).contains(byte)
        else { return false }
        rest.removeFirst()
        return true
    }
}
