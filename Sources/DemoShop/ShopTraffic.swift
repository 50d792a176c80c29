/// Realistic clients: shoppers with a session cookie each, who browse, order, pay and look again, and who check what
/// a client would notice. Each waits for an answer before it asks again, so what a session sees has an order.
///
/// The same traffic works against the monolith, the proxy, and (with `.ordersOnly`) the service alone.
package struct ShopTraffic: Sendable {
    package enum Scope: Sendable {
        case wholeShop
        /// Without users and products, which the orders service does not have.
        case ordersOnly
    }

    package struct Settings: Sendable {
        /// 1 to as many as there are ``ShopSeeds/customers``: each shopper is a customer of his own.
        package var shoppers: Int
        /// Of all shoppers together.
        package var requestsPerSecond: Double
        package var seed: UInt64
        package var scope: Scope

        package init(shoppers: Int = 20, requestsPerSecond: Double = 20, seed: UInt64 = 1, scope: Scope = .wholeShop) {
            self.shoppers = min(max(1, shoppers), ShopSeeds.customers.count)
            self.requestsPerSecond = min(max(0.1, requestsPerSecond), 100_000)
            self.seed = seed
            self.scope = scope
        }
    }

    private let caller: any HTTPCaller
    private let settings: Settings
    private let log = ShopLog()
    private let gate = TrafficGate()

    package init(caller: any HTTPCaller, settings: Settings = Settings()) {
        self.caller = caller
        self.settings = settings
    }

    package func stats() -> ShopStats { log.stats }

    /// Counts from zero again.
    package func resetStats() { log.reset() }

    /// Returns when no request is under way; none begins before ``resume()``.
    package func pause() async { await gate.close() }

    package func resume() async { await gate.open() }

    /// Sends a trickle at the given rate, about 70 % reads, until `deadline` or until the task is cancelled; returns
    /// when every shopper has had his last answer.
    package func run(until deadline: ContinuousClock.Instant? = nil) async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for index in 0..<settings.shoppers {
                    group.addTask { await shop(index, until: deadline) }
                }
            }
        } onCancel: {
            Task { await gate.open() }
        }
    }

    /// Whole journeys, one after another and as fast as answers come: every ``ShopAction`` at least once, and an
    /// order that shows every planted discrepancy. Each is made by a shopper that ``run(until:)`` does not use, so
    /// both may go on at the same time.
    package func once(journeys: Int = 1) async {
        let free = max(1, ShopSeeds.customers.count - settings.shoppers)
        for _ in 0..<max(1, journeys) {
            if Task.isCancelled { return }
            await gate.enter()
            var shopper = shopper(ShopSeeds.customers.count - 1 - log.nextJourney() % free)
            await shopper.journey()
            await gate.leave()
        }
    }

    private func shopper(_ index: Int) -> Shopper {
        Shopper(
            customer: ShopSeeds.customers[index].id, seed: settings.seed &+ UInt64(index),
            scope: settings.scope, caller: caller, log: log)
    }

    /// Shoppers start spread over one interval, and each wait varies by half, so that requests do not come in
    /// bursts.
    private func shop(_ index: Int, until deadline: ContinuousClock.Instant?) async {
        var shopper = shopper(index)
        var pace = SplitMix64(seed: settings.seed ^ (0xace0_0000 &+ UInt64(index)))
        let interval = Double(settings.shoppers) / settings.requestsPerSecond
        var next = ContinuousClock.now + .seconds(interval * Double(index) / Double(settings.shoppers))
        while !Task.isCancelled {
            if let deadline, next >= deadline { return }
            do {
                try await Task.sleep(until: next, clock: .continuous)
            } catch {
                return
            }
            await gate.enter()
            if !Task.isCancelled { await shopper.step() }
            await gate.leave()
            // A shop that is too slow is not answered with a burst afterwards.
            next =
                max(next, .now - .seconds(interval)) + .seconds(interval * Double.random(in: 0.5...1.5, using: &pace))
        }
    }
}

/// Lets the shoppers' requests through, or holds them back. ``close()`` waits until nobody is inside.
actor TrafficGate {
    private var isClosed = false
    private var inside = 0
    private var outside: [CheckedContinuation<Void, Never>] = []
    private var closing: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        while isClosed && !Task.isCancelled {
            await withCheckedContinuation { outside.append($0) }
        }
        inside += 1
    }

    func leave() {
        inside -= 1
        guard inside == 0 else { return }
        for waiter in closing { waiter.resume() }
        closing = []
    }

    func close() async {
        isClosed = true
        while inside > 0 {
            await withCheckedContinuation { closing.append($0) }
        }
    }

    func open() {
        isClosed = false
        for waiter in outside { waiter.resume() }
        outside = []
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: small, seeded, good enough
/// for choosing what to buy.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
