import Foundation
import Testing

@testable import DemoShop

@Suite struct DemoShopMoney {
    @Test(arguments: [("0", 0), ("74.99", 7499), ("3.5", 350), ("12", 1200), ("-0.05", -5), ("1.500", 150)])
    func `decimal text becomes whole cents`(text: String, cents: Int) {
        #expect(Cents(decimal: text)?.count == cents)
    }

    @Test(arguments: ["", "-", ".", "1.", ".5", "1.234", "1e3", "NaN", "+1", "1,5", " 1", "99999999999999999999", "١"])
    func `what is no plain decimal of two places is refused`(text: String) {
        #expect(Cents(decimal: text) == nil)
    }

    @Test func `every amount reads back from its own lexeme`() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            let cents = Cents(Int.random(in: -10_000_000...10_000_000, using: &random))
            #expect(Cents(decimal: cents.lexeme) == cents)
            let price = UnitPrice(thousandths: Int.random(in: 0...1_000_000_000, using: &random))
            #expect(UnitPrice(decimal: price.lexeme) == price)
        }
    }

    @Test func `two of the contract's product are 149.98, without discount`() throws {
        let order = try #require(ShopSeeds.orders.first)
        let amounts = Pricing.amounts(of: order.lines, rounding: .halfUpPerOrder)
        #expect(amounts.total.lexeme == "149.98")
        #expect(amounts.discount.lexeme == "0.00")
    }

    @Test func `the discount is rounded half up once per order, and the faulty rule gives another cent`() {
        let lines = [
            OrderLine(productID: "a", quantity: 3, unitPrice: UnitPrice(thousandths: 1_985)),  // 0.5955
            OrderLine(productID: "b", quantity: 3, unitPrice: UnitPrice(thousandths: 645)),  // 0.1935
            OrderLine(productID: "c", quantity: 2, unitPrice: UnitPrice(thousandths: 9_999)),  // none
        ]
        let right = Pricing.amounts(of: lines, rounding: .halfUpPerOrder)
        let faulty = Pricing.amounts(of: lines, rounding: .cutPerLine)
        #expect(right.discount.lexeme == "0.79")
        #expect(faulty.discount.lexeme == "0.78")
        #expect(right.total.lexeme == "27.10")
        #expect(faulty.total.lexeme == "27.11")
    }

    @Test func `the largest order allowed does not overflow`() {
        let line = OrderLine(
            productID: "a", quantity: OrderLimits.quantity.upperBound, unitPrice: UnitPrice(thousandths: 1_000_000_000))
        let lines = Array(repeating: line, count: OrderLimits.lines.upperBound)
        #expect(Pricing.amounts(of: lines, rounding: .halfUpPerOrder).total.lexeme == "45000000000.00")
    }
}

@Suite struct DemoShopDiscrepancies {
    /// Two lines, and a discount that rounding shows on: what every journey of the traffic orders.
    private static let revealing = Order(
        id: "ord_1", customerID: "usr_1", status: .created, createdAt: "2026-05-29T13:07:00Z",
        lines: Shopper.revealing.map { item in
            OrderLine(
                productID: item.productID, quantity: item.quantity,
                unitPrice: ShopSeeds.products.first { $0.id == item.productID }?.price ?? UnitPrice(thousandths: 0))
        })

    @Test func `the faulty service's answer differs exactly where the table says, and how`() throws {
        let right = try object(OrderAnswer.one(Self.revealing, .none, requestID: "r"))
        let faulty = try object(OrderAnswer.one(Self.revealing, Discrepancies(.faulty), requestID: "r"))
        #expect(Set(right.keys) == Set(faulty.keys))
        let found = Set(
            right.keys.compactMap { key in difference(right[key], faulty[key]).map { "$.\(key) \($0)" } })
        for endpoint in ["POST /api/v1/orders", "GET /api/v1/orders/{id}", "PATCH /api/v1/orders/{id}"] {
            let planted = Discrepancies.planted.filter { $0.endpoint == endpoint && $0.path != "status" }
            #expect(found == Set(planted.map { "\($0.path) \($0.kind)" }), "\(endpoint)")
        }
        let listed = Discrepancies.planted.filter { $0.endpoint == "GET /api/v1/orders" && $0.path != "status" }
        #expect(
            found == Set(listed.map { "\($0.path.replacing("$.orders[*].", with: "$.")) \($0.kind)" }))
    }

    @Test(arguments: Fault.allCases.filter { $0 != .otherStatus })
    func `each fault makes its own one difference`(fault: Fault) throws {
        let right = try object(OrderAnswer.one(Self.revealing, .none, requestID: "r"))
        let wording = Discrepancies(faults: [fault])
        let faulty = try object(OrderAnswer.one(Self.revealing, wording, requestID: "r"))
        let found = Set(right.keys.filter { difference(right[$0], faulty[$0]) != nil })
        var expected = Set(
            Discrepancies.planted.filter { $0.fault == fault && $0.endpoint == "GET /api/v1/orders/{id}" }
                .map { String($0.path.dropFirst(2)) })
        // A total after another discount is another total; with all faults on, its type is what differs.
        if fault == .lineRounding { expected.insert("totalAmount") }
        #expect(found == expected)
    }

    @Test func `the fixed service answers byte for byte like the monolith`() {
        for order in ShopSeeds.orders {
            let monolith = OrderAnswer.one(order, .none, requestID: "r").text
            #expect(OrderAnswer.one(order, Discrepancies(.fixed), requestID: "r").text == monolith)
        }
        #expect(Discrepancies(.fixed).unknownCustomerStatus == 404)
        #expect(Discrepancies(.faulty).unknownCustomerStatus == 422)
    }

    @Test func `the table plants every fault, nothing twice, on the contract's endpoints`() {
        let planted = Discrepancies.planted
        #expect(Set(planted).count == planted.count)
        #expect(planted.count == 18)
        #expect(Set(planted.map(\.fault)) == Set(Fault.allCases))
        #expect(
            Set(planted.map(\.endpoint)) == [
                "POST /api/v1/orders", "GET /api/v1/orders", "GET /api/v1/orders/{id}", "PATCH /api/v1/orders/{id}",
            ])
        #expect(Set(planted.map(\.kind)) == ["type", "value", "format", "order"])
        // Whoever shadows no refused writes still meets every fault.
        #expect(Set(planted.filter { $0.trigger != .refusedWrite }.map(\.fault)) == Set(Fault.allCases))
    }

    /// The kind of difference between two JSON values, as far as this shop has them.
    private func difference(_ left: Any?, _ right: Any?) -> String? {
        switch (left, right) {
        case (let left as String, let right as String):
            left == right ? nil : left.hasSuffix("Z") == right.hasSuffix("Z") ? "value" : "format"
        case (let left as NSNumber, let right as NSNumber): left == right ? nil : "value"
        case (let left as [NSDictionary], let right as [NSDictionary]):
            left == right ? nil : Set(left) == Set(right) ? "order" : "value"
        default: "type"
        }
    }

    private func object(_ json: JSONText) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
    }
}

@Suite struct DemoShopRequests {
    @Test func `an order is read, with what it adopts`() throws {
        let order = try NewOrder(
            json: Array(
                """
                {"customerId":"usr_8923a10f","items":[{"productId":"prod_7721","quantity":2}],
                 "paymentMethod":"pm_visa_9832","orderId":"ord_99018274a","createdAt":"2026-05-29T15:07:00+02:00"}
                """.utf8))
        #expect(order.customerID == "usr_8923a10f")
        #expect(order.items.map(\.quantity) == [2])
        #expect(order.orderID == "ord_99018274a")
        #expect(order.createdAt == "2026-05-29T13:07:00Z")
    }

    @Test(arguments: [
        "", "{", "[]", "null", "{}", #"{"customerId":1,"items":[],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":0}],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":1001}],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":9223372036854775808}],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":1.5}],"paymentMethod":"p"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":1}],"paymentMethod":""}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":1}],"paymentMethod":"p","orderId":"a b"}"#,
        #"{"customerId":"u","items":[{"productId":"p","quantity":1}],"paymentMethod":"p","createdAt":"2026-05-29T13:07:00"}"#,
    ])
    func `a body that is not an order is a 400`(json: String) {
        #expect { try NewOrder(json: Array(json.utf8)) } throws: { ($0 as? ShopError)?.status == 400 }
    }

    @Test func `random bytes are refused, and never trap`() {
        var random = SplitMix64(seed: 11)
        let valid = Array(Shopper.body(customer: "usr_1", Shopper.revealing).text.utf8)
        for _ in 0..<2000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                let order = try NewOrder(json: bytes)
                #expect(OrderLimits.lines.contains(order.items.count))
            } catch {
                #expect(error.status == 400)
            }
        }
    }

    @Test func `what is written is JSON that reads back, whatever is in the text`() throws {
        let text = "\"\\\u{0}\u{1f}\n\t/é€😀\u{2028}"
        let json = JSONText.object([JSONText.member(text, .string(text))]).text
        let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        #expect(read == [text: text])
    }

    @Test func `seeds name nobody and nothing twice, and follow the price rule`() {
        #expect(Set(ShopSeeds.customers.map(\.id)).count == 512)
        #expect(ShopSeeds.customers.first?.id == "usr_8923a10f")
        #expect(Set(ShopSeeds.orders.map(\.id)).count == ShopSeeds.orders.count)
        #expect(ShopSeeds.customers.allSatisfy { ShopID.isValid($0.id) })
    }
}

@Suite struct DemoShopTraffic {
    /// A shop that is down, or answers one thing to everything.
    private struct StubbornShop: HTTPCaller {
        let status: Int?

        func call(_ request: ShopRequest) async throws -> ShopResponse {
            guard let status else { throw CocoaError(.fileNoSuchFile) }
            return ShopResponse(status: status, headers: ["Strangler-Served-By": "monolith; fallback=\"x\""], body: [])
        }
    }

    @Test func `no answer and a wrong status are errors, each with an example`() async {
        for status in [nil, 502] {
            let traffic = ShopTraffic(caller: StubbornShop(status: status))
            await traffic.once()
            let stats = traffic.stats()
            #expect(stats.requests > 0)
            #expect(stats.errors == stats.requests)
            #expect(!stats.examples.isEmpty)
        }
    }

    @Test func `an answer that cannot be believed is a violation, and sides are counted`() async {
        let traffic = ShopTraffic(caller: StubbornShop(status: 201))
        await traffic.once()
        #expect(traffic.stats().violations == 1)
        #expect(traffic.stats().servedBy.keys.sorted() == ["monolith"])
    }

    @Test func `paused traffic sends nothing until it is resumed`() async {
        let traffic = ShopTraffic(caller: StubbornShop(status: 404), settings: .init(requestsPerSecond: 5000))
        await traffic.pause()
        let running = Task { await traffic.run() }
        await traffic.resume()
        while traffic.stats().requests < 20 { await Task.yield() }
        await traffic.pause()
        let seen = traffic.stats().requests
        for _ in 0..<1000 { await Task.yield() }
        #expect(traffic.stats().requests == seen)
        running.cancel()
        await running.value
    }

    @Test func `a client notices a lost time zone, a total as text, and a wrong total`() throws {
        let order = ShopSeeds.orders[1]
        let body = { (faults: Set<Fault>) in
            Array(OrderAnswer.one(order, Discrepancies(faults: faults), requestID: "r").text.utf8)
        }
        #expect(try OrderSeen.decode(body([])).complaint == nil)
        #expect(try OrderSeen.decode(body([.lostTimeZone])).complaint != nil)
        #expect(throws: DecodingError.self) { try OrderSeen.decode(body([.moneyAsString])) }
        let text = OrderAnswer.one(order, .none, requestID: "r").text
        let wrong = text.replacing(#""discount":"#, with: #""discount":1"#)
        #expect(try OrderSeen.decode(Array(wrong.utf8)).complaint != nil)
    }
}
