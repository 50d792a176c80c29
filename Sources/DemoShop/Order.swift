/// How far an order has come. The only way is forward, one step at a time.
package enum OrderStatus: String, Sendable, CaseIterable {
    case created = "CREATED"
    case paid = "PAID"
    case shipped = "SHIPPED"

    /// The one status that may follow; nil at the end.
    package var next: OrderStatus? {
        switch self {
        case .created: .paid
        case .paid: .shipped
        case .shipped: nil
        }
    }
}

/// An order as it is stored, the same in both systems.
package struct Order: Sendable, Equatable {
    package let id: String
    package let customerID: String
    package var status: OrderStatus
    /// UTC, whole seconds, with its zone: `2026-05-29T13:07:00Z`.
    package let createdAt: String
    /// In the order in which the customer named them.
    package let lines: [OrderLine]
    /// What a customer says to show that the order is his own. Each system makes up its own one, and nobody tells the other.
    package let confirmation: String

    package init(
        id: String, customerID: String, status: OrderStatus, createdAt: String, lines: [OrderLine],
        confirmation: String = ShopID.randomConfirmation()
    ) {
        self.confirmation = confirmation
        self.id = id
        self.customerID = customerID
        self.status = status
        self.createdAt = createdAt
        self.lines = lines
    }
}

/// Ids in paths, queries and bodies: 1 to 50 letters, digits, `_` or `-`. Everything else (including NUL, which
/// Postgres text cannot hold) names nothing.
package enum ShopID {
    package static func isValid(_ text: String) -> Bool {
        OrderLimits.idLength.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// `ord_` and ten random hex digits.
    static func randomOrder() -> String { "ord_" + randomHex(digits: 10) }

    /// `cnf_` and eight random hex digits.
    package static func randomConfirmation() -> String { "cnf_" + randomHex(digits: 8) }

    /// `req_` and twelve random hex digits: the honest noise in every answer.
    static func randomRequest() -> String { "req_" + randomHex(digits: 12) }

    private static func randomHex(digits: Int) -> String {
        let text = String(UInt64.random(in: 0..<(1 << (4 * UInt64(digits)))), radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
