/// Numbers for sampling, spreading and ids that need be unique, not secret: xorshift64* (Vigna, "An experimental exploration of Marsaglia's
/// xorshift generators, scrambled", 2016).
package struct Chance: Sendable {
    private var state: UInt64

    /// - Parameter seed: any but 0, from which nothing else would follow; 1 stands in for it.
    package init(seed: UInt64) {
        state = max(seed, 1)
    }

    package mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }

    /// - Parameter bound: above 0.
    /// - Returns: 0 ..< `bound`.
    package mutating func next(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
