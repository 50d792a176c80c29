import Extraction
import FoundationEssentials
import Testing

/// `--now`: lanes change sides without waiting for their writes.
@Suite struct FlipTests {
    @Test func `a rollback asks lanes to wait, with now it does not, and history says so`() throws {
        for atOnce in [false, true] {
            var migration = Migration(at: makeState(.cutover, weight(50)))
            let transition = try migration.run(.rollback, atOnce: atOnce)
            #expect(transition.to.flipsAtOnce == atOnce)
            #expect(transition.action == (atOnce ? "rollback --now" : "rollback"))
            #expect(TrafficPlan(state: transition.to, definition: makeDefinition()).flipsAtOnce == atOnce)
            #expect(try ExtractionMachine.rollBack(transition.from, atOnce: atOnce, now: .start) == transition)
        }
    }

    @Test func `after a rollback that waits, now brings the lanes back and the stage stays`() throws {
        var migration = Migration(at: makeState(.fallback, .all))
        try migration.run(.rollback)
        #expect(migration.state.stage == .shadow && !migration.state.flipsAtOnce)
        let (since, baking) = (migration.state.since, migration.state.bakingSince)
        try migration.run(.rollback, atOnce: true)
        #expect(migration.state.stage == .shadow && migration.state.flipsAtOnce)
        // No traffic has moved: what was compared since goes on counting.
        #expect(migration.state.since == since && migration.state.bakingSince == baking)
    }

    @Test func `said again, a rollback with now changes nothing, and never goes further back`() throws {
        var migration = Migration(at: makeState(.fallback, .all))
        try migration.run(.rollback, atOnce: true)
        let state = migration.state
        #expect(ExtractionMachine.isBackAtOnce(state))
        for _ in 0..<3 {
            #expect(
                migration.refusal(.rollback, force: true, atOnce: true)
                    == ["at stage shadow the monolith answers everything already"])
            #expect(throws: Refusal.self) { try ExtractionMachine.rollBack(state, atOnce: true, now: .start) }
        }
        #expect(migration.state == state)
        for stage in [Stage.identified, .contracted, .parallel] {
            var early = Migration(at: makeState(stage))
            #expect(early.refusal(.rollback, atOnce: true) != nil && ExtractionMachine.isBackAtOnce(early.state))
        }
        // Without it, it goes back a stage.
        try migration.run(.rollback)
        #expect(migration.state.stage == .parallel)
    }

    @Test func `it holds as long as the weights do, whatever else changes`() throws {
        var migration = Migration(at: makeState(.cutover, weight(50)))
        try migration.run(.cutover(weight(25)), atOnce: true)
        #expect(migration.state.flipsAtOnce && migration.history.last?.action == "cutover --now")
        for command in [StageCommand.pause, .resume, .ramp, .cutover(weight(25))] {
            try migration.run(command)
            #expect(migration.state.flipsAtOnce, "\(command)")
        }
        try migration.run(.cutover(weight(10)))
        #expect(!migration.state.flipsAtOnce)
        try migration.run(.rollback, atOnce: true)
        try migration.run(.advance(to: nil))
        #expect(migration.state.stage == .cutover && migration.state.flipsAtOnce)
        _ = migration.carryOut(.raise(weight(5)))
        try migration.run(.cutover(weight(1)))
        #expect(!migration.state.flipsAtOnce)
    }

    @Test func `a weight is never raised at once`() {
        var migration = Migration(at: makeState(.cutover, weight(50)))
        for weight in [weight(50), weight(60)] {
            #expect(
                migration.refusal(.cutover(weight), force: true, atOnce: true)
                    == ["--now is for a weight below the present one, 50%"])
        }
        // Mixed: writes rise.
        #expect(migration.refusal(.cutover(weight(60), of: .writes), atOnce: true) != nil)
    }

    @Test func `it is kept on disk, and an older version's state flips nothing at once`() throws {
        var migration = Migration(at: makeState(.cutover, weight(50)))
        try migration.run(.rollback, atOnce: true)
        let data = try JSONEncoder().encode(migration.state)
        #expect(try JSONDecoder().decode(ExtractionState.self, from: data) == migration.state)
        let plain = try JSONEncoder().encode(makeState(.shadow))
        #expect(!String(decoding: plain, as: UTF8.self).contains("flips"))
        #expect(try !JSONDecoder().decode(ExtractionState.self, from: plain).flipsAtOnce)
    }
}
