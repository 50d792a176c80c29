import Extraction
import Testing

@Suite struct DecisionTests {
    private func plan(
        _ stage: Stage, _ weight: Weight = .none, sample: Weight = .all, writes: WritePolicy = .dualWrite
    ) -> TrafficPlan {
        TrafficPlan(state: makeState(stage, weight), definition: makeDefinition(sample: sample, writes: writes))
    }

    @Test(arguments: [(Stage.identified, Why.identified), (.contracted, .contracted), (.parallel, .parallel)])
    func beforeShadowTheMonolithAnswersAlone(stage: Stage, why: Why) {
        for isSafe in [true, false] {
            #expect(
                plan(stage).decide(bucket: 0, isSafe: isSafe, sampleRoll: 0)
                    == Decision(primary: .monolith, shadow: nil, monolithMayAnswer: false, why: why))
        }
    }

    @Test func inShadowTheMonolithAnswersAndTheServiceGetsACopy() {
        #expect(
            plan(.shadow).decide(bucket: 0, isSafe: true, sampleRoll: 9_999)
                == Decision(primary: .monolith, shadow: .service, monolithMayAnswer: false, why: .shadow))
    }

    @Test func inCutoverTheBucketChoosesTheSideAndTheOtherGetsACopy() {
        let plan = plan(.cutover, weight(25))
        #expect(
            plan.decide(bucket: 2_499, isSafe: true, sampleRoll: 0)
                == Decision(primary: .service, shadow: .monolith, monolithMayAnswer: true, why: .keyMoved))
        #expect(
            plan.decide(bucket: 2_500, isSafe: false, sampleRoll: 0)
                == Decision(primary: .monolith, shadow: .service, monolithMayAnswer: false, why: .keyNotMoved))
    }

    @Test func cutoverAtItsEndsNeedsNoKey() {
        #expect(plan(.cutover, weight(25)).needsAffinity(isSafe: true))
        #expect(plan(.cutover, Weight(clamping: 1)).needsAffinity(isSafe: true))
        for (weight, primary) in [(Weight.none, Side.monolith), (.all, .service)] {
            #expect(!plan(.cutover, weight).needsAffinity(isSafe: true))
            for bucket in [0, 9_999] {
                #expect(plan(.cutover, weight).decide(bucket: bucket, isSafe: true, sampleRoll: 0).primary == primary)
            }
        }
        for stage in Stage.allCases where stage != .cutover {
            #expect(!plan(stage).needsAffinity(isSafe: true))
        }
    }

    @Test func inFallbackTheServiceAnswersAndTheMonolithIsKeptFresh() {
        #expect(
            plan(.fallback, .all).decide(bucket: 9_999, isSafe: false, sampleRoll: 9_999)
                == Decision(primary: .service, shadow: .monolith, monolithMayAnswer: true, why: .fallback))
    }

    @Test func whenRetiredTheMonolithGetsNothing() {
        for isSafe in [true, false] {
            #expect(
                plan(.retired, .all).decide(bucket: 9_999, isSafe: isSafe, sampleRoll: 0)
                    == Decision(primary: .service, shadow: nil, monolithMayAnswer: false, why: .retired))
        }
    }

    @Test func safeRequestsAreSampledAndWritesAreNot() {
        let plan = plan(.shadow, sample: weight(10))
        #expect(plan.decide(bucket: 0, isSafe: true, sampleRoll: 999).shadow == .service)
        #expect(plan.decide(bucket: 0, isSafe: true, sampleRoll: 1_000).shadow == nil)
        #expect(plan.decide(bucket: 0, isSafe: false, sampleRoll: 9_999).shadow == .service)
    }

    @Test func withoutDualWriteNoWriteIsShadowed() {
        for (stage, weight) in [(Stage.shadow, Weight.none), (.cutover, .all), (.fallback, .all)] {
            let plan = plan(stage, weight, writes: .never)
            #expect(plan.decide(bucket: 0, isSafe: false, sampleRoll: 0).shadow == nil)
            #expect(plan.decide(bucket: 0, isSafe: true, sampleRoll: 0).shadow != nil)
        }
    }

    @Test func nothingSampledMeansNothingShadowed() {
        #expect(plan(.shadow, sample: .none).decide(bucket: 0, isSafe: true, sampleRoll: 0).shadow == nil)
    }

    @Test func pinnedRequestsAreShadowedAndStoodInForAsAnyOther() {
        for (stage, share) in [(Stage.shadow, Weight.none), (.cutover, .none), (.cutover, .all), (.fallback, .all)] {
            let plan = plan(stage, share, sample: weight(10))
            #expect(plan.mayPin)
            #expect(
                plan.decide(pinnedTo: .service, isSafe: false, sampleRoll: 9_999)
                    == Decision(primary: .service, shadow: .monolith, monolithMayAnswer: true, why: .pinnedToService))
            #expect(
                plan.decide(pinnedTo: .monolith, isSafe: true, sampleRoll: 999)
                    == Decision(
                        primary: .monolith, shadow: .service, monolithMayAnswer: false, why: .pinnedToMonolith))
            #expect(plan.decide(pinnedTo: .monolith, isSafe: true, sampleRoll: 1_000).shadow == nil)
        }
        for stage in [Stage.identified, .contracted, .parallel, .retired] { #expect(!plan(stage).mayPin) }
    }

    @Test func everyReasonIsExplainedInItsOwnWords() {
        #expect(Set(Why.allCases.map(\.description)).count == Why.allCases.count)
        #expect(Decision.unmatched.primary == .monolith)
        #expect(Decision.unmatched.shadow == nil)
    }
}

@Suite struct FallbackPolicyTests {
    private let fallback = Decision(primary: .service, shadow: .monolith, monolithMayAnswer: true, why: .fallback)

    private func mayAnswer(
        _ reason: FallbackReason, isSafe: Bool, unsent: Bool, decision: Decision? = nil
    ) -> Bool {
        FallbackPolicy.monolithMayAnswer(
            decision ?? fallback, reason: reason, isSafe: isSafe, certainlyUnsent: unsent)
    }

    @Test(arguments: FallbackReason.allCases)
    func aSafeRequestIsAnsweredByTheMonolithWhateverFailed(reason: FallbackReason) {
        #expect(mayAnswer(reason, isSafe: true, unsent: false))
        #expect(mayAnswer(reason, isSafe: true, unsent: true))
    }

    @Test(arguments: FallbackReason.allCases)
    func aWriteThatMayHaveArrivedIsNeverRepeated(reason: FallbackReason) {
        #expect(!mayAnswer(reason, isSafe: false, unsent: false))
    }

    @Test func aWriteThatNeverLeftIsAnsweredByTheMonolith() {
        for reason in [FallbackReason.refused, .timeout, .circuitOpen, .reset, .noConnection] {
            #expect(mayAnswer(reason, isSafe: false, unsent: true))
        }
    }

    @Test func aWriteThatTheServiceAnsweredIsNotUnsentWhateverTheCallerSays() {
        for reason in [FallbackReason.badGateway, .unavailable, .gatewayTimeout] {
            #expect(!mayAnswer(reason, isSafe: false, unsent: true))
        }
    }

    @Test(arguments: FallbackReason.allCases)
    func theMonolithStaysOutWhereTheStageSaysSo(reason: FallbackReason) {
        let retired = Decision(primary: .service, shadow: nil, monolithMayAnswer: false, why: .retired)
        #expect(!mayAnswer(reason, isSafe: true, unsent: true, decision: retired))
    }

    @Test func onlyTheThreeStatusesOfAnAbsentServiceAreFailures() {
        let failures = (100...599).filter { FallbackReason.status($0) != nil }
        #expect(failures == [502, 503, 504])
        #expect(
            failures.compactMap { FallbackReason.status($0)?.rawValue } == ["status-502", "status-503", "status-504"])
    }

    @Test func publicNamesStay() {
        #expect(
            Set(FallbackReason.allCases.map(\.rawValue)) == [
                "connect-refused", "timeout", "status-502", "status-503", "status-504", "circuit-open", "reset",
                "no-connection",
            ])
    }
}
