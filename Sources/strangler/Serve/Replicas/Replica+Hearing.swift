import Foundation
import PostgresStore

// How long ago a replica was heard of says what may be expected of it. By the database's clock, as of the reading.
extension Replica {
    /// Three beats.
    private static let silence = 3.0
    /// Nobody waits for it any more.
    private static let patience = 120.0

    private var isRunning: Bool { stoppedAt == nil }

    var isBeating: Bool { isRunning && (age ?? 0) <= Self.silence }

    /// It may be cut off, hang, or be gone; it may come back with what it has counted.
    var isSilent: Bool { isRunning && !isBeating && !isGivenUp }

    /// What it said last still counts.
    var isCounted: Bool { isRunning && !isGivenUp }

    /// What it had counted and not handed over is missing.
    var isGivenUp: Bool { isRunning && (age ?? 0) > Self.patience }
}

/// A time of which a replica's evidence is missing, or seems to be.
struct ReplicaLoss: Sendable, Equatable {
    let replica: String
    let began: Date
    let ended: Date
    let reason: String

    /// Evidence is handed over once a second.
    private static let unhandedSeconds = 1.0
    private static let longestUnheard = 3_600.0

    /// It has not been heard of for so long that nobody waits for it. When it ended is not known: a proxy that is only cut
    /// off from Postgres may go on serving, so the gap grows, for an hour. Should it come back, it brings what it has
    /// counted, and the gap goes.
    static func unheard(_ replica: Replica, now: Date) -> ReplicaLoss {
        let last = replica.beatAt ?? now
        return ReplicaLoss(
            replica: replica.id, began: last.addingTimeInterval(-unhandedSeconds),
            ended: max(last.addingTimeInterval(unhandedSeconds), min(now, last.addingTimeInterval(longestUnheard))),
            reason: "it was not heard of again, so what it had counted and not handed over is missing")
    }

    /// It ended without a goodbye on this machine, where it left a sign of life each second.
    ///
    /// - Parameters:
    ///   - heard: when Postgres last heard of it; nil: never.
    ///   - alive: when it last left a sign of life.
    static func died(_ replica: String, startedAt: Date, heard: Date?, alive: Date) -> ReplicaLoss {
        let began = heard?.addingTimeInterval(-unhandedSeconds) ?? startedAt
        return ReplicaLoss(
            replica: replica, began: began,
            ended: max(alive, began).addingTimeInterval(unhandedSeconds),
            reason: "it ended without handing over what it had counted")
    }
}
