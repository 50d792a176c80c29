import Extraction
import FoundationEssentials
import Testing

@Suite struct GateTests {
    private func missing(
        from state: ExtractionState, _ definition: ExtractionDefinition = makeDefinition(),
        _ evidence: StageEvidence = .healthy, after seconds: Double = 0
    ) -> [String] {
        let gate = ExtractionMachine.gate(
            state: state, definition: definition, evidence: evidence, now: Date.start.addingTimeInterval(seconds))
        #expect(gate.open == gate.missing.isEmpty)
        #expect(gate.next == state.stage.next)
        return gate.missing
    }

    @Test func contractedAsksForProblemReasonsAndContract() {
        #expect(missing(from: makeState(.identified)).isEmpty)
        #expect(
            missing(
                from: makeState(.identified),
                makeDefinition(problem: " \n", because: [.teamSize, .teamSize], hasContract: false))
                == [
                    "the route file states no problem that the extraction solves",
                    "needs 2 reasons under because, has 1; to choose from: independent-deployment, scale-variance, "
                        + "technology-diversity, fault-isolation",
                    "the route file names no contract",
                ])
    }

    @Test func contractedRepeatsTheProblemsOfTheContract() {
        let evidence = StageEvidence(contractProblems: ["GET /orders/{id} is not in the contract"])
        #expect(missing(from: makeState(.identified), makeDefinition(), evidence) == evidence.contractProblems)
    }

    @Test(arguments: [Stage.contracted, .parallel])
    func parallelAndShadowAskForAHealthyService(stage: Stage) {
        #expect(missing(from: makeState(stage)).isEmpty)
        #expect(
            missing(from: makeState(stage), makeDefinition(), StageEvidence(serviceHealthy: false))
                == ["the service's health check fails"])
        #expect(
            missing(from: makeState(stage), makeDefinition(), StageEvidence())
                == ["the service's health check has not answered yet"])
    }

    @Test func cutoverAsksForComparisons() {
        #expect(
            missing(from: makeState(.shadow), makeDefinition(), StageEvidence(serviceHealthy: true))
                == ["needs at least 1 compared answer, has 0"])
    }

    @Test func cutoverAllowsTheLimitAndNotAnAnswerMore() {
        func found(_ mismatch: Int, of compared: Int, limit: Weight?) -> [String] {
            missing(
                from: makeState(.shadow), makeDefinition(mismatch: limit),
                StageEvidence(compared: compared, match: compared - mismatch, mismatch: mismatch))
        }
        #expect(found(1, of: 1_000, limit: nil).isEmpty)
        #expect(found(2, of: 1_999, limit: nil) == ["2 of 1999 compared answers differed (0.11%), at most 0.1% may"])
        #expect(found(2, of: 9, limit: weight(5)) == ["2 of 9 compared answers differed (22.23%), at most 5% may"])
        #expect(found(1, of: 1_000_000, limit: Weight.none).count == 1)
        #expect(found(.max, of: .max, limit: weight(100)).isEmpty)
    }

    @Test func cutoverLeavesOutWhatIsAcceptedAndSaysSo() {
        func found(_ mismatch: Int, accepted: Int) -> [String] {
            missing(
                from: makeState(.shadow), makeDefinition(),
                StageEvidence(compared: 1_999, mismatch: mismatch, accepted: accepted))
        }
        #expect(found(42, accepted: 42).isEmpty && found(42, accepted: 41).isEmpty)
        #expect(
            found(42, accepted: 40)
                == ["2 of 1999 compared answers differed (0.11%), at most 0.1% may (40 more are accepted)"])
        #expect(
            found(3, accepted: 1)
                == ["2 of 1999 compared answers differed (0.11%), at most 0.1% may (1 more is accepted)"])
        // Impossible counts open nothing and trap nowhere.
        #expect(
            found(42, accepted: -1).count == 1 && found(2, accepted: .max).isEmpty && found(.min, accepted: 1).isEmpty)
    }

    @Test func cutoverAsksForMendedGroupsAndAnEmptyBacklog() {
        var evidence = StageEvidence.healthy
        evidence.regressedGroups = 1
        evidence.writeBacklog = 12
        #expect(
            missing(from: makeState(.shadow), makeDefinition(), evidence) == [
                "1 group of fixed differences came back", "12 writes not delivered to the other side yet",
            ])
    }

    @Test func fallbackAsksForTheWholeWeightAndItsBakeTime() {
        #expect(
            missing(from: makeState(.cutover, weight(25)), after: hour)
                == ["the service answers 25% of the keys, fallback needs 100%"])
        #expect(
            missing(from: makeState(.cutover, .all), after: 12 * minute + 20)
                == ["100% has to hold for 30 min, 17 min 40 s left"])
        #expect(missing(from: makeState(.cutover, .all), after: 30 * minute).isEmpty)
    }

    @Test func aClockThatWentBackHoldsTheGate() {
        #expect(
            missing(from: makeState(.cutover, .all), after: -hour) == ["100% has to hold for 30 min, 1 h 30 min left"])
    }

    @Test func retiredAsksForTheWindow() {
        let standing = makeState(.fallback, .all, window: .start)
        #expect(missing(from: standing, after: 5 * minute) == ["the fallback window has 29 d 23 h left"])
        #expect(missing(from: standing, after: 30 * day - 0.5) == ["the fallback window has 1 s left"])
        #expect(missing(from: standing, after: 30 * day).isEmpty)
        #expect(missing(from: makeState(.fallback, .all), after: 90 * day) == ["the fallback window has not started"])
    }

    @Test func retiredAsksForQuiet() {
        let standing = makeState(.fallback, .all, window: .start)
        var evidence = StageEvidence.healthy
        evidence.fellBackTotal = 14
        #expect(
            missing(from: standing, makeDefinition(), evidence, after: 31 * day)
                == ["14 requests fell back, when the last did is not known"])
        evidence.lastFellBackAt = Date.start.addingTimeInterval(29 * day)
        #expect(
            missing(from: standing, makeDefinition(), evidence, after: 31 * day)
                == ["a request fell back 2 d ago (14 in all), 7 d of quiet have 5 d left"])
        #expect(missing(from: standing, makeDefinition(), evidence, after: 36 * day).isEmpty)
    }

    @Test func retiredAsksForAnEmptyBacklog() {
        var evidence = StageEvidence.healthy
        evidence.writeBacklog = 1
        #expect(
            missing(from: makeState(.fallback, .all, window: .start), makeDefinition(), evidence, after: 31 * day)
                == ["1 write not delivered to the monolith yet"])
    }

    @Test func behindRetiredThereIsNoGate() {
        let gate = ExtractionMachine.gate(
            state: makeState(.retired, .all), definition: makeDefinition(), evidence: .healthy, now: .start)
        #expect(gate == Gate(next: nil, open: false, missing: []))
    }

    @Test func absurdTimesAreSaidAndDoNotTrap() {
        let distant = Date(timeIntervalSince1970: -1e300)
        let far = Date(timeIntervalSince1970: 1e300)
        for (since, now) in [(distant, far), (far, distant)] {
            for standing in [makeState(.cutover, .all, since: since), makeState(.fallback, .all, window: since)] {
                var evidence = StageEvidence.healthy
                evidence.lastFellBackAt = since
                _ = ExtractionMachine.gate(
                    state: standing, definition: makeDefinition(), evidence: evidence, now: now)
            }
        }
    }

    @Test func evidenceOfOlderVersionsCanBeRead() throws {
        let decoder = JSONDecoder()
        #expect(try decoder.decode(StageEvidence.self, from: Data("{}".utf8)) == StageEvidence())
        let full = StageEvidence(
            serviceHealthy: false, compared: 9, match: 7, mismatch: 2, accepted: 1, regressedGroups: 1,
            writeBacklog: 3, fellBackTotal: 4, lastFellBackAt: .start, contractProblems: ["x"])
        #expect(try decoder.decode(StageEvidence.self, from: JSONEncoder().encode(full)) == full)
        #expect(try decoder.decode(StageEvidence.self, from: Data(#"{"compared":5,"later":{}}"#.utf8)).compared == 5)
    }
}
