import Logging
import Synchronization

/// Where the shop would hand its e-mails to a mail server. Counts them instead, and counts apart those that a shadow
/// request would have caused: a customer must not be written to twice for one order.
final class EmailOutbox: Sendable {
    struct Counts: Sendable, Equatable {
        var sent = 0
        var withheld = 0
    }

    private let state = Mutex(Counts())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    var counts: Counts { state.withLock { $0 } }

    func send(_ what: String, about order: Order, isShadow: Bool) {
        state.withLock { counts in
            if isShadow { counts.withheld += 1 } else { counts.sent += 1 }
        }
        logger.debug(
            isShadow ? "e-mail withheld: shadow request" : "e-mail sent",
            metadata: ["e-mail": "\(what)", "order": "\(order.id)"])
    }
}
