internal import Synchronization

/// Hands out the places of writes: microseconds since 1970 where the clock goes on, so that a process begins above all that
/// were before it, also those whose logs are gone; and always more than the last.
///
/// The lowest twelve bits are the process's own: while one process takes over from another both number writes, of one
/// moment perhaps, and no two may have one number.
final class WriteSequence: Sendable {
    private let last = Atomic<UInt64>(0)
    private let process: UInt64

    private static let step: UInt64 = 1 << 12

    init(process: UInt64 = .random(in: 0..<step)) { self.process = process % Self.step }

    /// All from here on are higher than `sequence`.
    func begin(above sequence: UInt64) { last.max(sequence, ordering: .relaxed) }

    /// - Parameter milliseconds: since 1970.
    func next(at milliseconds: Int64) -> UInt64 {
        let clock = UInt64(clamping: milliseconds) &* 1_000 &* Self.step
        var known = last.load(ordering: .relaxed)
        while true {
            let next = max((known / Self.step &+ 1) &* Self.step, clock) &+ process
            let result = last.weakCompareExchange(expected: known, desired: next, ordering: .relaxed)
            if result.exchanged { return next }
            known = result.original
        }
    }
}
