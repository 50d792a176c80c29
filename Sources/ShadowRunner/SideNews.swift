internal import Extraction
internal import NIOCore

/// What one loop tells the others of the sides that it asks: that one seems to be away, and that one answers again. Each loop
/// judges a side by its own calls, and where it waits for one to come back it need not find out by itself what another has seen.
///
/// A hop for each change, nothing for a call. What crosses on the way is harmless: every loop tries by its own clock, too.
final class SideNews {
    /// By slot and side.
    private struct Standing {
        /// Others wait for an answer of it.
        var isAwaited = false
        /// It is this loop that waits, and the others know.
        var isAway = false
    }

    private var standings: [Standing] = []
    private var others: [NIOLoopBound<SideNews>] = []
    /// Another loop has had an answer.
    var heard: (_ slot: Int, _ side: Side) -> Void = { _, _ in }

    /// Before the first call.
    func meet(_ others: [NIOLoopBound<SideNews>]) { self.others = others }

    func close() {
        others = []
        heard = { _, _ in }
    }

    private func place(_ slot: Int, _ side: Side) -> Int {
        let place = slot &* 2 &+ (side == .service ? 1 : 0)
        while standings.count <= place { standings.append(Standing()) }
        return place
    }

    /// Calls come to nothing: something here waits until it answers.
    func isAway(slot: Int, _ side: Side) {
        let place = place(slot, side)
        guard !standings[place].isAway else { return }
        standings[place].isAway = true
        tell { $0.standings[$0.place(slot, side)].isAwaited = true }
    }

    /// It has answered a call of this loop's.
    func answered(slot: Int, _ side: Side) {
        let place = place(slot, side)
        standings[place].isAway = false
        guard standings[place].isAwaited else { return }
        standings[place].isAwaited = false
        tell { news in
            news.standings[news.place(slot, side)] = Standing()
            news.heard(slot, side)
        }
    }

    private func tell(_ change: @escaping @Sendable (SideNews) -> Void) {
        for other in others { other.eventLoop.execute { change(other.value) } }
    }
}
