import Extraction
import FoundationEssentials
import TestSupport
import Testing

/// Random commands, guard moves, evidence and waits.
@Suite struct MachinePropertyTests {
    private func anyCommand(_ generator: inout SeededGenerator) -> StageCommand {
        let weights = [Weight.none, Weight(clamping: 1), weight(1), weight(50), .all]
        switch Int.random(in: 0..<16, using: &generator) {
        case 0..<4: return .advance(to: nil)
        case 4: return .advance(to: Stage.allCases.randomElement(using: &generator))
        case 5..<9:
            return .cutover(
                weights.randomElement(using: &generator) ?? .none,
                of: RequestKind.allCases.randomElement(using: &generator) ?? .all)
        case 9..<11: return .ramp
        case 11: return .pause
        case 12: return .resume
        case 13: return .retire
        default: return .rollback
        }
    }

    private func anyMove(_ generator: inout SeededGenerator) -> RampMove {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: .stay(["why"])
        case 1, 2: .raise([Weight.none, weight(5), weight(25), .all].randomElement(using: &generator) ?? .all)
        case 3, 4: .enterFallback
        default: .rollBack(["broken"])
        }
    }

    private func anyEvidence(_ generator: inout SeededGenerator, now: Date) -> StageEvidence {
        let rarely = { (generator: inout SeededGenerator) in Int.random(in: 0..<8, using: &generator) == 0 }
        let compared = rarely(&generator) ? 0 : 3_000
        let gap = EvidenceGap(id: 1, began: now, ended: now, replica: "a", reason: "lost")
        return StageEvidence(
            serviceHealthy: rarely(&generator) ? [nil, false].randomElement(using: &generator) ?? nil : true,
            regressedGroups: rarely(&generator) ? 1 : 0, writeBacklog: rarely(&generator) ? 2 : 0, fellBackTotal: 1,
            lastFellBackAt: rarely(&generator) ? now : now.addingTimeInterval(-8 * day),
            contractProblems: rarely(&generator) ? ["a problem"] : [],
            endpoints: [makeEndpoint(compared: compared, differing: rarely(&generator) ? 30 : 0)],
            gaps: rarely(&generator) ? [gap] : [],
            conformance: rarely(&generator)
                ? [] : [ConformanceEvidence(endpoint: "GET /orders/{id}", checked: 100, violating: 0)])
    }

    private func anyReason(_ generator: inout SeededGenerator) -> String? {
        [nil, "", " \n", "as agreed"].randomElement(using: &generator) ?? nil
    }

    @Test(arguments: 0..<200)
    func noStageIsReachedThroughAClosedGateWithoutARecordedForce(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var migration = Migration()
        for _ in 0..<300 {
            migration.wait([0, minute, hour, 10 * day].randomElement(using: &generator) ?? 0)
            migration.evidence = anyEvidence(&generator, now: migration.now)
            let gate = migration.gate
            let before = migration.state
            if Int.random(in: 0..<4, using: &generator) == 0 {
                let move = anyMove(&generator)
                guard let transition = migration.carryOut(move) else {
                    #expect(migration.state == before)
                    continue
                }
                expectSane(transition, gate, migration.now)
                #expect(!transition.forced && (before.hold == nil || transition.action == "breach"))
            } else {
                let force = Int.random(in: 0..<6, using: &generator) == 0
                let reason = anyReason(&generator)
                let command = anyCommand(&generator)
                if let reasons = migration.refusal(command, force: force, reason: reason) {
                    #expect(!reasons.isEmpty && reasons.allSatisfy { !$0.isEmpty })
                    #expect(migration.state == before)
                    #expect(command != .rollback || before.stage == .identified, "a rollback is never refused")
                    continue
                }
                let transition = try #require(migration.history.last)
                expectSane(transition, gate, migration.now)
                #expect(transition.action == command.action)
                #expect(!transition.forced || force && reason == "as agreed", "force needs a reason")
            }
            expectConsistent(migration.state)
            expectWayBack(migration)
        }
    }

    /// Of commands and of what happens by itself.
    private func expectSane(_ transition: StageTransition, _ gate: Gate, _ now: Date) {
        let (before, after) = (transition.from, transition.to)
        #expect(after.version == before.version + 1 && after.name == before.name)
        if after.stage > before.stage, !transition.forced {
            #expect(gate.next == after.stage && gate.open, "\(before.stage) to \(after.stage): \(gate.missing)")
        }
        if !transition.forced, before.hold != nil {
            #expect(after.stage <= before.stage, "a hold lets nothing up")
            // A hold that ends has moved nothing.
            let isUp = after.weights.reads > before.weights.reads || after.weights.writes > before.weights.writes
            #expect(!isUp)
        }
        if after.stage == .retired { #expect(before.stage == .fallback) }
        if after.point == before.point {
            #expect(after.since == before.since)
        } else {
            #expect(after.since == now && after.bakingSince == now)
        }
        if before.stage == .fallback, after.stage < .fallback { #expect(after.windowStartedAt == nil) }
        if before.stage == .cutover, after.stage == .fallback { #expect(after.windowStartedAt == now) }
    }

    private func expectConsistent(_ state: ExtractionState) {
        switch state.stage {
        case .identified, .contracted, .parallel, .shadow:
            #expect(state.weights == .none && state.windowStartedAt == nil && !state.isRamping && state.hold == nil)
        case .cutover:
            #expect(state.windowStartedAt == nil)
        case .fallback, .retired:
            #expect(state.weights == .all && state.windowStartedAt != nil && !state.isRamping && state.hold == nil)
        }
    }

    /// One rollback takes all traffic back to the monolith, under any hold; a few more end at the start.
    private func expectWayBack(_ migration: Migration) {
        var back = migration
        guard back.state.stage != .identified else { return }
        #expect(back.refusal(.rollback, reason: nil) == nil)
        #expect(back.state.stage <= .shadow && back.state.weights == .none && back.state.hold == nil)
        while back.refusal(.rollback, reason: nil) == nil {}
        #expect(back.state.stage == .identified)
    }
}

/// What the types and their readers let through.
@Suite struct RepresentationTests {
    @Test(arguments: [-1, 10_001, .min, .max])
    func weightsOutsideTheRangeDoNotExist(hundredths: Int) throws {
        #expect(Weight(hundredths: hundredths) == nil)
        #expect((0...10_000).contains(Weight(clamping: hundredths).hundredths))
    }

    @Test(arguments: [
        "-1", "-0.01", "100.01", "101", "1e300", "-1e300", "0.001", "12.345", "null", "\"5%\"", "true", "[5]",
    ])
    func weightsOutsideTheRangeAreNotRead(text: String) {
        let decoder = JSONDecoder()
        #expect(throws: DecodingError.self) { try decoder.decode(Weight.self, from: Data(text.utf8)) }
        for field in ["weight", "writeWeight"] {
            let other = field == "weight" ? "writeWeight" : "weight"
            // Nil is "as reads" for writes.
            if text == "null", field == "writeWeight" { continue }
            let state =
                #"{"name":"orders","stage":"cutover","since":0,"version":1,"\#(other)":5,"\#(field)":\#(text)}"#
            #expect(throws: DecodingError.self) { try decoder.decode(ExtractionState.self, from: Data(state.utf8)) }
            let point = #"{"stage":"cutover","\#(other)":5,"\#(field)":\#(text)}"#
            #expect(throws: DecodingError.self) { try decoder.decode(StagePoint.self, from: Data(point.utf8)) }
        }
    }

    @Test(arguments: [
        "-1%", "100.01%", "101%", "1000%", "0.001%", "1e1%", " 5%", "5 %", "٥%", "", "%", "+5%", ".5%", "5.%",
    ])
    func weightsOutsideTheRangeAreNotParsed(text: String) { #expect(Weight(parsing: text) == nil) }

    /// A cache from before weights of writes, ramps and holds.
    @Test func olderStatesAreRead() throws {
        let old = #"{"name":"orders","stage":"cutover","weight":12.34,"since":0,"version":3}"#
        let state = try JSONDecoder().decode(ExtractionState.self, from: Data(old.utf8))
        #expect(state.weights == Weights(Weight(clamping: 1_234)) && state.bakingSince == state.since)
        #expect(state.hold == nil && !state.isRamping)
        let endpoint = #"{"endpoint":"GET /","compared":5}"#
        #expect(
            try JSONDecoder().decode(EndpointEvidence.self, from: Data(endpoint.utf8))
                == EndpointEvidence(endpoint: "GET /", compared: 5))
    }
}
