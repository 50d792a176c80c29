import Extraction
import Testing

/// Which lanes wait, and what goes of it from one process to the next.
@Suite struct LaneBoardTests {
    private func side(
        _ stage: Stage, _ board: LaneBoard, lane: UInt64 = 7, held: Side? = nil, pinned: Side? = nil
    ) -> Side {
        let plan = TrafficPlan(
            state: makeState(stage, stage == .cutover ? .all : .none), definition: makeDefinition())
        let decision =
            pinned.map { plan.decide(pinnedTo: $0, isSafe: false, sampleRoll: 0) }
            ?? plan.decide(bucket: 0, isSafe: false, sampleRoll: 0)
        return plan.turned(decision, board, lane: lane, isSafe: false, held: held).primary
    }

    @Test func `what is owed at the handover stays so in both boards until it is paid for`() {
        let (old, new) = (LaneBoard(), LaneBoard())
        old.owe(.monolith, lane: 7)
        old.owe(.monolith, lane: 7)
        old.owe(.service, lane: 8)
        let cells = old.keepOwed(.monolith)
        #expect(cells.count == 1 && old.keepOwed(.service).count == 1)
        new.owe(.monolith, cells: cells)
        old.paid(.monolith, lane: 7)
        old.paid(.monolith, lane: 7)
        // Rolled back: the lane stays on the service in both, though the old one owes nothing any more.
        #expect([old, new].map { side(.shadow, $0) } == [.service, .service])
        #expect(new.isBehind(.monolith, lane: 7) && !new.isBehind(.monolith, lane: 8))
        #expect(new.keepOwed(.monolith) == cells, "and a third process is told the same")
        new.paid(.monolith, cells: cells)
        new.paid(.monolith, cells: cells)
        #expect(new.owed(.monolith) == 0 && side(.shadow, new) == .monolith)
    }

    @Test func `cells that a board has not are passed over`() {
        let board = LaneBoard()
        board.owe(.service, cells: [-1, LaneBoard.cells, .max, .min])
        #expect(board.owed(.service) == 0 && LaneBoard().keepOwed(.service).isEmpty)
        board.owe(.service, cells: [0, LaneBoard.cells - 1])
        #expect(board.owed(.service) == 2 && board.keepOwed(.service) == [0, LaneBoard.cells - 1])
    }

    @Test(arguments: [Stage.shadow, .cutover], [Side.monolith, .service])
    func `while two processes serve, neither stage nor pin moves a lane from where both began`(
        stage: Stage, begun: Side
    ) {
        for pinned: Side? in [nil, .monolith, .service] {
            let board = LaneBoard()
            #expect(side(stage, board, held: begun, pinned: pinned) == begun)
            board.owe(begun.other, lane: 7)
            #expect(side(stage, board, held: begun, pinned: pinned) == begun)
            // Each has something that the other has not.
            board.owe(begun, lane: 7)
            #expect(side(stage, board, held: begun, pinned: pinned) == begun)
            board.paid(begun.other, lane: 7)
            #expect(side(stage, board, held: begun, pinned: pinned) == begun.other)
        }
    }

    @Test func `while two processes serve, the monolith stands in for reads only`() {
        let plan = TrafficPlan(state: makeState(.cutover, .all), definition: makeDefinition())
        let cases: [(Bool, Side?)] = [(false, .service), (true, .service), (false, nil)]
        for (isSafe, held) in cases {
            let decision = plan.decide(bucket: 0, isSafe: isSafe, sampleRoll: 0)
            let turned = plan.turned(decision, LaneBoard(), lane: 7, isSafe: isSafe, held: held)
            #expect(turned.primary == .service && turned.monolithMayAnswer == (isSafe || held == nil))
        }
    }
}
