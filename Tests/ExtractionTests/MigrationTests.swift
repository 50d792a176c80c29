import Extraction
import FoundationEssentials
import Testing

/// Whole migrations on a clock that the test sets.
@Suite struct MigrationTests {
    /// A migration at 100 % whose fallback window has just begun.
    private func inFallback() throws -> Migration {
        var migration = Migration()
        for stage in [Stage.contracted, .parallel, .shadow] {
            migration.wait(day)
            try migration.run(.advance(to: stage))
        }
        for percent in [1, 5, 25, 50, 100] {
            migration.wait(30 * minute)
            try migration.run(.cutover(weight(percent)))
        }
        migration.wait(30 * minute)
        try migration.run(.advance(to: .fallback))
        return migration
    }

    @Test func aCleanMigrationIsRetiredAfterThirtyDaysWithoutForce() throws {
        var migration = try inFallback()
        for _ in 0..<30 {
            #expect(migration.refusal(.retire) != nil)
            migration.wait(day)
        }
        try migration.run(.retire)
        #expect(migration.state.stage == .retired)
        #expect(migration.state.version == 10)
        #expect(migration.history.allSatisfy { !$0.forced && $0.to.version == $0.from.version + 1 })
        #expect(zip(migration.history, migration.history.dropFirst()).allSatisfy { $0.to == $1.from })
    }

    @Test func theBakeTimeCountsFromTheLastChangeOfWeight() throws {
        var migration = Migration(at: makeState(.shadow))
        try migration.run(.cutover(.all))
        migration.wait(25 * minute)
        try migration.run(.cutover(weight(50)))
        migration.wait(minute)
        try migration.run(.cutover(.all))
        migration.wait(29 * minute)
        #expect(migration.refusal(.advance(to: nil)) == ["100% has to hold for 30 min, 1 min left"])
        migration.wait(minute)
        try migration.run(.advance(to: nil))
    }

    @Test func aRollbackInWeekThreeStartsTheWindowAnew() throws {
        var migration = try inFallback()
        migration.wait(20 * day)
        try migration.run(.rollback)
        #expect(migration.state.point == StagePoint(stage: .shadow, weight: .none))
        try migration.run(.cutover(.all))
        migration.wait(hour)
        try migration.run(.advance(to: nil))
        migration.wait(10 * day)
        #expect(migration.refusal(.retire) == ["the fallback window has 20 d left"])
        migration.wait(20 * day)
        try migration.run(.retire)
    }

    @Test func aRequestThatFellBackOnDayTwentyNineHoldsRetirementUntilItIsQuiet() throws {
        var migration = try inFallback()
        migration.wait(29 * day)
        migration.evidence.fellBackTotal = 1
        migration.evidence.lastFellBackAt = migration.now
        migration.wait(day)
        #expect(migration.refusal(.retire) == ["a request fell back 1 d ago (1 in all), 7 d of quiet have 6 d left"])
        migration.wait(6 * day)
        try migration.run(.retire)
    }

    @Test func aRegretAfterRetirementCanStillGoBack() throws {
        var migration = try inFallback()
        migration.wait(30 * day)
        try migration.run(.retire)
        migration.wait(100 * day)
        try migration.run(.rollback)
        #expect(migration.state.point == StagePoint(stage: .shadow, weight: .none))
        #expect(migration.state.windowStartedAt == nil)
    }

    @Test func discrepanciesKeepTheExtractionInShadowUntilTheyAreFixed() throws {
        var migration = Migration(at: makeState(.shadow))
        migration.evidence = StageEvidence(
            serviceHealthy: true, endpoints: [makeEndpoint(compared: 200, differing: 200)])
        #expect(migration.refusal(.cutover(weight(1))) != nil)
        // Fixed: down to parallel and up again, so that the counts are those of the fixed version.
        try migration.run(.rollback)
        migration.evidence = .healthy
        try migration.run(.advance(to: .shadow))
        migration.evidence = StageEvidence(serviceHealthy: true, endpoints: [makeEndpoint(compared: 2_995)])
        try migration.run(.cutover(weight(1)))
    }
}
