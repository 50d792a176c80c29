/// Which orders service is started.
package enum OrdersVariant: String, Sendable, CaseIterable {
    /// As the first extraction came out: every fault of ``Fault``.
    case faulty
    /// After the review of the shadow differences: none.
    case fixed
}

/// The mistakes that extractions really make. Each lives in one small function of ``Discrepancies``.
package enum Fault: String, Sendable, CaseIterable {
    case moneyAsString = "money-as-string"
    case lostTimeZone = "lost-time-zone"
    case itemsReordered = "items-reordered"
    case otherStatus = "other-status"
    case lineRounding = "line-rounding"
}

/// How a server words its answers: right when there are no faults. Stored rows are the same either way, so the
/// fixed service can take over the faulty one's database.
package struct Discrepancies: Sendable {
    package let faults: Set<Fault>

    package init(faults: Set<Fault>) {
        self.faults = faults
    }

    package init(_ variant: OrdersVariant) {
        switch variant {
        case .faulty: self.init(faults: Set(Fault.allCases))
        case .fixed: self.init(faults: [])
        }
    }

    package static let none = Discrepancies(faults: [])

    /// `money-as-string`: the database driver hands `numeric` over as text, and nobody turned it into a number.
    func total(_ amount: Cents) -> JSONText {
        faults.contains(.moneyAsString) ? .string(amount.lexeme) : .number(amount.lexeme)
    }

    /// `lost-time-zone`: formatted as local date and time; the `Z` fell off.
    func timestamp(_ utc: String) -> JSONText {
        .string(faults.contains(.lostTimeZone) && utc.hasSuffix("Z") ? String(utc.dropLast()) : utc)
    }

    /// `items-reordered`: newest first was meant for orders, and was applied to their lines too.
    func items(_ lines: [OrderLine]) -> [OrderLine] {
        faults.contains(.itemsReordered) ? lines.reversed() : lines
    }

    /// `other-status`: the service took an unknown customer for an invalid field, the monolith for a missing thing.
    var unknownCustomerStatus: Int { faults.contains(.otherStatus) ? 422 : 404 }

    /// `line-rounding`: the discount is cut to cents line by line instead of rounded once per order.
    var rounding: DiscountRounding { faults.contains(.lineRounding) ? .cutPerLine : .halfUpPerOrder }
}

/// One difference that a comparison of monolith and faulty service has to find.
package struct PlantedDifference: Sendable, Hashable {
    /// What has to happen before the difference can be seen.
    package enum Trigger: String, Sendable {
        /// A safe request.
        case read
        /// A write that the monolith accepted, so that it is delivered to the service.
        case write
        /// A write that the monolith refused. Seen only where refused writes are shadowed too.
        case refusedWrite = "refused-write"
    }

    /// Method and path template, as in the contract.
    package let endpoint: String
    /// `status`, or a path such as `$.orders[*].createdAt`.
    package let path: String
    /// The comparison's name for it: `type`, `value`, `format`, `order`.
    package let kind: String
    package let fault: Fault
    package let trigger: Trigger
}

extension Discrepancies {
    /// Everything the faulty service does differently, endpoint by endpoint, under these rules: `$.requestId`
    /// ignored, `$.orderId` and `$.createdAt` of a create adopted from the primary, nothing unordered, no
    /// tolerances. The error bodies of a status difference are equal.
    package static let planted: [PlantedDifference] =
        onOrder("$", endpoint: "POST /api/v1/orders", .write)
        + onOrder("$", endpoint: "GET /api/v1/orders/{id}", .read)
        + onOrder("$", endpoint: "PATCH /api/v1/orders/{id}", .write)
        + onOrder("$.orders[*]", endpoint: "GET /api/v1/orders", .read)
        + [
            PlantedDifference(
                endpoint: "GET /api/v1/orders", path: "status", kind: "value", fault: .otherStatus, trigger: .read),
            PlantedDifference(
                endpoint: "POST /api/v1/orders", path: "status", kind: "value", fault: .otherStatus,
                trigger: .refusedWrite),
        ]

    private static func onOrder(
        _ root: String, endpoint: String, _ trigger: PlantedDifference.Trigger
    ) -> [PlantedDifference] {
        let parts: [(field: String, kind: String, fault: Fault)] = [
            ("totalAmount", "type", .moneyAsString),
            ("createdAt", "format", .lostTimeZone),
            ("items", "order", .itemsReordered),
            ("discount", "value", .lineRounding),
        ]
        return parts.map {
            PlantedDifference(
                endpoint: endpoint, path: "\(root).\($0.field)", kind: $0.kind, fault: $0.fault, trigger: trigger)
        }
    }
}
