internal import NIOCore
internal import Resilience

/// How often primaries were asked a second time, to learn how far they agree with themselves.
package struct TwinCounts: Sendable, Equatable {
    package var asked = 0
    /// Drawn by `noise`, and not asked: too many were under way, or the primary had just failed one.
    package var shed = 0
    /// Without an answer, or answered 5xx.
    package var failed = 0

    mutating func add(_ other: TwinCounts) {
        asked += other.asked
        shed += other.shed
        failed += other.failed
    }
}

/// Which requests are asked of the primary twice, on one loop. Each costs the primary a request that no client waits for:
/// few at one time, and none for a while when it fails one.
struct Twins {
    /// At one time.
    static let maximum = 16
    /// At one time, while there is no baseline and every request would be one.
    static let maximumLearning = 4
    static let pause = TimeAmount.seconds(10)

    private(set) var counts = TwinCounts()
    private(set) var underWay = 0
    private var pausedUntil = NIODeadline.uptimeNanoseconds(0)
    private var chance = Chance(seed: .random(in: 1...UInt64.max))

    /// - Parameter share: of 10,000.
    mutating func draws(_ share: Int) -> Bool { share > 0 && chance.next(below: 10_000) < share }

    /// Whether one more may be asked; if so, it is to be followed by `ended`.
    /// - Parameters:
    ///   - learning: it was not drawn.
    ///   - hasRoom: for the bytes that it holds.
    mutating func begin(learning: Bool, hasRoom: Bool) -> Bool {
        let limit = learning ? Twins.maximumLearning : Twins.maximum
        guard hasRoom, underWay < limit, NIODeadline.now() >= pausedUntil else {
            if !learning { counts.shed += 1 }
            return false
        }
        underWay += 1
        counts.asked += 1
        return true
    }

    mutating func ended(_ result: ShadowCall.Result) {
        underWay -= 1
        guard Twins.isFailure(result) else { return }
        counts.failed += 1
        pausedUntil = .now() + Twins.pause
    }

    /// All that were under way were given up.
    mutating func abandoned() { underWay = 0 }

    private static func isFailure(_ result: ShadowCall.Result) -> Bool {
        switch result {
        case .failed: true
        case .answerTooLarge, .notAsked: false
        case .answered(let head, _):
            // The status stands behind `HTTP/1.1 ` (RFC 9112 §4).
            head.getInteger(at: head.readerIndex + 9, as: UInt8.self) == UInt8(ascii: "5")
        }
    }
}
