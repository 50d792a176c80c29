internal import Comparison
internal import HTTPWire
internal import NIOCore
internal import Resilience
internal import Routing

/// Whether a read is worth capturing at all, on one loop. A shadow that is full or does not answer would have every
/// request's bytes kept only for them to be thrown away; here such a request costs a counter.
///
/// Writes always pass: what becomes of each is on record one by one.
struct ShadowGate {
    /// What was not captured, in numbers, for names are made when they are counted.
    struct Skip: Hashable {
        let slot: Int
        let route: Int
        /// Of the extraction's contract, or -1.
        let template: Int
        /// Of the guessed name, where there is no template: see ``EndpointTemplates/shape(route:path:)``.
        var shape: Int?
        let method: Method
        let reason: NotComparedReason

        init(
            _ slot: Int, _ route: Int, _ method: Method, _ reason: NotComparedReason, _ path: UnsafeRawBufferPointer,
            _ templates: EndpointTemplates
        ) {
            self.slot = slot
            self.route = route
            self.method = method
            self.reason = reason
            template = templates.known(route: route, path: path)
            shape = template < 0 ? templates.shape(route: route, path: path) : nil
        }
    }

    struct Skipped {
        /// Bounds on ``paths`` and on the bytes of each. What is beyond goes by its route's pattern.
        static let maximumPaths = 256
        static let maximumPathLength = 1_024

        private(set) var counts: [Skip: Int] = [:]
        /// By shape: what the first request of each asked for, to make its name of.
        private(set) var paths: [Int: [UInt8]] = [:]

        mutating func add(_ skip: Skip, path: UnsafeRawBufferPointer) {
            var skip = skip
            if let shape = skip.shape, paths[shape] == nil {
                if paths.count < Self.maximumPaths, path.count <= Self.maximumPathLength {
                    paths[shape] = Array(path)
                } else {
                    skip.shape = nil
                }
            }
            counts[skip, default: 0] += 1
        }
    }

    private var breakers: [CircuitBreaker] = []
    private(set) var skipped = Skipped()

    private let limits: CircuitBreaker.Limits

    /// - Parameter openFor: nanoseconds from its opening until it is tried again, unless somebody hears of an answer sooner.
    init(openFor: Int64) {
        // Silence and broken connections open it. A slow answer is an answer, and may differ.
        limits = CircuitBreaker.Limits(slowPercent: 100, slowAfter: .max, openFor: openFor)
    }

    private func index(_ slot: Int, _ isService: Bool) -> Int { slot &* 2 &+ (isService ? 1 : 0) }

    func isOpen(slot: Int, isService: Bool) -> Bool {
        let index = index(slot, isService)
        guard breakers.indices.contains(index), breakers[index].state != .closed else { return false }
        return breakers[index].wouldRefuse(now: Self.now)
    }

    /// - Returns: when the call began, if it may be made; it is to be followed by `ended`.
    mutating func admit(slot: Int, isService: Bool) -> Int64? {
        let index = index(slot, isService)
        while breakers.count <= index { breakers.append(CircuitBreaker(limits: limits)) }
        let now = Self.now
        return breakers[index].admit(now: now) == .refused ? nil : now
    }

    mutating func ended(
        slot: Int, isService: Bool, began: Int64, _ result: ShadowCall.Result
    ) -> CircuitBreaker.Change {
        let index = index(slot, isService)
        guard breakers.indices.contains(index) else { return .none }
        let now = Self.now
        switch result {
        case .answered, .answerTooLarge: return breakers[index].completed(.success, took: now - began, now: now)
        case .failed: return breakers[index].completed(.failure, took: now - began, now: now)
        case .notAsked:
            breakers[index].cancelled(took: now - began, now: now)
            return .none
        }
    }

    /// Another loop has had an answer.
    mutating func heardOfAnswer(slot: Int, isService: Bool) {
        let index = index(slot, isService)
        if breakers.indices.contains(index) { breakers[index].heardOfAnswer() }
    }

    mutating func skip(_ skip: Skip, path: UnsafeRawBufferPointer) { skipped.add(skip, path: path) }

    mutating func takeSkipped() -> Skipped {
        defer { skipped = Skipped() }
        return skipped
    }

    private static var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}
