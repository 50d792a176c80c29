/// Writes of one extraction that went to the primary without having been written down, because they could not be.
package struct SpoolGap: Sendable, Equatable {
    /// `*`: of any extraction.
    package var extraction: String
    /// Milliseconds since 1970.
    package var began: Int64
    package var ended: Int64
    package var count: UInt64
    /// Why, by the last one: a ``LogRefusal``'s name.
    package var reason: String

    package init(extraction: String, began: Int64, ended: Int64, count: UInt64, reason: String) {
        self.extraction = extraction
        self.began = began
        self.ended = ended
        self.count = count
        self.reason = reason
    }
}

/// The gaps of one spool, as they stand in a file of fixed size: for some extractions each, for the rest together.
enum SpoolGaps {
    static let limit = 32
    static let rest = "*"
    private static let longestName = 64
    private static let longestReason = 32

    static func merge(_ gap: SpoolGap, into gaps: inout [SpoolGap]) {
        var gap = gap
        let isKnown = gaps.contains { $0.extraction == gap.extraction }
        if gap.extraction.utf8.count > longestName
            || (!isKnown && gaps.count(where: { $0.extraction != rest }) >= limit)
        {
            gap.extraction = rest
        }
        guard let place = gaps.firstIndex(where: { $0.extraction == gap.extraction }) else { return gaps.append(gap) }
        gaps[place].began = min(gaps[place].began, gap.began)
        gaps[place].ended = max(gaps[place].ended, gap.ended)
        gaps[place].count =
            gaps[place].count.addingReportingOverflow(gap.count).overflow ? .max : gaps[place].count + gap.count
        gaps[place].reason = gap.reason
    }

    /// Takes away what has been filed. What came meanwhile stays, and begins where that ended.
    static func remove(_ filed: [SpoolGap], from gaps: inout [SpoolGap]) {
        for gap in filed {
            guard let place = gaps.firstIndex(where: { $0.extraction == gap.extraction }) else { continue }
            if gaps[place].count <= gap.count {
                gaps.remove(at: place)
            } else {
                gaps[place].count -= gap.count
                gaps[place].began = max(gaps[place].began, gap.ended)
            }
        }
    }

    /// Within ``SlotFile/capacity`` for as many as are kept.
    static func bytes(_ gaps: [SpoolGap]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(clamping: gaps.count)]
        for gap in gaps {
            bytes.append(text: gap.extraction, longestName)
            bytes.append(lowestFirst: gap.began)
            bytes.append(lowestFirst: gap.ended)
            bytes.append(lowestFirst: gap.count)
            bytes.append(text: gap.reason, longestReason)
        }
        return bytes
    }

    /// Nil: not written by ``bytes(_:)``.
    static func gaps(_ bytes: [UInt8]) -> [SpoolGap]? {
        var rest = bytes[...]
        guard let count = rest.popFirst() else { return nil }
        var gaps: [SpoolGap] = []
        for _ in 0..<count {
            guard let extraction = rest.popText(), let began = rest.popNumber(), let ended = rest.popNumber(),
                let number = rest.popNumber(), let reason = rest.popText()
            else { return nil }
            gaps.append(
                SpoolGap(
                    extraction: extraction, began: Int64(bitPattern: began), ended: Int64(bitPattern: ended),
                    count: number, reason: reason))
        }
        return rest.isEmpty ? gaps : nil
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: String, _ longest: Int) {
        let bytes = text.utf8.prefix(longest)
        append(UInt8(clamping: bytes.count))
        append(contentsOf: bytes)
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func popText() -> String? {
        guard let count = popFirst(), self.count >= count else { return nil }
        defer { removeFirst(Int(count)) }
        return String(decoding: prefix(Int(count)), as: UTF8.self)
    }

    fileprivate mutating func popNumber() -> UInt64? {
        guard count >= 8 else { return nil }
        defer { removeFirst(8) }
        return withUnsafeBytes { $0.lowestFirst(0, UInt64.self) }
    }
}
