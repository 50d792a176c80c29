import Synchronization

/// What a shopper does; one request each.
package enum ShopAction: String, Sendable, CaseIterable {
    case browse, lookAtUser, readOrder, listOrders, listOfUnknownCustomer, readMissingOrder
    case create, pay, ship, payTwice, createForUnknownCustomer

    /// The status that a right shop answers with.
    package var expectedStatus: Int {
        switch self {
        case .browse, .lookAtUser, .readOrder, .listOrders, .pay, .ship: 200
        case .create: 201
        case .listOfUnknownCustomer, .readMissingOrder, .createForUnknownCustomer: 404
        case .payTwice: 409
        }
    }

    var isAboutOrders: Bool { self != .browse && self != .lookAtUser }

    package var isRead: Bool {
        switch self {
        case .browse, .lookAtUser, .readOrder, .listOrders, .listOfUnknownCustomer, .readMissingOrder: true
        case .create, .pay, .ship, .payTwice, .createForUnknownCustomer: false
        }
    }
}

/// What the shoppers saw so far.
package struct ShopStats: Sendable, Equatable {
    package internal(set) var requests = 0
    package internal(set) var byAction: [ShopAction: Int] = [:]
    package internal(set) var byStatus: [Int: Int] = [:]
    /// Of the order requests: how often each value of `Strangler-Served-By` (up to its first `;`) was seen; `""`
    /// counts answers without one.
    package internal(set) var servedBy: [String: Int] = [:]
    /// No answer, or another status than a right shop's.
    package internal(set) var errors = 0
    /// An answer with the right status that a client cannot believe: a wrong total, an own order missing, …
    package internal(set) var violations = 0
    /// The first few errors and violations, one line each.
    package internal(set) var examples: [String] = []
    /// The longest a shopper waited for an answer.
    package internal(set) var slowest = Duration.zero

    package init() {}
}

/// Collects what happens in many tasks.
final class ShopLog: Sendable {
    private static let exampleLimit = 20
    private let state = Mutex(ShopStats())
    private let journeys = Mutex(0)

    var stats: ShopStats { state.withLock { $0 } }

    func reset() {
        state.withLock { $0 = ShopStats() }
    }

    /// Counts up from 0.
    func nextJourney() -> Int {
        journeys.withLock { count in
            defer { count += 1 }
            return count
        }
    }

    func answered(_ action: ShopAction, _ response: ShopResponse, after duration: Duration) {
        state.withLock { stats in
            stats.requests += 1
            stats.byAction[action, default: 0] += 1
            stats.byStatus[response.status, default: 0] += 1
            stats.slowest = max(stats.slowest, duration)
            guard action.isAboutOrders else { return }
            let side = response.headers["strangler-served-by"] ?? ""
            stats.servedBy[String(side.prefix { $0 != ";" }), default: 0] += 1
        }
    }

    /// A request that got no answer at all.
    func unanswered(_ action: ShopAction, _ reason: String) {
        state.withLock { stats in
            stats.requests += 1
            stats.byAction[action, default: 0] += 1
        }
        failed("\(action.rawValue): no answer: \(reason)")
    }

    func failed(_ example: String) {
        state.withLock { stats in
            stats.errors += 1
            if stats.examples.count < Self.exampleLimit { stats.examples.append(example) }
        }
    }

    func violated(_ example: String) {
        state.withLock { stats in
            stats.violations += 1
            if stats.examples.count < Self.exampleLimit { stats.examples.append(example) }
        }
    }
}
