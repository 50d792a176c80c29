internal import Extraction

/// The form of a record in the log. Version, kind, facts; then what the kind has. Numbers are little-endian, texts and bytes
/// have their length before them, in four bytes. Whether the bytes are those that were written is for the log to know.
///
/// A record has one form, and whatever can be read is written the same again.
extension LedgerRecord {
    /// A reader takes its own version only: a log with another one is refused, not guessed at.
    package static let version: UInt8 = 1

    package enum Kind: UInt8, Sendable, CaseIterable {
        case intent = 1
        case outcome = 2
        case attempted = 3
        case settled = 5
        case dead, uncertain, carried
    }

    package var kind: Kind {
        switch self {
        case .intent: .intent
        case .outcome: .outcome
        case .attempted: .attempted
        case .settled: .settled
        case .dead: .dead
        case .uncertain: .uncertain
        case .carried: .carried
        }
    }

    package var encoded: [UInt8] {
        var writer = LedgerWriter(capacity: size)
        writer.bytes.append(LedgerRecord.version)
        writer.bytes.append(kind.rawValue)
        writer.put(facts)
        switch self {
        case .intent(let intent): writer.put(rest: intent)
        case .outcome(_, let outcome): writer.put(outcome)
        case .attempted(_, let attempts, let reason):
            writer.put(UInt32(clamping: attempts))
            writer.put(reason)
        case .settled(_, let how): writer.put(how)
        case .dead(let write, let reason), .uncertain(let write, let reason):
            writer.put(reason)
            writer.put(rest: write)
        case .carried(let write): writer.put(rest: write)
        }
        return writer.bytes
    }

    /// About as many bytes as it takes.
    private var size: Int {
        let some = 192
        switch self {
        case .intent(let intent): return some + intent.size
        case .outcome(_, let outcome): return some + outcome.size
        case .attempted, .settled: return some
        case .dead(let write, _), .uncertain(let write, _), .carried(let write):
            return some + write.intent.size + (write.outcome?.size ?? 0)
        }
    }

    /// - Returns: nil for bytes that are no record of this version, whatever they are.
    package init?(_ bytes: [UInt8]) {
        guard let record = bytes.withUnsafeBytes(LedgerRecord.read) else { return nil }
        self = record
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> LedgerRecord? {
        var reader = LedgerReader(bytes)
        guard let kind = reader.kind(), let facts = reader.facts(), let record = read(kind, facts, &reader),
            reader.isAtEnd
        else { return nil }
        return record
    }

    static func read(_ kind: Kind, _ facts: WriteFacts, _ reader: inout LedgerReader) -> LedgerRecord? {
        switch kind {
        case .intent: return reader.intent(facts).map { .intent($0) }
        case .outcome: return reader.outcome().map { .outcome(facts, $0) }
        case .attempted:
            guard let attempts = reader.count(), let reason = reader.text() else { return nil }
            return .attempted(facts, attempts: attempts, reason: reason)
        case .settled: return reader.settled().map { .settled(facts, how: $0) }
        case .dead, .uncertain:
            guard let reason = reader.text(), let write = reader.openWrite(facts) else { return nil }
            return kind == .dead ? .dead(write, reason: reason) : .uncertain(write, reason: reason)
        case .carried: return reader.openWrite(facts).map { .carried($0) }
        }
    }
}

extension WriteIntent {
    fileprivate var size: Int { requestHead.count + requestBody.count }
}

extension WriteOutcome {
    fileprivate var size: Int { answerHead.count + (answerBody?.count ?? 0) }
}

private struct LedgerWriter {
    var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        put(UInt32(clamping: text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func put(_ part: [UInt8]) {
        put(UInt32(clamping: part.count))
        bytes.append(contentsOf: part)
    }

    mutating func put(_ facts: WriteFacts) {
        put(facts.sequence)
        put(facts.id.high)
        put(facts.id.low)
        put(facts.at)
        put(facts.lane)
        bytes.append(facts.primary.rawValue)
        put(facts.extraction)
        put(facts.endpoint)
    }

    mutating func put(rest intent: WriteIntent) {
        let ranges = intent.success.ranges.prefix(Int(UInt8.max))
        bytes.append(UInt8(ranges.count))
        for range in ranges {
            put(UInt16(clamping: range.lowerBound))
            put(UInt16(clamping: range.upperBound))
        }
        put(intent.requestHead)
        put(intent.requestBody)
    }

    mutating func put(_ outcome: WriteOutcome) {
        bytes.append(outcome.answeredBy.rawValue)
        put(UInt32(clamping: outcome.status))
        put(outcome.nanoseconds)
        put(outcome.answerHead)
        bytes.append((outcome.answerBody == nil ? 0 : 1) | (outcome.answerDigest == nil ? 0 : 2))
        if let body = outcome.answerBody { put(body) }
        if let digest = outcome.answerDigest {
            put(Int64(digest.length))
            put(digest.hash)
        }
    }

    /// Its number is never given to another one.
    mutating func put(_ how: WriteSettled) {
        switch how {
        case .delivered(let delivered):
            bytes.append(1)
            put(delivered)
        case .refusedByPrimary: bytes.append(2)
        case .neverSent: bytes.append(3)
        }
    }

    mutating func put(_ delivered: WriteDelivered) {
        put(UInt32(clamping: delivered.status))
        put(UInt32(clamping: delivered.attempts))
        put(UInt32(clamping: delivered.pairs.count))
        for pair in delivered.pairs {
            put(pair.kind)
            put(pair.monolith)
            put(pair.service)
            bytes.append(pair.spelling.rawValue)
        }
        bytes.append(delivered.entity == nil ? 0 : 1)
        if let entity = delivered.entity { put(entity) }
    }

    mutating func put(rest write: OpenWrite) {
        put(UInt32(clamping: write.attempts))
        bytes.append((write.isRetried ? 1 : 0) | (write.outcome == nil ? 0 : 2))
        put(rest: write.intent)
        if let outcome = write.outcome { put(outcome) }
    }
}

extension LedgerReader {
    mutating func intent(_ facts: WriteFacts) -> WriteIntent? {
        guard let success = success(), let head = bytes(), let body = bytes() else { return nil }
        return WriteIntent(facts: facts, success: success, requestHead: head, requestBody: body)
    }

    private mutating func success() -> StatusSet? {
        guard let count = number(UInt8.self) else { return nil }
        var ranges: [ClosedRange<Int>] = []
        for _ in 0..<count {
            guard let low = number(UInt16.self), let high = number(UInt16.self), low <= high else { return nil }
            ranges.append(Int(low)...Int(high))
        }
        return StatusSet(ranges)
    }

    mutating func outcome() -> WriteOutcome? {
        guard let answeredBy = side(), let status = count(), let nanoseconds = number(Int64.self), let head = bytes(),
            let parts = number(UInt8.self), parts < 4
        else { return nil }
        var outcome = WriteOutcome(
            answeredBy: answeredBy, status: status, nanoseconds: nanoseconds, answerHead: head, answerBody: nil)
        if parts & 1 != 0 {
            guard let body = bytes() else { return nil }
            outcome.answerBody = body
        }
        if parts & 2 != 0 {
            guard let length = number(Int64.self), let length = Int(exactly: length), let hash = number(UInt64.self)
            else { return nil }
            outcome.answerDigest = BodyDigest(length: length, hash: hash)
        }
        return outcome
    }

    mutating func delivered() -> WriteDelivered? {
        guard let status = count(), let attempts = count(), let pairs = count() else { return nil }
        var delivered = WriteDelivered(status: status, attempts: attempts)
        for _ in 0..<pairs {
            // A wrong number of pairs runs out of bytes at once.
            guard let kind = text(), let monolith = text(), let service = text(), let spelling = number(UInt8.self)
            else { return nil }
            delivered.pairs.append(
                IdentityPair(
                    kind: kind, monolith: monolith, service: service, spelling: IdentitySpelling(rawValue: spelling)))
        }
        guard let hasEntity = flag() else { return nil }
        if hasEntity {
            guard let entity = text() else { return nil }
            delivered.entity = entity
        }
        return delivered
    }

    mutating func settled() -> WriteSettled? {
        switch number(UInt8.self) {
        case 1: delivered().map { .delivered($0) }
        case 2: .refusedByPrimary
        case 3: .neverSent
        default: nil
        }
    }

    mutating func openWrite(_ facts: WriteFacts) -> OpenWrite? {
        guard let attempts = count(), let flags = number(UInt8.self), flags < 4, let intent = intent(facts) else {
            return nil
        }
        var write = OpenWrite(intent: intent, attempts: attempts, isRetried: flags & 1 != 0)
        if flags & 2 != 0 {
            guard let outcome = outcome() else { return nil }
            write.outcome = outcome
        }
        return write
    }
}
