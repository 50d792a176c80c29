package import DualWrite
import Extraction
package import Foundation
import PostgresClient

// Walks over what was written in a period. A run is one row: who began it, where it stands, what it found. Whoever takes the
// next step of it, on whatever replica, writes down where it stands only if nobody else has done so meanwhile.
extension PostgresStore {
    // MARK: - Runs

    /// - Parameter counts: what there is to look at, see ``entities(extraction:from:to:)``.
    package func beginReconcile(
        extraction: String, from: Date, to: Date, repairs: Bool, counts: ReconcileCounts, actor: String,
        reason: String?
    ) async throws -> StoredReconcileRun {
        let rows = try await control.query(
            """
            INSERT INTO strangler.reconcile_runs (extraction, actor, reason, period_from, period_to, repairs, counts)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING \(StoredReconcileRun.columns)
            """,
            [
                .text(KeyText.extraction(extraction)), .text(KeyText.reason(actor)), .text(optional: reason),
                .timestamp(from), .timestamp(to), .bool(repairs), .text(try StoredJSON.text(counts)),
            ])
        guard let row = rows.first else { throw PostgresError(.decoding, "the run was not stored") }
        return try StoredReconcileRun(row)
    }

    /// Nil if there is no such run of this extraction.
    package func reconcileRun(_ id: Int, extraction: String) async throws -> StoredReconcileRun? {
        try await control.query(
            "SELECT \(StoredReconcileRun.columns) FROM strangler.reconcile_runs WHERE id = $1 AND extraction = $2",
            [.int(id), .text(KeyText.extraction(extraction))]
        ).first.map { row throws(PostgresError) in try StoredReconcileRun(row) }
    }

    /// The newest first.
    package func reconcileRuns(extraction: String, limit: Int) async throws -> [StoredReconcileRun] {
        try await control.query(
            """
            SELECT \(StoredReconcileRun.columns) FROM strangler.reconcile_runs WHERE extraction = $1
            ORDER BY id DESC LIMIT $2
            """, [.text(KeyText.extraction(extraction)), .int(max(0, limit))]
        ).map { row throws(PostgresError) in try StoredReconcileRun(row) }
    }

    /// Writes down where the walk stands.
    /// - Returns: false, and nothing is changed, if somebody else has taken it on from `place`, or it has ended.
    package func saveReconcile(
        _ id: Int, from place: ReconcileWalk.Place, _ walk: ReconcileWalk, isOver: Bool
    ) async throws -> Bool {
        try await control.query(
            """
            UPDATE strangler.reconcile_runs SET cursor = $3, counts = $4, found = $5,
                ended_at = CASE WHEN $6 THEN now() END
            WHERE id = $1 AND cursor IS NOT DISTINCT FROM $2 AND ended_at IS NULL
            """,
            [
                .int(id), .text(optional: place.text), .text(optional: walk.place.text),
                .text(try StoredJSON.text(walk.counts)), .text(try StoredJSON.text(walk.found)), .bool(isOver),
            ]
        ).affected > 0
    }

    // MARK: - What there is to look at

    /// A write that neither side is known to have refused.
    private static let taken = "state IN ('accepted', 'delivered', 'settled', 'dead')"

    /// How many entities were written in the period, and how many writes name none. Pairs are not among them: few are left
    /// over, and which of them can be read the paths say.
    package func entities(extraction: String, from: Date, to: Date) async throws -> ReconcileCounts {
        let rows = try await pool.query(
            """
            SELECT count(DISTINCT entity) AS entities,
                count(*) FILTER (WHERE entity IS NULL AND \(Self.taken)) AS nameless
            FROM strangler.writes WHERE extraction = $1 AND received_at >= $2 AND received_at < $3
                AND state <> 'refused'
            """, [.text(KeyText.extraction(extraction)), .timestamp(from), .timestamp(to)])
        guard let row = rows.first else { return ReconcileCounts() }
        return ReconcileCounts(
            total: try row.int("entities"), nameless: try row.int("nameless"))
    }

    /// The next entities that were written in the period, in the order of their bytes.
    /// - Parameter after: nil for the first ones.
    package func entities(
        extraction: String, from: Date, to: Date, after: String?, limit: Int
    ) async throws -> [StoredEntity] {
        try await pool.query(
            """
            WITH names AS (
                SELECT entity COLLATE "C" AS entity FROM strangler.writes
                WHERE extraction = $1 AND entity IS NOT NULL AND ($4::text IS NULL OR entity COLLATE "C" > $4)
                    AND received_at >= $2 AND received_at < $3 AND state <> 'refused'
                GROUP BY entity COLLATE "C" ORDER BY entity COLLATE "C" LIMIT $5
            )
            SELECT names.entity, coalesce(newest.side, 'monolith') AS answered_by,
                coalesce(newest.endpoint, '') AS endpoint, counted.*
            FROM names
            LEFT JOIN LATERAL (
                SELECT coalesce(answered_by, primary_side) AS side, endpoint FROM strangler.writes
                WHERE extraction = $1 AND entity COLLATE "C" = names.entity AND \(Self.taken)
                ORDER BY received_at DESC, sequence DESC LIMIT 1
            ) AS newest ON true
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE state IN ('intent', 'accepted', 'delivered')) AS open,
                    count(*) FILTER (WHERE state = 'dead') AS dead,
                    count(*) FILTER (WHERE state = 'uncertain') AS uncertain
                FROM strangler.writes WHERE extraction = $1 AND entity COLLATE "C" = names.entity
            ) AS counted
            ORDER BY names.entity
            """,
            [
                .text(KeyText.extraction(extraction)), .timestamp(from), .timestamp(to), .text(optional: after),
                .int(max(0, limit)),
            ]
        ).map { row throws(PostgresError) in try StoredEntity(row) }
    }

    /// Pairs of which no write is known (any more) that says where the thing can be read.
    private static let orphans = """
        strangler.identity_pairs p WHERE p.extraction = $1 AND NOT EXISTS (
            SELECT FROM strangler.writes w WHERE w.id = p.write_id AND w.entity IS NOT NULL)
        """

    /// The next pairs that were learned in the period and whose write names no entity, by kind and the monolith's name.
    /// - Parameter after: nil for the first ones.
    package func orphanedPairs(
        extraction: String, from: Date, to: Date, after: (kind: String, monolith: String)?, limit: Int
    ) async throws -> [IdentityPair] {
        try await pool.query(
            """
            SELECT p.kind, p.monolith, p.service FROM \(Self.orphans)
                AND p.learned_at >= $2 AND p.learned_at < $3
                AND ($4::text IS NULL OR (p.kind, p.monolith) > ($4, $5::text))
            ORDER BY p.kind, p.monolith LIMIT $6
            """,
            [
                .text(KeyText.extraction(extraction)), .timestamp(from), .timestamp(to),
                .text(optional: after?.kind), .text(optional: after?.monolith), .int(max(0, limit)),
            ]
        ).map { row throws(PostgresError) in
            IdentityPair(
                kind: try row.text("kind"), monolith: try row.text("monolith"), service: try row.text("service"))
        }
    }

    // MARK: - Writes that were given up

    /// Dead and uncertain writes of the period that could be read and name no entity: they never reached the point at which
    /// one is recorded. In the order of their ids.
    package func namelessPayloads(
        extraction: String, from: Date, to: Date, after: WriteID?, limit: Int
    ) async throws -> [(id: WriteID, payload: [UInt8])] {
        try await pool.query(
            """
            SELECT id, encode(payload, 'base64') AS payload FROM strangler.writes
            WHERE extraction = $1 AND state IN ('dead', 'uncertain') AND entity IS NULL AND payload IS NOT NULL
                AND received_at >= $2 AND received_at < $3 AND ($4::text IS NULL OR id > $4)
            ORDER BY id LIMIT $5
            """,
            [
                .text(KeyText.extraction(extraction)), .timestamp(from), .timestamp(to),
                .text(optional: after?.description), .int(max(0, limit)),
            ]
        ).compactMap { row in
            guard let id = WriteID(try row.text("id")),
                let payload = Data(base64Encoded: try row.text("payload"), options: .ignoreUnknownCharacters)
            else { return nil }
            return (id, [UInt8](payload))
        }
    }

    /// What was found out about where writes can be read.
    package func name(_ entities: [(id: WriteID, entity: String)]) async throws {
        guard !entities.isEmpty else { return }
        try await pool.query(
            """
            UPDATE strangler.writes w SET entity = named.entity
            FROM unnest($1::text[], $2::text[]) AS named (id, entity) WHERE w.id = named.id AND w.entity IS NULL
            """, [.textArray(entities.map(\.id.description)), .textArray(entities.map(\.entity))])
    }

    /// Those that were given up, in the order in which they arrived.
    package func deadWrites(extraction: String, entity: String) async throws -> [StoredDeadWrite] {
        try await pool.query(
            """
            SELECT id, endpoint, coalesce(answered_by, primary_side) AS answered_by, payload IS NOT NULL AS has_payload,
                EXISTS (
                    SELECT FROM strangler.writes later WHERE later.extraction = $1
                        AND later.entity COLLATE "C" = $2 AND later.state IN ('delivered', 'settled')
                        AND (later.received_at, later.sequence) > (w.received_at, w.sequence)
                ) AS is_overtaken
            FROM strangler.writes w
            WHERE extraction = $1 AND entity COLLATE "C" = $2 AND state = 'dead' ORDER BY received_at, sequence
            """, [.text(KeyText.extraction(extraction)), .text(entity)]
        ).compactMap { row in
            guard let id = WriteID(try row.text("id")) else { return nil }
            return StoredDeadWrite(
                id: id, endpoint: try row.text("endpoint"),
                answeredBy: Side(stored: try row.text("answered_by")) ?? .monolith,
                hasPayload: try row.bool("has_payload"), isOvertaken: try row.bool("is_overtaken"))
        }
    }

    /// Writes of an entity that are still to be delivered.
    package func openWrites(extraction: String, entity: String) async throws -> Int {
        try await pool.query(
            """
            SELECT count(*) AS open FROM strangler.writes
            WHERE extraction = $1 AND entity COLLATE "C" = $2 AND state IN ('intent', 'accepted', 'delivered')
            """, [.text(KeyText.extraction(extraction)), .text(entity)]
        ).first?.int("open") ?? 0
    }
}
