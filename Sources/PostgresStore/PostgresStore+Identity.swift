package import DualWrite
import Extraction
import PostgresClient

/// A pair that a write's two answers have told of.
package struct LearnedPair: Sendable, Equatable {
    package var extraction: String
    package var pair: IdentityPair
    /// Nil: not known any more.
    package var write: WriteID?

    package init(extraction: String, pair: IdentityPair, write: WriteID?) {
        self.extraction = extraction
        self.pair = pair
        self.write = write
    }
}

// The two systems' names for the same things, for all replicas and for ever.
extension PostgresStore {
    private static let pairsAtOnce = 1_000

    /// Files pairs, again and again if need be. What contradicts a pair that is there is not filed.
    /// - Returns: what was not filed, each with one that is there; twice if either name has another partner.
    @discardableResult
    package func file(pairs: [LearnedPair]) async throws -> [IdentityConflict] {
        var conflicts: [IdentityConflict] = []
        var rest = pairs[...]
        while !rest.isEmpty {
            conflicts += try await fileSome(Array(rest.prefix(Self.pairsAtOnce)))
            rest = rest.dropFirst(Self.pairsAtOnce)
        }
        return conflicts
    }

    /// In one order everywhere, so that replicas that file the same pairs wait for each other and never in a circle.
    private func fileSome(_ pairs: [LearnedPair]) async throws -> [IdentityConflict] {
        let columns: [PostgresValue] = [
            .textArray(pairs.map { KeyText.extraction($0.extraction) }),
            .textArray(pairs.map { KeyText.path($0.pair.kind) }), .textArray(pairs.map(\.pair.monolith)),
            .textArray(pairs.map(\.pair.service)),
        ]
        try await pool.query(
            """
            INSERT INTO strangler.identity_pairs (extraction, kind, monolith, service, write_id, spelling)
            SELECT extraction, kind, monolith, service, write_id, spelling
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
                WITH ORDINALITY AS new (extraction, kind, monolith, service, write_id, spelling, place)
            ORDER BY extraction, kind, monolith, place
            ON CONFLICT DO NOTHING
            """,
            columns + [
                .textArray(pairs.map { $0.write?.description }),
                .intArray(pairs.map { Int64($0.pair.spelling.rawValue) }),
            ])
        let rows = try await pool.query(
            """
            SELECT place, known.monolith, known.service, known.spelling
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                WITH ORDINALITY AS new (extraction, kind, monolith, service, place),
            LATERAL (
                SELECT * FROM strangler.identity_pairs by_name WHERE by_name.extraction = new.extraction
                    AND by_name.kind = new.kind AND by_name.monolith = new.monolith AND by_name.service <> new.service
                UNION ALL
                SELECT * FROM strangler.identity_pairs by_name WHERE by_name.extraction = new.extraction
                    AND by_name.kind = new.kind AND by_name.service = new.service AND by_name.monolith <> new.monolith
            ) AS known
            ORDER BY place
            """, columns)
        return try rows.compactMap { row in
            let place = try row.int("place") - 1
            guard pairs.indices.contains(place) else { return nil }
            let learned = pairs[place]
            return IdentityConflict(
                extraction: learned.extraction, learned: learned.pair, known: try pair(row, kind: learned.pair.kind))
        }
    }

    /// What is known of identities. Nothing stands in the answer of those that are not.
    package func partners(
        of questions: [IdentityQuestion]
    ) async throws -> [(question: IdentityQuestion, pair: IdentityPair)] {
        guard !questions.isEmpty else { return [] }
        let rows = try await control.query(
            """
            SELECT place, known.monolith, known.service, known.spelling
            FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[])
                WITH ORDINALITY AS asked (extraction, kind, of_monolith, value, place),
            LATERAL (
                SELECT * FROM strangler.identity_pairs pair WHERE asked.of_monolith
                    AND pair.extraction = asked.extraction AND pair.kind = asked.kind AND pair.monolith = asked.value
                UNION ALL
                SELECT * FROM strangler.identity_pairs pair WHERE NOT asked.of_monolith
                    AND pair.extraction = asked.extraction AND pair.kind = asked.kind AND pair.service = asked.value
            ) AS known
            ORDER BY place
            """,
            [
                .textArray(questions.map { KeyText.extraction($0.extraction) }),
                .textArray(questions.map { KeyText.path($0.kind) }),
                .textArray(questions.map { $0.side == .monolith ? "t" : "f" }), .textArray(questions.map(\.value)),
            ])
        return try rows.compactMap { row in
            let place = try row.int("place") - 1
            guard questions.indices.contains(place) else { return nil }
            return (questions[place], try pair(row, kind: questions[place].kind))
        }
    }

    /// Some of a kind's pairs, in the order of the monolith's names.
    /// - Parameter monolith: the last one of the part before.
    package func pairs(
        extraction: String, kind: String, after monolith: String? = nil, limit: Int = 1_000
    ) async throws -> [IdentityPair] {
        let rows = try await pool.query(
            """
            SELECT monolith, service, spelling FROM strangler.identity_pairs
            WHERE extraction = $1 AND kind = $2 AND ($3::text IS NULL OR monolith > $3) ORDER BY monolith LIMIT $4
            """,
            [
                .text(KeyText.extraction(extraction)), .text(KeyText.path(kind)), .text(optional: monolith),
                .int(max(0, limit)),
            ])
        return try rows.map { try pair($0, kind: kind) }
    }

    private func pair(_ row: PostgresRows.Row, kind: String) throws -> IdentityPair {
        IdentityPair(
            kind: kind, monolith: try row.text("monolith"), service: try row.text("service"),
            spelling: IdentitySpelling(rawValue: UInt8(clamping: try row.int("spelling"))))
    }
}
