// The requests about a shopper's own orders, and what he checks in the answers.
extension Shopper {
    mutating func create(_ items: [NewOrder.Item]) async {
        let body = Self.body(customer: customer, items)
        guard let response = await call(.create, "POST", "/api/v1/orders", body: body),
            let order = believed(response, "created order")
        else { return }
        let asked = items.map { "\($0.quantity) × \($0.productID)" }
        if order.items.map({ "\($0.quantity) × \($0.productId)" }) != asked {
            log.violated("created order \(order.orderId): other items than asked for: \(order.items)")
        }
        check(order, is: .created)
        own.append(Own(status: .created, seen: order))
        if own.count > Self.memory { own.removeFirst() }
    }

    mutating func read() async {
        guard let known = own.randomElement(using: &random),
            let response = await call(.readOrder, "GET", "/api/v1/orders/\(known.seen.orderId)"),
            let order = believed(response, "order \(known.seen.orderId)")
        else { return }
        check(order, is: known.status)
        compare(order, with: known)
    }

    mutating func list() async {
        guard let response = await call(.listOrders, "GET", "/api/v1/orders?customerId=\(customer)") else { return }
        guard let list = try? OrdersSeen.decode(response.body) else {
            return log.violated("list of \(customer): no list of orders")
        }
        if !list.isSorted { log.violated("list of \(customer): not newest first") }
        for known in own {
            if let order = list.orders.first(where: { $0.orderId == known.seen.orderId }) {
                check(order, is: known.status)
                compare(order, with: known)
            } else if list.orders.count < OrderStore.listLimit
                || list.orders.last.map({ $0.createdAt < known.seen.createdAt }) == true
            {
                log.violated("list of \(customer): own order \(known.seen.orderId) is missing")
            }
        }
    }

    mutating func advance(from current: OrderStatus, to wanted: OrderStatus) async {
        guard let index = own.indices.filter({ own[$0].status == current }).randomElement(using: &random) else {
            return
        }
        let id = own[index].seen.orderId
        let action: ShopAction = wanted == .paid ? .pay : .ship
        guard let response = await call(action, "PATCH", "/api/v1/orders/\(id)", body: Self.status(wanted)) else {
            // Whether it took effect is unknown: a client would look before it tries again.
            own.remove(at: index)
            return
        }
        own[index].status = wanted
        guard let order = believed(response, "order \(id)") else { return }
        check(order, is: wanted)
        compare(order, with: own[index])
    }

    mutating func payAgain() async {
        guard let known = own.filter({ $0.status != .created }).randomElement(using: &random) else { return }
        await call(.payTwice, "PATCH", "/api/v1/orders/\(known.seen.orderId)", body: Self.status(.paid))
    }

    private static func status(_ status: OrderStatus) -> JSONText {
        .object([JSONText.member("status", .string(status.rawValue))])
    }

    // MARK: what a client checks

    private func believed(_ response: ShopResponse, _ what: String) -> OrderSeen? {
        do {
            let order = try OrderSeen.decode(response.body)
            if let complaint = order.complaint { log.violated("\(what): \(complaint)") }
            return order
        } catch {
            log.violated("\(what): cannot be read: \(String(decoding: response.body.prefix(300), as: UTF8.self))")
            return nil
        }
    }

    private func check(_ order: OrderSeen, is status: OrderStatus) {
        if order.status != status.rawValue {
            log.violated("order \(order.orderId): is \(order.status), expected \(status.rawValue)")
        }
        if order.customerId != customer { log.violated("order \(order.orderId): belongs to \(order.customerId)") }
    }

    private func compare(_ order: OrderSeen, with known: Own) {
        let same =
            order.totalAmount == known.seen.totalAmount && order.createdAt == known.seen.createdAt
            && order.items == known.seen.items
        if !same { log.violated("order \(order.orderId): not what it was when it was made") }
    }
}
