import FoundationEssentials
import Testing

@testable import Extraction

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
        var evidence = StageEvidence.healthy
        evidence.serviceHealthy = false
        #expect(missing(from: makeState(stage), makeDefinition(), evidence) == ["the service's health check fails"])
        evidence.serviceHealthy = nil
        #expect(
            missing(from: makeState(stage), makeDefinition(), evidence)
                == ["the service's health check has not answered yet"])
    }

    private func shadowGate(_ conformance: [ConformanceEvidence], hasContract: Bool = true) -> [Requirement] {
        var evidence = StageEvidence.healthy
        evidence.conformance = conformance
        return ExtractionMachine.gate(
            state: makeState(.parallel), definition: makeDefinition(hasContract: hasContract), evidence: evidence,
            now: .start
        ).requirements.filter { $0.name == "conformance" }
    }

    @Test func shadowAsksHowFarTheMonolithKeepsTheContract() {
        let unseen = ConformanceEvidence(endpoint: "PATCH /orders/{id}", checked: 0, violating: 0)
        func seen(_ checked: Int) -> ConformanceEvidence {
            ConformanceEvidence(endpoint: "GET /orders/{id}", checked: checked, violating: 0)
        }
        let needs = "needs 100 of the monolith's answers held against the contract, or one of each operation"
        #expect(shadowGate([]) == [.missing("conformance", needs + ", has 0")])
        #expect(
            shadowGate([seen(99), unseen])
                == [.missing("conformance", needs + ", has 99; not one of PATCH /orders/{id}")])
        #expect(shadowGate([seen(100), unseen]).missing.isEmpty)
        #expect(shadowGate([seen(1)]).missing.isEmpty)
        #expect(shadowGate([], hasContract: false).missing.isEmpty)
    }

    @Test func violationsAreSaidAndCloseNothing() {
        let broken = ConformanceEvidence(
            endpoint: "GET /orders/{id}", checked: 200, violating: 3,
            violations: [
                "GET /orders/{id} 200 application/json $.total is a string, the contract says number (3 answers)"
            ])
        #expect(
            shadowGate([broken]) == [
                .met("conformance", "200 answers of the monolith held against the contract, 3 broke it"),
                .met("conformance", broken.violations[0]),
            ])
    }

    @Test func cutoverAsksForComparisons() {
        #expect(
            missing(from: makeState(.shadow), makeDefinition(), StageEvidence(serviceHealthy: true))
                == ["needs at least 1 compared answer, has 0"])
    }

    /// What the gate to cutover says of one endpoint.
    private func found(_ endpoint: EndpointEvidence, limit: Weight? = nil) -> [String] {
        missing(from: makeState(.shadow), makeDefinition(mismatch: limit), StageEvidence(endpoints: [endpoint]))
    }

    @Test func cutoverAsksForAsManyComparisonsAsProveTheLimit() {
        let name = "GET /orders/{id}"
        #expect(found(makeEndpoint(compared: 2_994)) == ["\(name): needs 2995 clean comparisons, has 2994"])
        #expect(found(makeEndpoint(compared: 2_995)).isEmpty)
        #expect(
            found(makeEndpoint(compared: 3_000, differing: 1))
                == ["\(name): needs 4742 comparisons with no more than 1 differing, has 3000"])
        #expect(found(makeEndpoint(compared: 4_742, differing: 1)).isEmpty)
        #expect(
            found(makeEndpoint(compared: 1_999, differing: 2))
                == ["\(name): 2 of 1999 compared answers differ (0.11%), at most 0.1% may"])
        #expect(
            found(makeEndpoint(compared: 9, differing: 2), limit: weight(5))
                == ["\(name): 2 of 9 compared answers differ (22.23%), at most 5% may"])
        #expect(
            found(makeEndpoint(compared: 1_000_000), limit: Weight.none)
                == ["\(name): a limit of 0% cannot be proved: set one above 0%, or waive it"])
        #expect(found(makeEndpoint(compared: .max, differing: .max), limit: weight(100)).isEmpty)
    }

    @Test func cutoverLeavesOutWhatIsAcceptedAndSaysSo() {
        #expect(found(makeEndpoint(compared: 3_000, accepted: 42)).isEmpty)
        #expect(
            found(makeEndpoint(compared: 1_999, differing: 2, accepted: 40))
                == ["GET /orders/{id}: 2 of 1999 compared answers differ (0.11%) (40 more accepted), at most 0.1% may"])
        // Impossible counts open nothing and trap nowhere.
        #expect(found(makeEndpoint(compared: -1, differing: -1)).count == 1)
        #expect(found(makeEndpoint(compared: .min, differing: .max, accepted: .max)).count == 1)
    }

    @Test func cutoverSaysWhyThereIsTooLittleToCompare() {
        var endpoint = makeEndpoint(compared: 12)
        endpoint.primaryFailed = 988
        #expect(
            found(endpoint) == [
                "GET /orders/{id}: needs 2995 clean comparisons, has 12 (the primary itself failed on 988 more)"
            ])
        // Not the other side's fault: no matter of coverage.
        endpoint.compared = 3_000
        endpoint.primaryFailed = 900_000
        #expect(found(endpoint).isEmpty)
    }

    @Test func cutoverAsksForCoverage() {
        let name = "GET /orders/{id}"
        var endpoint = makeEndpoint(compared: 7_999)
        endpoint.notCompared = ["body-too-large": 2_000, "stream": 1, "b": 0]
        #expect(
            found(endpoint) == [
                "\(name): 79.99% of 10000 were compared (body-too-large 2000, stream 1), at least 80% have to be"
            ])
        endpoint.compared = 8_004
        #expect(found(endpoint).isEmpty)
        endpoint = makeEndpoint(compared: 9_000)
        (endpoint.shed, endpoint.shadowFailed) = (501, 499)
        #expect(
            found(endpoint) == [
                "\(name): 501 of 10000 (5.01%) were shed because too many waited, at most 5% may",
                "\(name): the service failed on 499 of 9499 (5.26%), at most 1% may",
            ])
        // Ten requests are no share; the comparisons name what is missing.
        endpoint = makeEndpoint(compared: 1)
        endpoint.shadowFailed = 9
        #expect(found(endpoint) == ["\(name): needs 2995 clean comparisons, has 1"])
    }

    @Test func headIsProvedByGet() {
        let head = { (differing: Int, get: Int, path: String) in
            missing(
                from: makeState(.shadow), makeDefinition(),
                StageEvidence(endpoints: [
                    makeEndpoint("GET \(path)", compared: get),
                    makeEndpoint("HEAD /orders", compared: 2, differing: differing),
                ]))
        }
        #expect(head(0, 3_000, "/orders").isEmpty)
        #expect(head(1, 3_000, "/orders") == ["HEAD /orders: 1 of 2 compared answers differs (50%), at most 0.1% may"])
        #expect(head(0, 10, "/orders").count == 2)
        #expect(head(0, 3_000, "/people") == ["HEAD /orders: needs 2995 clean comparisons, has 2"])
        // OPTIONS tells of something else than GET.
        #expect(
            found(makeEndpoint("OPTIONS /orders", compared: 2))
                == ["OPTIONS /orders: needs 2995 clean comparisons, has 2"])
    }

    @Test func endpointsAreWaivedOneByOne() {
        var endpoint = makeEndpoint("OPTIONS /orders", compared: 2)
        endpoint.shed = 900
        endpoint.waiver = Waiver(actor: "ada", reason: "asked twice a month", at: .start)
        #expect(found(endpoint).isEmpty)
        var gap = EvidenceGap(
            id: 12, began: .start, ended: Date.start.addingTimeInterval(90), replica: "a", reason: "it died")
        var evidence = StageEvidence.healthy
        evidence.gaps = [gap]
        #expect(
            missing(from: makeState(.shadow), makeDefinition(), evidence)
                == [
                    "gap 12: evidence of 1 min 30 s from 2026-11-21 04:00:00 UTC on is missing at a: it died; waive it with a reason"
                ])
        gap.waiver = endpoint.waiver
        evidence.gaps = [gap]
        #expect(missing(from: makeState(.shadow), makeDefinition(), evidence).isEmpty)
    }

    @Test func writesThatOneSideNeverGetsAreNotProved() {
        #expect(
            missing(
                from: makeState(.shadow), makeDefinition(writes: .never),
                StageEvidence(endpoints: [makeEndpoint("POST /orders", compared: 9_000)]))
                == ["POST /orders: writes are never sent to both sides; set `writes: dual-write`, or waive it"])
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

    @Test func oneAnswerDiffersAndTwoDiffer() {
        for (differing, said) in [
            (1, "1 of 1 compared answer differs (100%)"), (2, "2 of 2 compared answers differ (100%)"),
        ] {
            let endpoint = makeEndpoint(compared: differing, differing: differing)
            #expect(found(endpoint).contains { $0.contains(said) }, "\(found(endpoint))")
        }
    }

    @Test func aWaiverStandsForMissingEvidenceAndNotAgainstWhatIsThere() {
        let waiver = Waiver(actor: "ops", reason: "nobody asks", at: .start)
        var endpoint = makeEndpoint(compared: 3, differing: 0)
        endpoint.waiver = waiver
        #expect(found(endpoint).isEmpty)
        endpoint = makeEndpoint(compared: 400, differing: 200)
        endpoint.waiver = waiver
        #expect(found(endpoint).contains { $0.contains("200 of 400 compared answers differ") })
    }

    @Test(arguments: [Stage.shadow, .fallback])
    func whoeverIsNotHeardOfMayKnowWhatIsMissing(stage: Stage) {
        var evidence = StageEvidence.healthy
        evidence.silentReplicas = ["b:7"]
        evidence.gaps = [
            EvidenceGap(id: 4, began: .start, ended: .start + 2, replica: "c:9", reason: "it ended")
        ]
        let state = makeState(stage, stage == .fallback ? .all : .none, window: stage == .fallback ? .start : nil)
        #expect(
            missing(from: state, makeDefinition(), evidence, after: 31 * day) == [
                "not heard of, with what they have counted: b:7",
                "gap 4: evidence of 2 s from 2026-11-21 04:00:00 UTC on is missing at c:9: it ended; waive it with a reason",
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
        #expect(gate == Gate(next: nil, requirements: []))
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

/// Writes that nobody delivers any more, and writes that went to one side alone.
@Suite struct UndecidedWriteTests {
    @Test(arguments: [
        (2, 1, "2 writes are dead, 1 uncertain"), (1, 0, "1 write is dead"), (0, 1, "1 write is uncertain"),
        (0, 3, "3 writes are uncertain"),
    ])
    func `they close the gates to cutover and retirement until somebody has decided`(
        dead: Int, uncertain: Int, said: String
    ) {
        for stage in [Stage.shadow, .fallback] {
            var migration = Migration(at: makeState(stage, stage == .fallback ? .all : .none, window: .start))
            migration.wait(40 * day)
            #expect(migration.gate.open, "\(migration.gate.missing)")
            migration.evidence.deadWrites = dead
            migration.evidence.uncertainWrites = uncertain
            #expect(migration.gate.missing == ["\(said): see `strangler writes orders`"])
        }
    }

    @Test func `only where writes are dual does the list say that there are none`() {
        for (policy, names) in [(WritePolicy.dualWrite, 1), (.never, 0)] {
            let migration = Migration(makeDefinition(writes: policy), at: makeState(.shadow))
            #expect(migration.gate.requirements.count { $0.name == "writes" } == names)
        }
    }

    @Test func `a gap of writes is told as such and can be waived`() {
        var migration = Migration(at: makeState(.shadow))
        var gap = EvidenceGap(
            id: 12, began: .start, ended: Date.start.addingTimeInterval(240), replica: "web-1",
            reason: "spool-full, 120 writes", extraction: "orders")
        migration.evidence.gaps = [gap]
        #expect(
            migration.gate.missing == [
                "gap 12: for 4 min from 2026-11-21 04:00:00 UTC on writes went to one side alone at web-1: "
                    + "spool-full, 120 writes; waive it with a reason"
            ])
        gap.waiver = Waiver(actor: "ann", reason: "copied by hand", at: .start)
        migration.evidence.gaps = [gap]
        #expect(migration.gate.open)
    }

    @Test func `dead writes of the ramp count as missing for the guard, and hold the weight`() {
        let judge = { (evidence: GuardEvidence) in
            Guard.judge(evidence, limits: GuardLimits(backlog: 10), now: .start)
        }
        let few = judge(GuardEvidence(backlog: 8, deadWrites: 2, uncertainWrites: 1))
        #expect(few.breaches.isEmpty)
        #expect(few.cautions == ["2 writes are dead, 1 uncertain since the weight began to bake"])
        let many = judge(GuardEvidence(backlog: 8, deadWrites: 3))
        #expect(many.breaches == ["11 writes (3 of them dead) wait for the other side, at most 10 may"])
    }
}
