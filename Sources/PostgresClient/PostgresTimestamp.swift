package import Foundation

/// `timestamptz` as text, at Postgres's own resolution of one microsecond.
///
/// `Date`'s formatters stop at milliseconds, and a time that comes back other than it went in would make two equal
/// states differ. The calendar arithmetic is Howard Hinnant's "chrono-compatible low-level date algorithms".
package enum PostgresTimestamp {
    /// `2026-11-21T04:00:00.123456Z`. A date outside the years 1...9999 is moved to the nearest end of that range.
    package static func text(_ date: Date) -> String {
        let bounded = min(max(date.timeIntervalSinceReferenceDate, earliest - epoch), latest - epoch)
        let microseconds = Int64((bounded * 1_000_000).rounded()) + Int64(epoch) * 1_000_000
        let seconds = floorDivide(microseconds, by: 1_000_000)
        let days = floorDivide(seconds, by: 86_400)
        let (year, month, day) = civil(fromDays: days)
        let second = seconds - days * 86_400
        let fraction = microseconds - seconds * 1_000_000
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
            + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
            + "." + padded(fraction, 6) + "Z"
    }

    /// Reads what Postgres writes with `datestyle` ISO: `2026-11-21 04:00:00.123456+00`, also with minutes in the
    /// offset. Nil for anything else (`infinity`, a year before Christ).
    package static func date(_ text: String) -> Date? {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), (1...12).contains(month), scanner.skip("-"),
            let day = scanner.number(digits: 2), (1...31).contains(day),
            scanner.skip(" ") || scanner.skip("T"),
            let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2), scanner.skip(":"),
            let second = scanner.number(digits: 2)
        else { return nil }
        let microseconds = scanner.skip(".") ? scanner.fraction() : 0
        guard let microseconds, let offset = scanner.offset(), scanner.isAtEnd else { return nil }
        let days = days(fromCivil: year, month, day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        let total = (seconds - Int64(epoch)) * 1_000_000 + microseconds
        return Date(timeIntervalSinceReferenceDate: Double(total) / 1_000_000)
    }

    /// Seconds from 1970 to 2001, which `Date` counts from: converting its number first would cost a bit of precision.
    private static let epoch = Date.timeIntervalBetween1970AndReferenceDate
    private static let earliest = -62_135_596_800.0  // 0001-01-01
    private static let latest = 253_402_300_799.0  // 9999-12-31 23:59:59

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivide(year, by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// A cursor over the few characters that a timestamp is made of.
private struct DigitScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 0x30)
            rest.removeFirst()
        }
        return value
    }

    /// One to six digits after the point, as microseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < 6, let digit = number(digits: 1) {
            value = value * 10 + digit
            count += 1
        }
        guard count > 0 else { return nil }
        while count < 6 {
            value *= 10
            count += 1
        }
        return value
    }

    /// `Z`, `+02`, `-03:30` or `+00:19:32`, in seconds east of Greenwich.
    mutating func offset() -> Int64? {
        if skip("Z") { return 0 }
        let isWest = skip("-")
        guard isWest || skip("+"), let hours = number(digits: 2) else { return nil }
        var seconds = hours * 3600
        if skip(":") {
            guard let minutes = number(digits: 2) else { return nil }
            seconds += minutes * 60
            if skip(":") {
                guard let rest = number(digits: 2) else { return nil }
                seconds += rest
            }
        }
        return isWest ? -seconds : seconds
    }
}
