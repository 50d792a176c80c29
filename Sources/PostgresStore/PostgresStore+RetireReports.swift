package import Foundation
import PostgresClient

/// What retiring an extraction left behind, as it was stored.
package struct StoredReport: Sendable, Equatable {
    package var at: Date
    package var json: String

    /// - Throws: `PostgresError.Code.decoding` if it is none.
    package func decoded<Report: Decodable>(as type: Report.Type) throws -> Report {
        try StoredJSON.value(type, json)
    }
}

extension PostgresStore {
    /// One that was stored for the same moment is replaced.
    package func saveRetireReport(extraction: String, at: Date, report: some Encodable & Sendable) async throws {
        let json = try StoredJSON.text(report)
        try await control.query(
            """
            INSERT INTO strangler.retire_reports (extraction, at, report) VALUES ($1, $2, $3)
            ON CONFLICT (extraction, at) DO UPDATE SET report = excluded.report
            """, [.text(KeyText.extraction(extraction)), .timestamp(at), .text(json)])
    }

    /// The newest first, a hundred at most.
    package func retireReports(extraction: String) async throws -> [StoredReport] {
        try await control.query(
            "SELECT at, report FROM strangler.retire_reports WHERE extraction = $1 ORDER BY at DESC LIMIT 100",
            [.text(KeyText.extraction(extraction))]
        ).map { StoredReport(at: try $0.timestamp("at"), json: try $0.text("report")) }
    }
}
