import FoundationEssentials

/// An order as a client reads it. Decoding is as strict as a typed client's: a total that is a string fails.
struct OrderSeen: Decodable, Sendable {
    struct Item: Decodable, Sendable, Equatable {
        let productId: String
        let quantity: Int
        let unitPrice: Double
    }

    let orderId: String
    let customerId: String
    let status: String
    let totalAmount: Double
    let discount: Double
    let createdAt: String
    let items: [Item]

    /// Why a client would not believe it; nil if all is well.
    var complaint: String? {
        if !createdAt.hasSuffix("Z") { return "createdAt \(createdAt) has no zone" }
        let gross = items.reduce(0.0) { $0 + $1.unitPrice * Double($1.quantity) }
        // Prices have three decimals, so a sum that ends in half a cent is exact in thousandths.
        let due = ((gross * 1000).rounded() / 10).rounded(.toNearestOrAwayFromZero) - (discount * 100).rounded()
        guard (totalAmount * 100).rounded() == due else {
            return "totalAmount \(totalAmount) is not \(due / 100)"
        }
        return nil
    }

    static func decode(_ body: [UInt8]) throws -> OrderSeen {
        try JSONDecoder().decode(OrderSeen.self, from: Data(body))
    }
}

struct OrdersSeen: Decodable, Sendable {
    let orders: [OrderSeen]

    static func decode(_ body: [UInt8]) throws -> OrdersSeen {
        try JSONDecoder().decode(OrdersSeen.self, from: Data(body))
    }

    /// Newest first, then by id.
    var isSorted: Bool {
        zip(orders, orders.dropFirst()).allSatisfy { left, right in
            (right.createdAt, left.orderId) < (left.createdAt, right.orderId)
        }
    }
}
