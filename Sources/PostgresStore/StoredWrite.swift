package import DualWrite
package import Extraction
package import Foundation
import PostgresClient

/// A dual-written exchange as the store has it; never with its bodies.
package struct StoredWrite: Sendable, Equatable {
    package var id: WriteID
    package var extraction: String
    package var endpoint: String
    package var lane: UInt64
    package var spool: String
    package var primary: Side
    package var answeredBy: Side?
    package var state: LedgerRow.State
    package var isRetried: Bool
    package var attempts: Int
    package var primaryStatus: Int?
    package var otherStatus: Int?
    package var reason: String?
    package var entity: String?
    package var receivedAt: Date
    package var changedAt: Date
    /// It could be delivered again.
    package var hasPayload: Bool

    /// Who has not got it, or did not.
    package var other: Side { (answeredBy ?? primary).other }

    static let columns = """
        id, extraction, endpoint, lane, spool, primary_side, answered_by, state, is_retried, attempts, primary_status,
        other_status, reason, entity, received_at, changed_at, payload IS NOT NULL AS has_payload
        """

    init(_ row: PostgresRows.Row) throws(PostgresError) {
        let (id, state, side) = (try row.text("id"), try row.text("state"), try row.text("primary_side"))
        guard let knownID = WriteID(id), let knownState = LedgerRow.State(rawValue: state),
            let primary = Side(stored: side)
        else { throw PostgresError(.decoding, "a write \(id) in state \(state) of the \(side)") }
        self.id = knownID
        self.state = knownState
        self.primary = primary
        extraction = try row.text("extraction")
        endpoint = try row.text("endpoint")
        lane = UInt64(bitPattern: try row.int64("lane"))
        spool = try row.text("spool")
        answeredBy = try row.optionalText("answered_by").flatMap { Side(stored: $0) }
        isRetried = try row.bool("is_retried")
        attempts = try row.int("attempts")
        primaryStatus = try row.optionalText("primary_status").flatMap { Int($0) }
        otherStatus = try row.optionalText("other_status").flatMap { Int($0) }
        reason = try row.optionalText("reason")
        entity = try row.optionalText("entity")
        receivedAt = try row.timestamp("received_at")
        changedAt = try row.timestamp("changed_at")
        hasPayload = try row.bool("has_payload")
    }
}

/// Which writes are asked for.
package struct WriteFilter: Sendable, Equatable {
    package var states: [LedgerRow.State]
    /// Nil: all.
    package var endpoint: String?
    /// Only those behind this one, in the order of the list: the last of the page before.
    package var after: Place?
    /// As they are delivered; else the newest first.
    package var oldestFirst: Bool

    package struct Place: Sendable, Equatable {
        package var receivedAt: Date
        package var id: WriteID

        package init(receivedAt: Date, id: WriteID) {
            self.receivedAt = receivedAt
            self.id = id
        }
    }

    package init(
        states: [LedgerRow.State] = LedgerRow.State.allCases, endpoint: String? = nil, after: Place? = nil,
        oldestFirst: Bool = false
    ) {
        self.states = states
        self.endpoint = endpoint
        self.after = after
        self.oldestFirst = oldestFirst
    }

    package static let openStates: [LedgerRow.State] = [.intent, .accepted, .delivered]
    package static let undecidedStates: [LedgerRow.State] = [.dead, .uncertain]
}

/// What the store knows of the writes of one extraction that have not come to their end.
package struct StoredStanding: Sendable, Equatable {
    /// Open rows of one spool that one side has to get. Rows of the last seconds are left out: what is done may not be
    /// filed yet.
    package struct Open: Sendable, Equatable {
        package var spool: String
        package var to: Side
        package var writes: Int
        package var oldest: Date

        package init(spool: String, to: Side, writes: Int, oldest: Date) {
            self.spool = spool
            self.to = to
            self.writes = writes
            self.oldest = oldest
        }
    }

    package var open: [Open]
    package var dead: Int
    package var uncertain: Int

    package init(open: [Open] = [], dead: Int = 0, uncertain: Int = 0) {
        self.open = open
        self.dead = dead
        self.uncertain = uncertain
    }

    /// Of spools that no running proxy holds.
    package func lost(beside held: Set<String>) -> [Open] { open.filter { !held.contains($0.spool) } }
}

/// What a guard looks at.
package struct GuardedWrites: Sendable, Equatable {
    /// Of the time that is judged.
    package var dead: Int
    package var uncertain: Int
    /// Open ones in spools that no running proxy holds.
    package var lost: Int

    package init(dead: Int = 0, uncertain: Int = 0, lost: Int = 0) {
        self.dead = dead
        self.uncertain = uncertain
        self.lost = lost
    }
}

/// What a person says about a write that nobody delivers any more.
package enum WriteVerdict: String, Sendable, Codable, CaseIterable {
    /// It is to be delivered once more.
    case retry
    /// Nothing is left to do: somebody has seen to it.
    case settle
}

/// Why a decision about a write was not taken; nothing was changed.
package enum WriteDecisionRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    case unknown(WriteID)
    case notUndecided(WriteID, LedgerRow.State)
    /// Of an open one: it will be delivered yet.
    case held(WriteID, LedgerRow.State, spool: String)
    case withoutPayload(WriteID)

    package var description: String {
        switch self {
        case .unknown(let id): "there is no write \(id)"
        case .notUndecided(let id, let state):
            "write \(id) is \(state.rawValue): only dead and uncertain ones wait for a decision"
        case .held(let id, let state, let spool):
            "write \(id) is \(state.rawValue), and the proxy that holds it (spool \(spool)) delivers it yet"
        case .withoutPayload(let id):
            "write \(id) cannot be delivered again: what it takes is not stored; settle it once somebody has seen to it"
        }
    }
}
