import Extraction
import FoundationEssentials
import Testing

@Suite struct RampTests {
    private func findings(
        _ requests: Int = 1_000, writes: Int = 0, breaches: [String] = [], cautions: [String] = []
    ) -> GuardFindings {
        GuardFindings(
            judgedAt: .start, breaches: breaches, cautions: cautions,
            step: span(["GET /": TrafficPair(service: side(requests)), "POST /": TrafficPair(service: side(writes))]))
    }

    private func ramping(_ weights: Weights, hold: Hold? = nil) -> ExtractionState {
        ExtractionState(
            name: "orders", stage: .cutover, weights: weights, since: .start, version: 7, windowStartedAt: nil,
            isRamping: true, hold: hold)
    }

    private func next(
        _ state: ExtractionState, _ findings: GuardFindings? = nil, after seconds: Double = hour,
        ramp: [Int] = [1, 5, 25, 50, 100]
    ) -> RampMove {
        Ramp.next(
            state: state, definition: makeDefinition(ramp: ramp), findings: findings ?? self.findings(),
            now: Date.start.addingTimeInterval(seconds))
    }

    @Test func fromNothingTheFirstStepIsTakenAtOnce() {
        #expect(next(ramping(.none), findings(0), after: 0) == .raise(weight(1)))
        #expect(
            next(ramping(.none), findings(0, cautions: ["not heard of: a"]), after: 0) == .stay(["not heard of: a"]))
        #expect(next(ramping(.none), findings(0, breaches: ["broken"]), after: 0) == .stay(["broken"]))
    }

    @Test func aWeightHasToHoldAndToBeAskedFor() {
        let state = ramping(Weights(weight(5)))
        #expect(next(state, after: 12 * minute) == .stay(["5% has to hold for 30 min, 18 min left"]))
        #expect(next(state, after: 30 * minute) == .raise(weight(25)))
        #expect(next(state, findings(298)) == .stay(["needs 299 requests at the service at 5%, has 298"]))
        #expect(next(state, findings(299)) == .raise(weight(25)))
        // A clock that went back.
        #expect(next(state, after: -hour) == .stay(["5% has to hold for 30 min, 1 h 30 min left"]))
    }

    @Test func everyRampIsClimbedAsItIsWritten() {
        #expect(next(ramping(.none), ramp: [100]) == .raise(.all))
        #expect(next(ramping(Weights(weight(7)))) == .raise(weight(25)))
        #expect(next(ramping(Weights(weight(5))), ramp: [50, 5, 10]) == .raise(weight(10)))
        // Not further than somebody wrote.
        for ramp in [[], [5], [1, 5]] {
            #expect(
                next(ramping(Weights(weight(5))), ramp: ramp)
                    == .stay(["the ramp of the route file ends here: cutover goes further"]))
        }
    }

    @Test func readsAndWritesMeetOnTheWayUp() throws {
        let state = ramping(Weights(reads: weight(50), writes: weight(5)))
        #expect(next(state, findings(1_000, writes: 300)) == .raise(weight(25)))
        let raised = try #require(
            ExtractionMachine.carryOut(
                .raise(weight(25)), state: state, definition: makeDefinition(), evidence: StageEvidence(),
                actor: "ramp",
                now: .start))
        #expect(raised.to.weights == Weights(reads: weight(50), writes: weight(25)))
        // That reads are fine says nothing of writes.
        #expect(
            next(state, findings(1_000, writes: 7)) == .stay(["needs 299 writes at the service at 5%, has 7"]))
        #expect(
            next(ramping(Weights(reads: weight(1), writes: weight(5))), findings(10, writes: 5_000))
                == .stay(["needs 299 reads at the service at 1%, has 10"]))
        #expect(next(ramping(Weights(reads: weight(50), writes: .none)), findings(1_000)) == .raise(weight(1)))
    }

    @Test func aHoldStopsWhatRisesAndNeverWhatProtects() {
        let hold = Hold(cause: .paused, by: "ada", reason: "the weekend", at: .start)
        for weights in [Weights(weight(5)), .all] {
            #expect(next(ramping(weights, hold: hold)) == .stay(["paused by ada: the weekend"]))
            #expect(next(ramping(weights, hold: hold), findings(breaches: ["broken"])) == .rollBack(["broken"]))
        }
    }

    @Test func theWholeWeightEntersFallbackOnceItHasHeld() {
        #expect(next(ramping(.all), after: 12 * minute) == .stay(["100% has to hold for 30 min, 18 min left"]))
        #expect(next(ramping(.all), findings(3)) == .stay(["needs 299 requests at the service at 100%, has 3"]))
        #expect(next(ramping(.all), findings(cautions: ["doubt"])) == .stay(["doubt"]))
        #expect(next(ramping(.all)) == .enterFallback)
        // Also where people chose each weight.
        #expect(next(makeState(.cutover, .all)) == .enterFallback)
    }

    @Test func withoutARampNothingRisesAndABreachGoesBack() {
        #expect(next(makeState(.cutover, weight(5))) == .stay([]))
        #expect(next(makeState(.cutover, weight(5)), findings(breaches: ["broken"])) == .rollBack(["broken"]))
        #expect(next(makeState(.fallback, .all, window: .start)) == .stay([]))
        #expect(
            next(makeState(.fallback, .all, window: .start), findings(breaches: ["broken"])) == .rollBack(["broken"]))
        for stage in [Stage.identified, .contracted, .parallel, .shadow] {
            #expect(next(makeState(stage), findings(breaches: ["broken"])) == .stay([]))
        }
        #expect(next(makeState(.retired, .all, window: .start), findings(breaches: ["broken"])) == .stay([]))
    }

    @Test func whatWasDecidedOnAnotherStateIsNotCarriedOut() {
        let carry = { (move: RampMove, state: ExtractionState) in
            ExtractionMachine.carryOut(
                move, state: state, definition: makeDefinition(), evidence: StageEvidence(), actor: "guard",
                now: Date.start.addingTimeInterval(minute))
        }
        let hold = Hold(cause: .paused, by: "ada", reason: "lunch", at: .start)
        #expect(carry(.raise(weight(5)), ramping(Weights(weight(25)))) == nil)
        #expect(carry(.raise(weight(5)), ramping(.none, hold: hold)) == nil)
        #expect(carry(.raise(weight(5)), makeState(.cutover)) == nil)
        #expect(carry(.raise(weight(5)), makeState(.shadow)) == nil)
        #expect(carry(.enterFallback, ramping(.all)) == nil)
        #expect(carry(.rollBack(["x"]), makeState(.shadow)) == nil)
        #expect(carry(.rollBack(["x"]), makeState(.cutover)) == nil)
        #expect(carry(.rollBack(["x"]), makeState(.retired, .all, window: .start)) == nil)
    }

    @Test func aBreachIsRememberedAndTheRampWaitsForAPerson() throws {
        let state = ramping(Weights(weight(25)))
        let back = try #require(
            ExtractionMachine.carryOut(
                .rollBack(["one", "two"]), state: state, definition: makeDefinition(), evidence: StageEvidence(),
                actor: "guard", now: .start)
        ).to
        #expect(back.point == StagePoint(stage: .cutover, weight: .none) && back.isRamping)
        #expect(back.hold == Hold(cause: .breach, by: "guard", reason: "one; two", at: .start))
        #expect(next(back) == .stay(["rolled back by the guard, until somebody resumes: one; two"]))
        var migration = Migration(at: back)
        #expect(migration.refusal(.pause)?.first?.hasPrefix("rolled back by the guard") == true)
        #expect(migration.refusal(.ramp) == ["the ramp runs already, at 0%"])
        #expect(migration.refusal(.cutover(weight(5)))?.first?.hasSuffix("(use resume)") == true)
        #expect(migration.refusal(.cutover(weight(5)), force: true, reason: " ")?.count == 2)
        try migration.run(.resume)
        #expect(migration.state.hold == nil && migration.state.isRamping)
        #expect(next(migration.state, findings(0), after: 0) == .raise(weight(1)))
    }
}

@Suite struct HoldTests {
    private func held(_ weights: Weights, ramping: Bool = true) -> Migration {
        Migration(
            at: ExtractionState(
                name: "orders", stage: .cutover, weights: weights, since: .start, version: 7, windowStartedAt: nil,
                isRamping: ramping, hold: Hold(cause: .paused, by: "ada", reason: "lunch", at: .start)))
    }

    @Test func aPauseHoldsAndAResumeBakesAnew() throws {
        var migration = Migration(at: makeState(.cutover, .all))
        migration.wait(29 * minute)
        try migration.run(.pause, reason: nil)
        #expect(migration.state.hold?.reason == "no reason given" && migration.state.since == .start)
        migration.wait(day)
        #expect(migration.refusal(.advance(to: nil)) == ["paused by ops: no reason given (use resume)"])
        try migration.run(.resume)
        #expect(migration.refusal(.advance(to: nil)) == ["100% has to hold for 30 min, 30 min left"])
        #expect(migration.refusal(.resume) == ["nothing holds this extraction"])
        migration.wait(30 * minute)
        try migration.run(.advance(to: nil))
    }

    @Test func underAHoldTheWeightGoesDownFreelyAndStaysHeld() throws {
        var migration = held(Weights(weight(25)))
        try migration.run(.cutover(weight(5)))
        #expect(migration.state.hold?.by == "ada" && !migration.state.isRamping)
        #expect(migration.refusal(.cutover(weight(6))) == ["paused by ada: lunch (use resume)"])
        // Reads up, writes down is up.
        try migration.run(.cutover(weight(1), of: .writes))
        #expect(migration.refusal(.cutover(weight(6), of: .reads))?.count == 1)
        let transition = try migration.run(.cutover(weight(6)), force: true)
        #expect(transition.forced && migration.state.hold == nil)
    }

    @Test func aRollbackEndsEveryHold() throws {
        var migration = held(Weights(weight(25)))
        try migration.run(.rollback)
        #expect(migration.state.hold == nil && !migration.state.isRamping)
        #expect(migration.state.point == StagePoint(stage: .shadow, weight: .none))
    }

    @Test(arguments: [Stage.identified, .contracted, .parallel, .shadow, .fallback, .retired])
    func onlyCutoverCanBePaused(stage: Stage) {
        let isAll = stage >= .fallback
        var migration = Migration(at: makeState(stage, isAll ? .all : .none, window: isAll ? .start : nil))
        #expect(
            migration.refusal(.pause, force: true) == ["there is nothing to pause at stage \(stage.rawValue)"])
        #expect(migration.refusal(.resume, force: true) == ["nothing holds this extraction"])
    }

    @Test func theRampIsEnteredThroughTheGateAndBeginsAtNothing() throws {
        var migration = Migration(at: makeState(.shadow))
        migration.evidence = StageEvidence(serviceHealthy: true)
        #expect(migration.refusal(.ramp) == ["needs at least 1 compared answer, has 0"])
        migration.evidence = .healthy
        let transition = try migration.run(.ramp)
        #expect(!transition.forced && migration.state.isRamping)
        #expect(migration.state.point == StagePoint(stage: .cutover, weight: .none))
        #expect(migration.refusal(.ramp) == ["the ramp runs already, at 0%"])
    }

    @Test func whereTheRampEndsItIsNotBegun() {
        var migration = Migration(makeDefinition(ramp: [1, 5]), at: makeState(.cutover, weight(5)))
        #expect(migration.refusal(.ramp) == ["the ramp of the route file ends at or below 5% already"])
        migration.state = makeState(.cutover, .all)
        #expect(migration.refusal(.ramp) == ["the weight is 100% already"])
        migration.state = makeState(.fallback, .all, window: .start)
        #expect(migration.refusal(.ramp, force: true)?.first?.contains("the service answers everything") == true)
        migration.state = makeState(.retired, .all, window: .start)
        #expect(migration.refusal(.ramp, force: true)?.first?.contains("use rollback first") == true)
    }

    @Test func theSameWeightEndsARampAndKeepsItsBakeTime() throws {
        var migration = Migration(at: makeState(.shadow))
        try migration.run(.cutover(weight(5)))
        try migration.run(.ramp)
        let baking = migration.state.bakingSince
        migration.wait(10 * minute)
        try migration.run(.cutover(weight(5)))
        #expect(!migration.state.isRamping && migration.state.bakingSince == baking)
    }
}
