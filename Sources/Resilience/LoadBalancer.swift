/// Spreads requests over the endpoints of an upstream. Costs the same for two of them and for a thousand, and allocates
/// nothing.
package struct LoadBalancer: Sendable {
    package enum Method: String, Sendable, Hashable, CaseIterable {
        case roundRobin = "round-robin"
        /// The less busy of two: the next in turn, and one of the others by chance (Mitzenmacher, "The power of two
        /// choices in randomized load balancing", 2001). Where both are as busy, it is the one whose turn it is.
        case leastRequests = "least-requests"
    }

    package let method: Method
    private var turn: Int
    private var chance: Chance

    /// - Parameter seed: of chance, and of whose turn it is first: were it the same on each event loop, the first endpoint
    ///   would get the first request of all of them.
    package init(method: Method = .roundRobin, seed: UInt64) {
        self.method = method
        chance = Chance(seed: seed | 1)
        turn = Int(truncatingIfNeeded: seed >> 33)
    }

    /// Index of the endpoint for the next request.
    /// - Parameters:
    ///   - count: how many there are, at least 1.
    ///   - active: requests that the one at this index has to do with now.
    package mutating func pick(_ count: Int, active: (Int) -> Int) -> Int {
        guard count > 1 else { return 0 }
        turn += 1
        if turn >= count { turn %= count }
        guard method == .leastRequests else { return turn }
        let other = pickOther(than: turn, of: count)
        return active(other) < active(turn) ? other : turn
    }

    /// Index of an endpoint for a request that failed at `failed`, by chance. It is nobody's turn: if a second attempt took
    /// one, a failing endpoint of two would get every request first.
    package mutating func pickOther(than failed: Int, of count: Int) -> Int {
        guard count > 1 else { return 0 }
        let other = chance.next(below: count - 1)
        return other < failed ? other : other + 1
    }
}
