package import Extraction

/// What logs of processes that are gone hold of writes that were open, from their records: those of one log in order, the
/// logs in any. A write's records may lie in two of them, for an adopted log's writes go on in the one of who adopted it.
package struct LedgerRecovery: Sendable {
    /// A write that stood open.
    package struct Write: Sendable {
        package let id: WriteID
        package let sequence: UInt64
        /// Milliseconds since 1970.
        package let at: Int64
        package let lane: UInt64
        package let primary: Side
        package fileprivate(set) var answeredBy: Side?
        package fileprivate(set) var isRetried = false
        package fileprivate(set) var attempts = 0
        fileprivate var state = State.intent
        fileprivate var hasIntent = false
        /// Which of the logs has it.
        package fileprivate(set) var origin: UInt8 = 0
        package fileprivate(set) var intent = LogPosition(segment: 0, offset: 0)
        package fileprivate(set) var outcome = LogPosition(segment: 0, offset: 0)
        fileprivate let name: UInt32
    }

    fileprivate enum State {
        case intent, owed
    }

    /// What extractions and endpoints are called, each once.
    package struct Names: Sendable {
        fileprivate struct Name {
            let extraction: String
            let endpoint: String
        }

        fileprivate var names: [Name] = []

        package func facts(of write: Write) -> WriteFacts {
            let name = names[Int(write.name)]
            return WriteFacts(
                id: write.id, sequence: write.sequence, at: write.at, extraction: name.extraction,
                endpoint: name.endpoint, lane: write.lane, primary: write.primary)
        }
    }

    private var writes: [UInt64: Write] = [:]
    /// What comes of them later counts for nothing: an intent in another log, or one that was being carried as it ended.
    private var closed: Set<UInt64> = []
    package private(set) var names = Names()
    private var places: [[UInt8]: UInt32] = [:]
    /// Of all that were seen, open or not: new ones are higher.
    package private(set) var highest: UInt64 = 0

    package init() {}

    /// - Returns: false for bytes that are no record.
    package mutating func add(_ record: UnsafeRawBufferPointer, at position: LogPosition, origin: UInt8) -> Bool {
        guard let glance = LedgerGlance(record) else { return false }
        highest = max(highest, glance.sequence)
        guard !closed.contains(glance.sequence) else { return true }
        switch glance.kind {
        case .settled, .dead, .uncertain:
            writes[glance.sequence] = nil
            closed.insert(glance.sequence)
            return true
        case .intent, .outcome, .attempted, .carried: break
        }
        var write = writes[glance.sequence] ?? Write(glance, name: name(glance, record))
        write.fold(glance, at: position, origin: origin)
        writes[glance.sequence] = write
        return true
    }

    package mutating func add(_ record: [UInt8], at position: LogPosition, origin: UInt8) -> Bool {
        record.withUnsafeBytes { add($0, at: position, origin: origin) }
    }

    private mutating func name(_ glance: LedgerGlance, _ record: UnsafeRawBufferPointer) -> UInt32 {
        let key = Array(record[glance.extraction]) + [0] + Array(record[glance.endpoint])
        if let place = places[key] { return place }
        let place = UInt32(names.names.count)
        places[key] = place
        names.names.append(
            Names.Name(
                extraction: String(decoding: record[glance.extraction], as: UTF8.self),
                endpoint: String(decoding: record[glance.endpoint], as: UTF8.self)))
        return place
    }

    package func facts(of write: Write) -> WriteFacts { names.facts(of: write) }

    /// In order of sequence.
    package struct Found: Sendable {
        /// Taken by the primary: the other side is owed them.
        package var owed: [Write] = []
        /// Intents without an outcome.
        package var uncertain: [Write] = []
        /// Outcomes whose intents are in none of the logs, which a log that is whole does not have.
        package fileprivate(set) var lost: [Write] = []

        package init() {}
    }

    package func found() -> Found {
        // Sorted where they are: a million of them are not to be there once more.
        var found = Found()
        for write in writes.values {
            switch write.state {
            case _ where !write.hasIntent: found.lost.append(write)
            case .owed: found.owed.append(write)
            case .intent: found.uncertain.append(write)
            }
        }
        found.owed.sort { $0.sequence < $1.sequence }
        found.uncertain.sort { $0.sequence < $1.sequence }
        found.lost.sort { $0.sequence < $1.sequence }
        return found
    }
}

extension LedgerRecovery.Write {
    fileprivate init(_ glance: LedgerGlance, name: UInt32) {
        id = glance.id
        sequence = glance.sequence
        at = glance.at
        lane = glance.lane
        primary = glance.primary
        self.name = name
    }

    fileprivate mutating func fold(_ glance: LedgerGlance, at position: LogPosition, origin: UInt8) {
        switch glance.kind {
        case .intent:
            // What was carried stands for it.
            guard !hasIntent else { return }
            hasIntent = true
            self.origin = origin
            intent = position
        case .outcome:
            // One that was carried has it already.
            guard state == .intent else { return }
            answeredBy = glance.answeredBy
            outcome = position
            state = .owed
        case .attempted: attempts = max(attempts, glance.attempts)
        case .carried:
            hasIntent = true
            self.origin = origin
            intent = position
            isRetried = glance.isRetried
            attempts = max(attempts, glance.attempts)
            if glance.answeredBy != nil || glance.isRetried {
                answeredBy = glance.answeredBy ?? glance.primary
                outcome = position
                if state == .intent { state = .owed }
            }
        case .settled, .dead, .uncertain: break
        }
    }
}
