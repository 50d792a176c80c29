package import Extraction

/// What becomes of a write after an attempt to deliver it, and when the next one is made (DESIGN §3). Pure; chance is handed
/// in.
///
/// An attempt burns one of a limited number only where the other side could have answered: while it is away, writes wait
/// for as long as it takes, and only what it refuses, or dies of, is given up.
package struct DeliveryPolicy: Sendable, Equatable {
    /// How an attempt ended.
    package enum Ending: Sendable, Equatable {
        case answered(status: Int)
        /// It was sent, and no answer came back, or half of one: it may have been carried out.
        case silent(String)
        /// It certainly was not sent: no connection.
        case unreachable(String)
    }

    package enum Verdict: Sendable, Equatable {
        case delivered
        /// - Parameter burned: it counts against the limit.
        case retry(burned: Bool, reason: String)
        case dead(reason: String)
    }

    /// Attempts that may burn, this many at most; with the last the write is dead.
    package let attempts: Int

    package init(attempts: Int = 12) { self.attempts = max(1, attempts) }

    /// - Parameters:
    ///   - burned: attempts that have been, without this one.
    ///   - isAlive: the other side has answered somebody else since this write's last attempt. That its health check passes
    ///     says nothing: what answers it may have lost its database.
    package func judge(_ ending: Ending, success: StatusSet, burned: Int, isAlive: Bool) -> Verdict {
        switch ending {
        case .unreachable(let reason): return .retry(burned: false, reason: reason)
        case .silent(let reason): return retry(burns: isAlive, reason, burned)
        case .answered(let status):
            if success.contains(status) { return .delivered }
            let reason = "status-\(status)"
            switch status {
            // Nobody at home: a gateway's answer.
            case 502...504: return retry(burns: isAlive, reason, burned)
            // What it speaks of may still be on its way, in another lane; or it is asked to come again.
            case 404, 408, 409, 425, 429: return retry(burns: true, reason, burned)
            case 400...499: return .dead(reason: reason)
            default: return retry(burns: true, reason, burned)
            }
        }
    }

    private func retry(burns: Bool, _ reason: String, _ burned: Int) -> Verdict {
        guard burns else { return .retry(burned: false, reason: reason) }
        return burned + 1 >= attempts ? .dead(reason: reason) : .retry(burned: true, reason: reason)
    }

    package static let shortest: Int64 = 100_000_000
    package static let longest: Int64 = 60_000_000_000

    /// Nanoseconds until the next attempt: exponential with full jitter
    /// (Brooker, "Exponential Backoff And Jitter", 2015), at most a minute.
    ///
    /// - Parameters:
    ///   - failures: in a row, this one included.
    ///   - chance: 0 ..< 1.
    package static func pause(afterFailures failures: Int, chance: Double) -> Int64 {
        let doublings = min(max(failures - 1, 0), 10)
        let ceiling = min(shortest << Int64(doublings), longest)
        return Int64(Double(ceiling) * min(max(chance, 0), 1))
    }
}
