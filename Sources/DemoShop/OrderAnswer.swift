/// The JSON bodies that both systems answer with. What the service words differently goes through ``Discrepancies``.
package enum OrderAnswer {
    /// Members of one order, without the request id: the same alone and inside a list.
    static func members(of order: Order, _ wording: Discrepancies) -> [JSONText.Member] {
        let amounts = Pricing.amounts(of: order.lines, rounding: wording.rounding)
        return [
            JSONText.member("orderId", .string(order.id)),
            JSONText.member("customerId", .string(order.customerID)),
            JSONText.member("status", .string(order.status.rawValue)),
            JSONText.member("totalAmount", wording.total(amounts.total)),
            JSONText.member("discount", .number(amounts.discount.lexeme)),
            JSONText.member("createdAt", wording.timestamp(order.createdAt)),
            JSONText.member("confirmation", .string(order.confirmation)),
            JSONText.member("items", .array(wording.items(order.lines).map(item))),
        ]
    }

    package static func one(_ order: Order, _ wording: Discrepancies, requestID: String) -> JSONText {
        .object(members(of: order, wording) + [JSONText.member("requestId", .string(requestID))])
    }

    package static func list(_ orders: [Order], _ wording: Discrepancies, requestID: String) -> JSONText {
        .object([
            JSONText.member("orders", .array(orders.map { .object(members(of: $0, wording)) })),
            JSONText.member("requestId", .string(requestID)),
        ])
    }

    private static func item(_ line: OrderLine) -> JSONText {
        .object([
            JSONText.member("productId", .string(line.productID)),
            JSONText.member("quantity", .number(String(line.quantity))),
            JSONText.member("unitPrice", .number(line.unitPrice.lexeme)),
        ])
    }
}
