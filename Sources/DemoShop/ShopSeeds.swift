/// What the shop's database begins with. Everything here is the same on every machine, so that a walk through the
/// demo can name an order before the demo was started.
package enum ShopSeeds {
    package struct Product: Sendable {
        package let id: String
        package let name: String
        package let price: UnitPrice
    }

    package struct Customer: Sendable {
        package let id: String
        package let email: String
    }

    /// Two of the first are 149.98. The prices with a third decimal are the ones that rounding shows on.
    package static let products: [Product] = [
        Product(id: "prod_7721", name: "Walking boots", price: UnitPrice(thousandths: 74_990)),
        Product(id: "prod_1180", name: "Rope, per metre", price: UnitPrice(thousandths: 1_985)),
        Product(id: "prod_2034", name: "Tent peg", price: UnitPrice(thousandths: 645)),
        Product(id: "prod_3310", name: "Head torch", price: UnitPrice(thousandths: 24_500)),
        Product(id: "prod_4406", name: "Gas cartridge", price: UnitPrice(thousandths: 6_325)),
        Product(id: "prod_5093", name: "Trail mix, 100 g", price: UnitPrice(thousandths: 2_195)),
        Product(id: "prod_6117", name: "Water bottle", price: UnitPrice(thousandths: 12_950)),
        Product(id: "prod_8852", name: "Map sheet", price: UnitPrice(thousandths: 9_999)),
    ]

    /// Enough for every shopper of the traffic to be a customer of his own: the first is known from the contract's
    /// example, the others count on from it.
    package static let customers: [Customer] = (0..<512).map { index in
        // A multiplicative hash spreads the ids, and being odd it never meets the same one twice.
        let id = "usr_" + hex(0x8923_a10f &+ UInt32(index) &* 0x9e37_79b1)
        return Customer(id: id, email: "\(id)@shop.example")
    }

    /// Orders from before the migration: what the backfill has to carry over.
    package static let orders: [Order] =
        [
            Order(
                id: "ord_99018274a", customerID: customers[0].id, status: .created, createdAt: "2026-05-29T13:07:00Z",
                lines: [line(0, quantity: 2)])
        ]
        + (1..<40).map { index in
            let day = 1 + index % 28
            return Order(
                id: "ord_" + hex(0x5eed_0000 &+ UInt32(index) &* 0x85eb_ca6b), customerID: customers[index % 20].id,
                status: OrderStatus.allCases[index % 3],
                createdAt: "2026-04-\(day < 10 ? "0" : "")\(day)T08:\(10 + index):00Z",
                lines: [line(index, quantity: 1 + index % 5), line(index + 3, quantity: 1 + index % 4)])
        }

    private static func line(_ product: Int, quantity: Int) -> OrderLine {
        let product = products[product % products.count]
        return OrderLine(productID: product.id, quantity: quantity, unitPrice: product.price)
    }

    private static func hex(_ value: UInt32) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }
}
