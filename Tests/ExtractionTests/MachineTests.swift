import Extraction
import FoundationEssentials
import Testing

@Suite struct MachineTests {
    @Test func advanceGoesOneStageUp() throws {
        var migration = Migration()
        let transition = try migration.run(.advance(to: nil))
        #expect(transition.action == "advance")
        #expect(transition.from == .initial(name: "orders", now: .start))
        #expect(transition.to.stage == .contracted)
        #expect(transition.to.version == 1)
        #expect(!transition.forced)
    }

    @Test func aClosedGateRefusesWithItsReasonsAndForceIsRecorded() throws {
        var migration = Migration(at: makeState(.contracted))
        migration.evidence.serviceHealthy = false
        #expect(migration.refusal(.advance(to: .parallel)) == ["the service's health check fails"])
        #expect(migration.state.stage == .contracted)
        #expect(try migration.run(.advance(to: .parallel), force: true).forced)
        #expect(migration.state.stage == .parallel)
    }

    @Test func forceThatWasNotNeededIsNotRecorded() throws {
        var migration = Migration()
        #expect(try !migration.run(.advance(to: nil), force: true).forced)
    }

    @Test func advanceSkipsOnlyByForce() throws {
        var migration = Migration()
        #expect(
            migration.refusal(.advance(to: .shadow))
                == ["shadow is not the next stage after identified, contracted is"])
        #expect(try migration.run(.advance(to: .shadow), force: true).forced)
        #expect(migration.state.stage == .shadow)
    }

    @Test func advanceNeverGoesDownOrStaysEvenByForce() {
        var migration = Migration(at: makeState(.shadow))
        #expect(
            migration.refusal(.advance(to: .contracted), force: true)
                == ["advance does not go down from shadow to contracted: use rollback"])
        #expect(migration.refusal(.advance(to: .shadow), force: true) == ["already at stage shadow"])
        migration.state = makeState(.retired, .all)
        #expect(migration.refusal(.advance(to: nil), force: true) == ["retired is the last stage"])
    }

    @Test func enteringCutoverByAdvanceMovesNoTraffic() throws {
        var migration = Migration(at: makeState(.shadow))
        try migration.run(.advance(to: nil))
        #expect(migration.state.point == StagePoint(stage: .cutover, weight: .none))
    }

    @Test func cutoverEntersFromShadowThroughItsGate() throws {
        var migration = Migration(at: makeState(.shadow))
        migration.evidence = StageEvidence(
            serviceHealthy: true, compared: 9, match: 7, mismatch: 2,
            endpoints: [makeEndpoint(compared: 9, differing: 2)])
        #expect(
            migration.refusal(.cutover(weight(5)))
                == ["GET /orders/{id}: 2 of 9 compared answers differ (22.23%), at most 0.1% may"])
        migration.evidence = .healthy
        let transition = try migration.run(.cutover(weight(5)))
        #expect(transition.action == "cutover")
        #expect(transition.to.point == StagePoint(stage: .cutover, weight: weight(5)))
    }

    @Test(arguments: [Stage.identified, .contracted, .parallel])
    func cutoverFromEarlierStagesNeedsForce(stage: Stage) throws {
        var migration = Migration(at: makeState(stage))
        #expect(
            migration.refusal(.cutover(weight(5)))
                == ["cutover starts from stage shadow, this extraction is at \(stage.rawValue)"])
        #expect(try migration.run(.cutover(weight(5)), force: true).forced)
        #expect(migration.state.point == StagePoint(stage: .cutover, weight: weight(5)))
    }

    @Test func withinCutoverTheWeightGoesUpAndDownAndMarksTheTime() throws {
        var migration = Migration(at: makeState(.cutover, weight(5)))
        migration.evidence = StageEvidence(compared: 10, mismatch: 10, regressedGroups: 3, writeBacklog: 3)
        for next in [weight(50), .none, .all, weight(1)] {
            migration.wait(minute)
            #expect(try !migration.run(.cutover(next)).forced)
            #expect(migration.state.point == StagePoint(stage: .cutover, weight: next))
            #expect(migration.state.since == migration.now)
        }
    }

    @Test func theSameWeightAgainDoesNotRestartTheBakeTime() {
        var migration = Migration(at: makeState(.cutover, .all))
        migration.wait(20 * minute)
        #expect(migration.refusal(.cutover(.all), force: true) == ["the weight is 100% already, at stage cutover"])
        #expect(migration.state.since == .start)
    }

    @Test func fallbackStartsTheWindowAndLessThanAllEndsIt() throws {
        var migration = Migration(at: makeState(.cutover, .all))
        migration.wait(hour)
        try migration.run(.advance(to: nil))
        #expect(migration.state.point == StagePoint(stage: .fallback, weight: .all))
        #expect(migration.state.windowStartedAt == migration.now)
        #expect(migration.refusal(.cutover(.all)) == ["the weight is 100% already, at stage fallback"])
        try migration.run(.cutover(weight(99)))
        #expect(migration.state.point == StagePoint(stage: .cutover, weight: weight(99)))
        #expect(migration.state.windowStartedAt == nil)
    }

    @Test func retireNeedsFallbackEvenByForce() {
        for stage in Stage.allCases where stage < .fallback {
            var migration = Migration(at: makeState(stage))
            let refusal = [
                "only stage fallback can be retired, this extraction is at \(stage.rawValue); force does not change that"
            ]
            #expect(migration.refusal(.retire, force: true) == refusal)
            #expect(migration.refusal(.advance(to: .retired), force: true) == refusal)
        }
        var migration = Migration(at: makeState(.retired, .all))
        #expect(migration.refusal(.retire, force: true) == ["already at stage retired"])
    }

    @Test func retireBeforeTheWindowIsOverNeedsForce() throws {
        var migration = Migration(at: makeState(.fallback, .all, window: .start))
        migration.wait(5 * minute)
        #expect(migration.refusal(.retire) == ["the fallback window has 29 d 23 h left"])
        #expect(migration.refusal(.advance(to: nil)) == ["the fallback window has 29 d 23 h left"])
        let transition = try migration.run(.retire, force: true)
        #expect(transition.action == "retire")
        #expect(transition.forced)
        #expect(migration.state.point == StagePoint(stage: .retired, weight: .all))
        #expect(migration.state.windowStartedAt == .start)
    }

    @Test func aRetiredExtractionHasNoWeightToSet() {
        var migration = Migration(at: makeState(.retired, .all))
        #expect(
            migration.refusal(.cutover(weight(5)), force: true)
                == ["a retired extraction has no weight to set: use rollback first"])
    }

    @Test(arguments: [
        (Stage.contracted, Stage.identified), (.parallel, .contracted), (.shadow, .parallel), (.cutover, .shadow),
        (.fallback, .shadow), (.retired, .shadow),
    ])
    func rollbackNeedsNoGate(from: Stage, to: Stage) throws {
        let moved = from >= .cutover
        var migration = Migration(at: makeState(from, moved ? .all : .none, window: moved ? .start : nil))
        migration.evidence = StageEvidence(serviceHealthy: false, mismatch: 9, regressedGroups: 9, writeBacklog: 9)
        migration.wait(day)
        let transition = try migration.run(.rollback)
        #expect(transition.action == "rollback")
        #expect(!transition.forced)
        #expect(
            transition.to
                == ExtractionState(
                    name: "orders", stage: to, weight: .none, since: migration.now, version: 8, windowStartedAt: nil))
    }

    @Test func atTheStartThereIsNothingToRollBack() {
        var migration = Migration()
        #expect(migration.refusal(.rollback, force: true) == ["there is nothing to roll back at stage identified"])
    }

    @Test func statesAndHistorySurviveJSON() throws {
        let state = makeState(.fallback, .all, window: .start)
        #expect(try JSONDecoder().decode(ExtractionState.self, from: JSONEncoder().encode(state)) == state)
        let entry = HistoryEntry(
            at: .start, actor: "ada", action: "cutover", from: StagePoint(stage: .shadow, weight: .none),
            to: StagePoint(stage: .cutover, weight: weight(5)), reason: nil, forced: true, evidence: .healthy)
        #expect(try JSONDecoder().decode(HistoryEntry.self, from: JSONEncoder().encode(entry)) == entry)
    }

    @Test func refusalsAndConflictsSayWhatHappened() {
        #expect(Refusal(reasons: ["one", "two"]).description == "one; two")
        let conflict = StageConflict(name: "orders", expected: 3, found: 4, stage: .cutover)
        #expect(
            conflict.description
                == "orders was changed by somebody else meanwhile: it is at stage cutover, version 4, "
                + "the command was judged on version 3")
    }

    @Test func stagesAreOrderedAsTheyAreWalked() {
        #expect(Stage.allCases.sorted() == Stage.allCases)
        #expect(zip(Stage.allCases, Stage.allCases.dropFirst()).allSatisfy { $0.next == $1 })
        #expect(Stage.allCases.map(\.stepNumber) == [1, 2, 3, 4, 5, 5, 5])
    }
}
