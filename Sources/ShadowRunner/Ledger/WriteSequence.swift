internal import Synchronization

/// Hands out the places of writes. Microseconds since 1970 where the clock goes on, so that a process begins above all that
/// were before it, also those whose logs are gone; and always more than the last.
final class WriteSequence: Sendable {
    private let last = Atomic<UInt64>(0)

    /// All from here on are higher than `sequence`.
    func begin(above sequence: UInt64) { last.max(sequence, ordering: .relaxed) }

    /// - Parameter milliseconds: since 1970.
    func next(at milliseconds: Int64) -> UInt64 {
        let clock = UInt64(clamping: milliseconds) &* 1_000
        var known = last.load(ordering: .relaxed)
        while true {
            let next = max(known &+ 1, clock)
            let result = last.weakCompareExchange(expected: known, desired: next, ordering: .relaxed)
            if result.exchanged { return next }
            known = result.original
        }
    }
}
