/// One client of the shop: what it has ordered, what it does next, and whether it believes the answers.
struct Shopper {
    /// What the shopper knows of an order of his own.
    struct Own {
        var status: OrderStatus
        let seen: OrderSeen
    }

    /// More are forgotten, oldest first.
    static let memory = 20

    let customer: String
    let session: String
    let scope: ShopTraffic.Scope
    let caller: any HTTPCaller
    let log: ShopLog
    var random: SplitMix64
    var own: [Own] = []

    init(customer: String, seed: UInt64, scope: ShopTraffic.Scope, caller: any HTTPCaller, log: ShopLog) {
        var random = SplitMix64(seed: seed)
        session = "s" + String(random.next(), radix: 16)
        self.customer = customer
        self.scope = scope
        self.caller = caller
        self.log = log
        self.random = random
    }

    /// Weights in percent; reads are 70 of them.
    private static let habits: [(action: ShopAction, weight: Int)] = [
        (.readOrder, 32), (.listOrders, 20), (.browse, 9), (.lookAtUser, 6), (.listOfUnknownCustomer, 2),
        (.readMissingOrder, 1),
        (.create, 16), (.pay, 8), (.ship, 4), (.payTwice, 1), (.createForUnknownCustomer, 1),
    ]

    /// One request, chosen by habit.
    mutating func step() async {
        var left = Int.random(in: 0..<Self.habits.reduce(0) { $0 + $1.weight }, using: &random)
        var action = ShopAction.readOrder
        for habit in Self.habits {
            action = habit.action
            if left < habit.weight { break }
            left -= habit.weight
        }
        await perform(possible(action))
    }

    /// Every action once, with an order that shows every planted discrepancy.
    mutating func journey() async {
        await perform(possible(.browse))
        await perform(possible(.lookAtUser))
        await create(Self.revealing)
        await perform(.readOrder)
        await perform(.pay)
        await perform(.payTwice)
        await perform(.listOrders)
        await perform(.ship)
        await perform(.readOrder)
        await perform(.listOfUnknownCustomer)
        await perform(.readMissingOrder)
        await perform(.createForUnknownCustomer)
    }

    /// Two different lines (so that their order shows), one of them with a bulk discount of 0.5955 (so that rounding
    /// shows).
    static let revealing = [
        NewOrder.Item(productID: "prod_7721", quantity: 1), NewOrder.Item(productID: "prod_1180", quantity: 3),
    ]

    /// What there is nothing for yet becomes something close.
    private func possible(_ action: ShopAction) -> ShopAction {
        switch action {
        case .browse, .lookAtUser:
            scope == .wholeShop ? action : possible(.listOrders)
        case .readOrder: own.isEmpty ? .listOrders : action
        case .pay: own.contains { $0.status == .created } ? action : .create
        case .ship: own.contains { $0.status == .paid } ? action : possible(.readOrder)
        case .payTwice: own.contains { $0.status != .created } ? action : possible(.readOrder)
        case .create, .createForUnknownCustomer, .listOfUnknownCustomer, .listOrders, .readMissingOrder: action
        }
    }

    private mutating func perform(_ action: ShopAction) async {
        switch action {
        case .browse: await call(.browse, "GET", "/api/v1/products")
        case .lookAtUser: await call(.lookAtUser, "GET", "/api/v1/users/\(customer)")
        case .readOrder: await read()
        case .listOrders: await list()
        case .listOfUnknownCustomer: await call(action, "GET", "/api/v1/orders?customerId=usr_nobody")
        case .readMissingOrder: await call(action, "GET", "/api/v1/orders/ord_none")
        case .create: await create(basket())
        case .pay: await advance(from: .created, to: .paid)
        case .ship: await advance(from: .paid, to: .shipped)
        case .payTwice: await payAgain()
        case .createForUnknownCustomer:
            await call(action, "POST", "/api/v1/orders", body: Self.body(customer: "usr_nobody", Self.revealing))
        }
    }

    /// One to three different products; more than one piece often, so that discounts are common.
    private mutating func basket() -> [NewOrder.Item] {
        let products = ShopSeeds.products.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
        return products.map { NewOrder.Item(productID: $0.id, quantity: Int.random(in: 1...5, using: &random)) }
    }

    // MARK: one request

    /// - Returns: the answer if it has the status that it ought to have.
    @discardableResult
    func call(_ action: ShopAction, _ method: String, _ path: String, body: JSONText? = nil) async -> ShopResponse? {
        var headers = ["Cookie": "session=\(session)", "Accept": "application/json"]
        if body != nil { headers["Content-Type"] = "application/json" }
        let start = ContinuousClock.now
        do {
            let response = try await caller.call(
                ShopRequest(method: method, path: path, headers: headers, body: body?.text))
            log.answered(action, response, after: .now - start)
            if response.status == action.expectedStatus { return response }
            let text = String(decoding: response.body.prefix(200), as: UTF8.self)
            log.failed("\(method) \(path) (\(session)): \(response.status), not \(action.expectedStatus): \(text)")
        } catch {
            // Being told to stop is no fault of the shop.
            if !Task.isCancelled { log.unanswered(action, "\(method) \(path): \(error)") }
        }
        return nil
    }

    static func body(customer: String, _ items: [NewOrder.Item]) -> JSONText {
        .object([
            JSONText.member("customerId", .string(customer)),
            JSONText.member(
                "items",
                .array(
                    items.map {
                        .object([
                            JSONText.member("productId", .string($0.productID)),
                            JSONText.member("quantity", .number(String($0.quantity))),
                        ])
                    })),
            JSONText.member("paymentMethod", .string("pm_visa_9832")),
        ])
    }
}
