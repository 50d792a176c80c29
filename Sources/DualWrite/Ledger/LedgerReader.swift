package import Extraction

/// Takes the parts of a record off its bytes, one after the other; nil where there are too few, or they are no such part.
struct LedgerReader {
    private let memory: UnsafeRawBufferPointer
    private var place = 0

    /// - Parameter memory: lives as long as the reader.
    init(_ memory: UnsafeRawBufferPointer) { self.memory = memory }

    var isAtEnd: Bool { place == memory.count }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard memory.count - place >= size else { return nil }
        defer { place += size }
        return Number(littleEndian: memory.loadUnaligned(fromByteOffset: place, as: Number.self))
    }

    mutating func count() -> Int? { number(UInt32.self).map { Int($0) } }

    mutating func flag() -> Bool? {
        switch number(UInt8.self) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    mutating func part() -> UnsafeRawBufferPointer? {
        guard let count = count(), memory.count - place >= count else { return nil }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: memory[place..<place + count])
    }

    mutating func bytes() -> [UInt8]? { part().map { Array($0) } }

    /// Valid UTF-8 only, so that it is written as it was read.
    mutating func text() -> String? {
        guard let part = part() else { return nil }
        return String(validating: part, as: UTF8.self)
    }

    mutating func side() -> Side? { number(UInt8.self).flatMap { Side(rawValue: $0) } }

    /// The first two bytes.
    mutating func kind() -> LedgerRecord.Kind? {
        guard number(UInt8.self) == LedgerRecord.version else { return nil }
        return number(UInt8.self).flatMap { LedgerRecord.Kind(rawValue: $0) }
    }

    /// Sequence, id, time, lane and side stand at fixed places.
    mutating func facts() -> WriteFacts? {
        guard let sequence = number(UInt64.self), let high = number(UInt64.self), let low = number(UInt64.self),
            let at = number(Int64.self), let lane = number(UInt64.self), let primary = side(),
            let extraction = text(), let endpoint = text()
        else { return nil }
        return WriteFacts(
            id: WriteID(high: high, low: low), sequence: sequence, at: at, extraction: extraction, endpoint: endpoint,
            lane: lane, primary: primary)
    }
}

/// What recovery takes of a record, without an allocation: of a million, as many milliseconds as the whole record would take
/// seconds.
package struct LedgerGlance: Sendable, Equatable {
    package var kind: LedgerRecord.Kind
    package var sequence: UInt64
    package var id: WriteID
    /// Milliseconds since 1970.
    package var at: Int64
    package var lane: UInt64
    package var primary: Side
    /// Ranges of bytes within the record: UTF-8.
    package var extraction: Range<Int>
    package var endpoint: Range<Int>
    /// Of an attempt, and of an open write.
    package var attempts: Int
    /// Of an outcome, and of an open write that has one.
    package var answeredBy: Side?
    package var isRetried: Bool

    /// - Returns: nil where the record as a whole would not be read either, as far as that is looked at.
    package init?(_ record: UnsafeRawBufferPointer) {
        var reader = LedgerReader(record)
        guard let kind = reader.kind(), let sequence = reader.number(UInt64.self),
            let high = reader.number(UInt64.self), let low = reader.number(UInt64.self),
            let at = reader.number(Int64.self), let lane = reader.number(UInt64.self), let primary = reader.side(),
            let extraction = reader.range(), let endpoint = reader.range()
        else { return nil }
        self.kind = kind
        self.sequence = sequence
        id = WriteID(high: high, low: low)
        self.at = at
        self.lane = lane
        self.primary = primary
        self.extraction = extraction
        self.endpoint = endpoint
        attempts = 0
        answeredBy = nil
        isRetried = false
        switch kind {
        case .intent, .dead, .uncertain, .settled: break
        case .outcome:
            guard let side = reader.side() else { return nil }
            answeredBy = side
        case .attempted:
            guard let count = reader.count() else { return nil }
            attempts = count
        case .carried:
            guard let count = reader.count(), let flags = reader.number(UInt8.self), flags < 4 else { return nil }
            attempts = count
            isRetried = flags & 1 != 0
            guard flags & 2 != 0 else { return }
            guard reader.skipIntent(), let side = reader.side() else { return nil }
            answeredBy = side
        }
    }
}

extension LedgerReader {
    fileprivate mutating func range() -> Range<Int>? {
        guard let count = count(), memory.count - place >= count else { return nil }
        defer { place += count }
        return place..<place + count
    }

    /// Passes over what an intent has behind its facts.
    mutating func skipIntent() -> Bool {
        guard let ranges = number(UInt8.self) else { return false }
        for _ in 0..<ranges {
            guard let low = number(UInt16.self), let high = number(UInt16.self), low <= high else { return false }
        }
        return range() != nil && range() != nil
    }

    /// Passes over an outcome.
    mutating func skipOutcome() -> (answeredBy: Side, status: Int)? {
        guard let answeredBy = side(), let status = count(), number(Int64.self) != nil, range() != nil,
            let parts = number(UInt8.self), parts < 4
        else { return nil }
        if parts & 1 != 0, range() == nil { return nil }
        if parts & 2 != 0 {
            guard let length = number(Int64.self), Int(exactly: length) != nil, number(UInt64.self) != nil else {
                return nil
            }
        }
        return (answeredBy, status)
    }
}
