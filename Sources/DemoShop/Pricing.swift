/// One line of an order: what was bought and at which price. The price is frozen when the order is made.
package struct OrderLine: Sendable, Hashable {
    package let productID: String
    package let quantity: Int
    package let unitPrice: UnitPrice

    package init(productID: String, quantity: Int, unitPrice: UnitPrice) {
        self.productID = productID
        self.quantity = quantity
        self.unitPrice = unitPrice
    }

    /// In thousandths.
    var gross: Int { unitPrice.thousandths * quantity }
}

/// Where and how a bulk discount is brought to whole cents.
package enum DiscountRounding: Sendable {
    /// The monolith's rule: add up exactly, then round the sum once, half up.
    case halfUpPerOrder
    /// Each line is cut to whole cents first. Reads like the same rule, and gives another cent now and then.
    case cutPerLine
}

/// What an order costs.
package struct OrderAmounts: Sendable, Equatable {
    package let total: Cents
    package let discount: Cents
}

/// The shop's price rule: three or more of one product are 10 % cheaper.
package enum Pricing {
    static let bulkQuantity = 3

    /// `total` is what is due after `discount`. Lines are within ``OrderLimits``, so no sum overflows.
    package static func amounts(of lines: [OrderLine], rounding: DiscountRounding) -> OrderAmounts {
        let gross = lines.reduce(0) { $0 + $1.gross }
        let discount = discount(on: lines, rounding: rounding)
        return OrderAmounts(total: Cents((gross + 5) / 10 - discount.count), discount: discount)
    }

    /// A tenth of n thousandths is n ten-thousandths, so the exact discount of a line has the same digits as its
    /// gross, and 100 of those units are a cent.
    private static func discount(on lines: [OrderLine], rounding: DiscountRounding) -> Cents {
        let exact = lines.filter { $0.quantity >= bulkQuantity }.map(\.gross)
        switch rounding {
        case .halfUpPerOrder: return Cents((exact.reduce(0, +) + 50) / 100)
        case .cutPerLine: return Cents(exact.reduce(0) { $0 + $1 / 100 })
        }
    }
}

/// What one order may contain; anything else is refused before a price is worked out.
package enum OrderLimits {
    package static let lines = 1...50
    package static let quantity = 1...1000
    /// In bytes, of ids and of the payment method.
    package static let idLength = 1...50
}
