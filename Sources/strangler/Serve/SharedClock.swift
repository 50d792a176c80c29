import Foundation
import Logging
import Synchronization

/// The time of day that all replicas share: Postgres's. Counters are filed by it and steps begin by it, or a replica whose
/// own clock is ahead would put the evidence before the step that it is about.
final class SharedClock: Sendable {
    /// Seconds that this machine's clock is behind.
    private let offset = Mutex(0.0)
    private let logger: Logger

    /// Smaller differences may as well be the way there and back.
    private static let noticeable = 0.25
    private static let worthSaying = 1.0

    init(logger: Logger) { self.logger = logger }

    var now: Date { Date().addingTimeInterval(offset.withLock { $0 }) }

    /// - Parameters:
    ///   - known: what Postgres said.
    ///   - asked: when it was asked, by this machine's clock; the answer has just come.
    func learn(_ known: Date, asked: Date) {
        let received = Date()
        let middle = asked.addingTimeInterval(received.timeIntervalSince(asked) / 2)
        let found = known.timeIntervalSince(middle)
        let changed = offset.withLock { offset -> Bool in
            let change = abs(found - offset)
            // A slow answer says little.
            guard change > Self.noticeable, change > received.timeIntervalSince(asked) else { return false }
            offset = found
            return true
        }
        if changed, abs(found) > Self.worthSaying {
            logger.warning(
                "this machine's clock differs from Postgres's by \(Int(found.rounded())) s; Postgres's is used for stages and evidence"
            )
        }
    }
}
