import PostgresClient

extension PostgresStore {
    /// A replica that seemed lost has come back with all that it had counted.
    /// - Returns: how many gaps there were.
    @discardableResult
    package func forgetGaps(replica: String) async throws -> Int {
        try await control.query(
            "DELETE FROM strangler.evidence_gaps WHERE replica = $1", [.text(KeyText.reason(replica))]
        ).affected
    }
}
