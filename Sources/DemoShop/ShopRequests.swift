import FoundationEssentials

/// `POST /api/v1/orders`, checked.
struct NewOrder: Sendable {
    struct Item: Sendable {
        let productID: String
        let quantity: Int
    }

    let customerID: String
    let items: [Item]
    let paymentMethod: String
    /// Adopted from another system that already has the order; nil lets the server choose.
    let orderID: String?
    /// Adopted likewise; UTC, whole seconds.
    let createdAt: String?

    /// - Throws: ``ShopError`` with status 400.
    init(json: [UInt8]) throws(ShopError) {
        let body = try ShopJSON.decode(Body.self, from: json)
        guard OrderLimits.idLength.contains(body.paymentMethod.utf8.count) else {
            throw .invalid("paymentMethod must have 1 to 50 bytes")
        }
        guard OrderLimits.lines.contains(body.items.count) else { throw .invalid("items must be 1 to 50") }
        guard body.items.allSatisfy({ OrderLimits.quantity.contains($0.quantity) }) else {
            throw .invalid("quantity must be 1 to 1000")
        }
        if let id = body.orderId, !ShopID.isValid(id) { throw .invalid("orderId is not an id") }
        customerID = body.customerId
        items = body.items.map { Item(productID: $0.productId, quantity: $0.quantity) }
        paymentMethod = body.paymentMethod
        orderID = body.orderId
        createdAt = try body.createdAt.map { text throws(ShopError) in try ShopJSON.wholeSeconds(text, "createdAt") }
    }

    private struct Body: Decodable {
        struct Item: Decodable {
            let productId: String
            let quantity: Int
        }

        let customerId: String
        let items: [Item]
        let paymentMethod: String
        let orderId: String?
        let createdAt: String?
    }
}

/// `PATCH /api/v1/orders/{id}`, checked.
struct StatusChange: Sendable {
    let status: OrderStatus
    /// If it is there, it has to be the order's.
    let confirmation: String?

    /// - Throws: ``ShopError`` with status 400.
    init(json: [UInt8]) throws(ShopError) {
        let body = try ShopJSON.decode(Body.self, from: json)
        guard let status = OrderStatus(rawValue: body.status) else {
            throw .invalid("status must be CREATED, PAID or SHIPPED")
        }
        self.status = status
        confirmation = body.confirmation
    }

    private struct Body: Decodable {
        let status: String
        let confirmation: String?
    }
}

/// `POST /api/v1/payments/webhook`, checked: what a payment gateway calls back with.
struct PaymentCallback: Sendable {
    let paymentID: String
    let orderID: String
    let amount: Cents
    let succeeded: Bool
    let status: String
    let timestamp: String

    /// - Throws: ``ShopError`` with status 400.
    init(json: [UInt8]) throws(ShopError) {
        let body = try ShopJSON.decode(Body.self, from: json)
        guard ShopID.isValid(body.paymentId) else { throw .invalid("paymentId is not an id") }
        guard ShopID.isValid(body.orderId) else { throw .unknownOrder }
        guard let amount = Cents(decimal: "\(body.amount)") else { throw .invalid("amount must have whole cents") }
        guard ["SUCCESS", "FAILED"].contains(body.status) else { throw .invalid("status must be SUCCESS or FAILED") }
        paymentID = body.paymentId
        orderID = body.orderId
        self.amount = amount
        succeeded = body.status == "SUCCESS"
        status = body.status
        timestamp = try ShopJSON.wholeSeconds(body.timestamp, "timestamp")
    }

    private struct Body: Decodable {
        let paymentId: String
        let orderId: String
        let amount: Decimal
        let status: String
        let timestamp: String
    }
}

enum ShopJSON {
    /// - Throws: ``ShopError`` with status 400: one text for what is no JSON, another for JSON of the wrong shape.
    static func decode<Body: Decodable>(_ type: Body.Type, from json: [UInt8]) throws(ShopError) -> Body {
        do {
            return try JSONDecoder().decode(type, from: Data(json))
        } catch DecodingError.keyNotFound(let key, _) {
            throw .invalid("\(key.stringValue) is missing")
        } catch DecodingError.typeMismatch(_, let place), DecodingError.valueNotFound(_, let place) {
            let path = place.codingPath.map(\.stringValue).joined(separator: ".")
            throw .invalid("\(path.isEmpty ? "the body" : path) has the wrong type")
        } catch {
            throw .malformedJSON
        }
    }

    /// Any ISO 8601 instant with a zone, as UTC in whole seconds.
    static func wholeSeconds(_ text: String, _ field: String) throws(ShopError) -> String {
        guard let instant = try? Date(text, strategy: .iso8601) else {
            throw .invalid("\(field) must be a time with its zone")
        }
        return instant.formatted(.iso8601)
    }
}
