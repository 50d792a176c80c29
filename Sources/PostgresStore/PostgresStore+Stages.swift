package import Extraction
package import Foundation
import Logging
import PostgresClient
import Synchronization

extension PostgresStore: StageStore {
    private static let stateColumns = """
        name, stage, weight, since, version, window_started_at, write_weight, is_ramping, hold, baking_since,
        machine_version, flip_now_version
        """

    /// What of it cannot be read, a stage that only a newer version knows, is left out and logged once.
    package func load() async throws -> [ExtractionState] {
        try await explainingSchema {
            let rows = try await control.query(
                "SELECT \(Self.stateColumns) FROM strangler.extraction_state ORDER BY name")
            var problems: [String: String] = [:]
            let states = try rows.compactMap { row in
                do {
                    return try Self.state(row)
                } catch {
                    problems[try row.text("name")] = "\(error)"
                    return nil
                }
            }
            let known = unreadableStages.withLock { known in
                defer { known = problems }
                return known
            }
            for (name, problem) in problems.sorted(by: { $0.key < $1.key }) where known[name] != problem {
                logger.error("the stored stage of \(name) cannot be read and is not followed: \(problem)")
            }
            return states
        }
    }

    /// With a version above all that anybody has ever known, so that every proxy follows: the store may have been restored
    /// from a backup, or have lost changes with a failed primary.
    package func apply(
        _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
    ) async throws -> ExtractionState {
        let evidence = try StoredJSON.text(evidence)
        return try await explainingSchema {
            try await store(transition, actor: actor, reason: reason, evidence: evidence, at: at)
        }
    }

    private func store(
        _ transition: StageTransition, actor: String, reason: String?, evidence: String, at: Date
    ) async throws -> ExtractionState {
        try await control.transaction { connection in
            let version = max(
                transition.to.version, try Self.highestVersion(of: transition.to.name, on: connection) + 1)
            let changed = try Self.compareAndSet(transition, version: version, on: connection)
            guard let row = changed.first else { throw try Self.conflict(transition, on: connection) }
            try connection.query(
                """
                INSERT INTO strangler.stage_history (extraction, version, at, actor, action, from_stage, from_weight,
                    to_stage, to_weight, reason, forced, evidence, from_write_weight, to_write_weight)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                """,
                [
                    .text(transition.to.name), .int(version), .timestamp(at), .text(actor),
                    .text(transition.action),
                    .text(transition.from.stage.rawValue), .int(transition.from.weight.hundredths),
                    .text(transition.to.stage.rawValue), .int(transition.to.weight.hundredths),
                    .text(optional: reason), .bool(transition.forced), .text(evidence),
                    .int(transition.from.weights.writes.hundredths), .int(transition.to.weights.writes.hundredths),
                ])
            // Delivered with the commit, to every replica that listens.
            try connection.query("SELECT pg_notify('strangler_stage', $1)", [.text(transition.to.name)])
            return try Self.state(row)
        }
    }

    package func history(name: String, limit: Int) async throws -> [HistoryEntry] {
        try await explainingSchema {
            try await control.query(
                """
                SELECT at, actor, action, from_stage, from_weight, to_stage, to_weight, reason, forced, evidence,
                    from_write_weight, to_write_weight
                FROM strangler.stage_history WHERE extraction = $1 ORDER BY version DESC LIMIT $2
                """, [.text(name), .int(max(0, limit))]
            ).map { row in
                HistoryEntry(
                    at: try row.timestamp("at"), actor: try row.text("actor"), action: try row.text("action"),
                    from: try Self.point(row, "from"), to: try Self.point(row, "to"),
                    reason: try row.optionalText("reason"), forced: try row.bool("forced"),
                    evidence: try row.optionalText("evidence").map { try StoredJSON.value(StageEvidence.self, $0) })
            }
        }
    }

    /// In the history, and of what replicas that have not said goodbye serve.
    private static func highestVersion(
        of name: String, on connection: isolated PostgresConnection
    ) throws -> Int64 {
        let told = try connection.query(
            "SELECT coalesce(max(version), 0) AS version FROM strangler.stage_history WHERE extraction = $1",
            [.text(name)])
        let served = try connection.query("SELECT extractions FROM strangler.replicas WHERE stopped_at IS NULL")
        return served.reduce(into: try told.first?.int64("version") ?? 0) { highest, row in
            // Of another version, perhaps.
            let states = try? StoredJSON.value([String: Replica.ServedState].self, try row.text("extractions"))
            highest = max(highest, states?[name]?.version ?? 0)
        }
    }

    /// The changed row, or none if the stored version is another than the transition was judged on. Version 0 is an
    /// extraction that the store has never heard of.
    private static func compareAndSet(
        _ transition: StageTransition, version: Int64, on connection: isolated PostgresConnection
    ) throws -> PostgresRows {
        let to = transition.to
        let values: [PostgresValue] = [
            .text(to.name), .text(to.stage.rawValue), .int(to.weight.hundredths), .timestamp(to.since),
            .int(version), .timestamp(optional: to.windowStartedAt), .int(to.weights.writes.hundredths),
            .bool(to.isRamping), .text(optional: try to.hold.map { try StoredJSON.text($0) }),
            .timestamp(to.bakingSince), to.flipsAtOnce ? .int(version) : .null,
        ]
        if transition.from.version == 0 {
            return try connection.query(
                """
                INSERT INTO strangler.extraction_state (\(stateColumns))
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $5, $11)
                ON CONFLICT (name) DO NOTHING RETURNING \(stateColumns)
                """, values)
        }
        return try connection.query(
            """
            UPDATE strangler.extraction_state
            SET stage = $2, weight = $3, since = $4, version = $5, window_started_at = $6,
                write_weight = $7, is_ramping = $8, hold = $9, baking_since = $10,
                machine_version = $5, flip_now_version = $11
            WHERE name = $1 AND version = $12 RETURNING \(stateColumns)
            """, values + [.int(transition.from.version)])
    }

    private static func conflict(
        _ transition: StageTransition, on connection: isolated PostgresConnection
    ) throws -> StageConflict {
        let rows = try connection.query(
            "SELECT \(stateColumns) FROM strangler.extraction_state WHERE name = $1", [.text(transition.to.name)])
        let found = try rows.first.map(state)
        return StageConflict(
            name: transition.to.name, expected: transition.from.version, found: found?.version ?? 0,
            stage: found?.stage ?? .identified)
    }

    private static func state(_ row: PostgresRows.Row) throws -> ExtractionState {
        let version = try row.int64("version")
        // Else a proxy of the version before has changed it, and has left what it does not know as it was.
        guard try row.optionalText("machine_version").flatMap({ Int64($0) }) == version else {
            return ExtractionState(
                name: try row.text("name"), stage: try stage(row, "stage"), weight: try weight(row, "weight"),
                since: try row.timestamp("since"), version: version,
                windowStartedAt: try row.optionalTimestamp("window_started_at"))
        }
        return ExtractionState(
            name: try row.text("name"), stage: try stage(row, "stage"),
            weights: try weights(row, reads: "weight", writes: "write_weight"),
            since: try row.timestamp("since"), version: version,
            windowStartedAt: try row.optionalTimestamp("window_started_at"), isRamping: try row.bool("is_ramping"),
            hold: try row.optionalText("hold").map { try StoredJSON.value(Hold.self, $0) },
            bakingSince: try row.optionalTimestamp("baking_since"),
            flipsAtOnce: try row.optionalText("flip_now_version").flatMap { Int64($0) } == version)
    }

    private static func point(_ row: PostgresRows.Row, _ side: String) throws(PostgresError) -> StagePoint {
        StagePoint(
            stage: try stage(row, side + "_stage"),
            weights: try weights(row, reads: side + "_weight", writes: side + "_write_weight"))
    }

    private static func weights(
        _ row: PostgresRows.Row, reads: String, writes: String
    ) throws(PostgresError) -> Weights {
        let both = try weight(row, reads)
        return Weights(reads: both, writes: try row.optionalText(writes) == nil ? both : try weight(row, writes))
    }

    private static func stage(_ row: PostgresRows.Row, _ column: String) throws(PostgresError) -> Stage {
        let text = try row.text(column)
        guard let stage = Stage(rawValue: text) else { throw PostgresError(.decoding, "unknown stage \(text)") }
        return stage
    }

    private static func weight(_ row: PostgresRows.Row, _ column: String) throws(PostgresError) -> Weight {
        let hundredths = try row.int(column)
        guard let weight = Weight(hundredths: hundredths) else {
            throw PostgresError(.decoding, "a weight of \(hundredths) hundredths of a percent")
        }
        return weight
    }
}
