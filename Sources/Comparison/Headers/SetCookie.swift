/// One `Set-Cookie` field as a browser reads it (RFC 6265 §5.2).
struct SetCookie {
    let name: String
    let value: String
    /// By lower-case name, normalised; of a repeated attribute the last, which is the one that counts.
    let attributes: [String: String]

    /// Nil if a browser would ignore the whole field: no name.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        let pair = FieldList.pair(first)
        guard let value = pair.value, !pair.name.isEmpty else { return nil }
        name = pair.name
        self.value = value
        var attributes: [String: String] = [:]
        for part in parts.dropFirst() {
            let attribute = FieldList.pair(part)
            guard !attribute.name.isEmpty else { continue }
            let name = FieldList.lowercased(attribute.name)
            attributes[name] = SetCookie.normalised(name, attribute.value ?? "")
        }
        self.attributes = attributes
    }

    /// Cookies of one name live side by side if these differ (§5.3 step 11).
    var scope: [String?] { [name, attributes["domain"], attributes["path"]] }

    private static func normalised(_ name: String, _ value: String) -> String {
        switch name {
        case "domain": FieldList.lowercased(value.utf8.first == UInt8(ascii: ".") ? value.dropFirst() : value[...])
        case "samesite": FieldList.lowercased(value)
        case "secure", "httponly": ""
        default: value
        }
    }
}

extension HeaderDifference {
    /// Two times that one clock gave to two servers may be this far apart, in seconds.
    private static let expiryTolerance = 2

    /// Cookies by name and attributes; nil if a field on either side is none.
    static func cookies(_ left: [String], _ right: [String]) -> [HeaderDifference]? {
        let (first, second) = (left.compactMap(SetCookie.init), right.compactMap(SetCookie.init))
        guard first.count == left.count, second.count == right.count else { return nil }
        var partners = Partners(count: first.count)
        // First those with the same scope, then what is left of the same name in order: a changed path is one.
        partners.pair(first.map(\.scope), second.map(\.scope))
        partners.pair(first.map { [$0.name] }, second.map { [$0.name] })
        var result: [HeaderDifference] = []
        for (cookie, partner) in zip(first, partners.ofFirst) {
            if let partner {
                result += differences(cookie, second[partner])
            } else {
                result.append(HeaderDifference(.missing, at: [cookie.name], cookie.value, nil, shown: .asToken))
            }
        }
        for (index, cookie) in second.enumerated() where !partners.taken.contains(index) {
            result.append(HeaderDifference(.extra, at: [cookie.name], nil, cookie.value, shown: .asToken))
        }
        return result
    }

    /// Which of the second list belongs to which of the first.
    private struct Partners {
        var ofFirst: [Int?]
        var taken = Set<Int>()

        init(count: Int) { ofFirst = Array(repeating: nil, count: count) }

        /// Pairs those that have no partner yet and the same key, in their order.
        mutating func pair(_ first: [[String?]], _ second: [[String?]]) {
            let free = second.indices.reversed().filter { !taken.contains($0) }
            var waiting = Dictionary(grouping: free) { second[$0] }
            for index in first.indices where ofFirst[index] == nil {
                guard let partner = waiting[first[index]]?.popLast() else { continue }
                ofFirst[index] = partner
                taken.insert(partner)
            }
        }
    }

    private static func differences(_ left: SetCookie, _ right: SetCookie) -> [HeaderDifference] {
        var result: [HeaderDifference] = []
        if let value = part([left.name], left.value, right.value, shown: .asToken) { result.append(value) }
        for name in Set(left.attributes.keys).union(right.attributes.keys).sorted() {
            let (one, other) = (left.attributes[name], right.attributes[name])
            guard var difference = part([left.name, name], one, other) else { continue }
            if name == "expires", let one, let other {
                switch (CookieDate(one), CookieDate(other)) {
                case (let first?, let second?):
                    if abs(first.seconds - second.seconds) <= expiryTolerance { continue }
                case (nil, nil): break
                default: difference.kind = .format
                }
            }
            result.append(difference)
        }
        return result
    }
}

/// A date as browsers read it in cookies (RFC 6265 §5.1.1), which takes in all three forms of RFC 9110 §5.6.7.
struct CookieDate {
    /// Since 1970-01-01 UTC.
    let seconds: Int

    init?(_ text: String) {
        var (time, day, month, year): (Int?, Int?, Int?, Int?)
        for token in text.utf8.split(whereSeparator: CookieDate.isDelimiter) {
            if time == nil, let found = CookieDate.time(token) {
                time = found
            } else if day == nil, let found = CookieDate.number(token, digits: 1...2) {
                day = found
            } else if month == nil, let found = CookieDate.month(token) {
                month = found
            } else if year == nil, let found = CookieDate.number(token, digits: 2...4) {
                year = found
            }
        }
        guard let time, let day, let month, var year else { return nil }
        if (70...99).contains(year) { year += 1900 } else if (0...69).contains(year) { year += 2000 }
        guard year >= 1601, (1...Timestamp.days(in: month, of: year)).contains(day) else { return nil }
        seconds = Timestamp.daysSinceEpoch(year: year, month: month, day: day) * 86_400 + time
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x20...0x2F, 0x3B...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// `h:m:s` as seconds of the day.
    private static func time(_ token: Substring.UTF8View) -> Int? {
        let parts = token.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = number(parts[0], digits: 1...2), hour < 24,
            let minute = number(parts[1], digits: 1...2), minute < 60,
            let second = number(parts[2], digits: 1...2), second < 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Digits at the start; what follows them is no digit.
    private static func number(_ token: Substring.UTF8View, digits: ClosedRange<Int>) -> Int? {
        let leading = token.prefix { $0 &- UInt8(ascii: "0") < 10 }
        guard digits.contains(leading.count) else { return nil }
        return leading.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    private static func month(_ token: Substring.UTF8View) -> Int? {
        let name = token.prefix(3).map { FieldList.lowercased($0) }
        return months.firstIndex { $0.utf8.elementsEqual(name) }.map { $0 + 1 }
    }
}
