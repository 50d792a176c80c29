import Extraction
import FoundationEssentials
import TestSupport
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

/// Random commands, evidence and waits.
@Suite struct MachinePropertyTests {
    private func anyCommand(_ generator: inout SeededGenerator) -> StageCommand {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4: .advance(to: nil)
        case 4: .advance(to: Stage.allCases.randomElement(using: &generator))
        case 5..<8: .cutover([.none, weight(1), weight(50), .all].randomElement(using: &generator) ?? .none)
        case 8: .retire
        default: .rollback
        }
    }

    private func anyEvidence(_ generator: inout SeededGenerator, now: Date) -> StageEvidence {
        let rarely = { (generator: inout SeededGenerator) in Int.random(in: 0..<6, using: &generator) == 0 }
        return StageEvidence(
            serviceHealthy: rarely(&generator) ? [nil, false].randomElement(using: &generator) ?? nil : true,
            compared: rarely(&generator) ? 0 : 1_000, match: 1_000, mismatch: rarely(&generator) ? 5 : 0,
            regressedGroups: rarely(&generator) ? 1 : 0, writeBacklog: rarely(&generator) ? 2 : 0, fellBackTotal: 1,
            lastFellBackAt: rarely(&generator) ? now : now.addingTimeInterval(-8 * day),
            contractProblems: rarely(&generator) ? ["a problem"] : [])
    }

    @Test(arguments: 0..<200)
    func noStageIsReachedThroughAClosedGateWithoutARecordedForce(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var migration = Migration()
        for _ in 0..<300 {
            migration.wait([0, minute, hour, 10 * day].randomElement(using: &generator) ?? 0)
            migration.evidence = anyEvidence(&generator, now: migration.now)
            let force = Int.random(in: 0..<8, using: &generator) == 0
            let gate = migration.gate
            let before = migration.state
            let command = anyCommand(&generator)
            if let reasons = migration.refusal(command, force: force) {
                #expect(!reasons.isEmpty && reasons.allSatisfy { !$0.isEmpty })
                #expect(migration.state == before)
                continue
            }
            let transition = try #require(migration.history.last)
            let after = transition.to
            #expect(after.version == before.version + 1 && after.since == migration.now)
            #expect(!transition.forced || force)
            if after.stage > before.stage && !transition.forced {
                #expect(gate.next == after.stage && gate.open)
            }
            if after.stage == .retired { #expect(before.stage == .fallback) }
            expectConsistent(after)
            expectWayBack(migration)
        }
    }

    private func expectConsistent(_ state: ExtractionState) {
        switch state.stage {
        case .identified, .contracted, .parallel, .shadow:
            #expect(state.weight == .none && state.windowStartedAt == nil)
        case .cutover:
            #expect(state.windowStartedAt == nil)
        case .fallback, .retired:
            #expect(state.weight == .all && state.windowStartedAt != nil)
        }
    }

    /// One rollback takes all traffic back to the monolith; a few more end at the start.
    private func expectWayBack(_ migration: Migration) {
        var back = migration
        guard back.state.stage != .identified else { return }
        #expect(back.refusal(.rollback) == nil)
        #expect(back.state.stage <= .shadow && back.state.weight == .none)
        while back.refusal(.rollback) == nil {}
        #expect(back.state.stage == .identified)
    }
}
