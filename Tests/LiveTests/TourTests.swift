import Testing

/// The whole product, as a newcomer sees it: real servers, real Postgres, real kills.
@Suite(.serialized) struct TourTests {
    @Test(.timeLimit(.minutes(15)))
    func `the tour proves every step`() async throws {
        let outcome = try await Program.run("demo", "--tour", "--port", "0", "--admin-port", "0")
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.error)")
        for step in [
            "1 identify", "2 contract", "3 parallel", "4 shadow", "5 cutover", "5 fallback", "rollback", "retire",
            "Every step was proved",
        ] {
            #expect(outcome.output.contains(step), "\(step) is missing in:\n\(outcome.output)")
        }
    }
}
