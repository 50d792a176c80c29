/// How two answers differ at one place. The set is closed: stored rows and scripts rely on it.
package enum DifferenceKind: String, Sendable, Codable, CaseIterable {
    /// The shadow lacks what the primary has.
    case missing
    /// Only the shadow has it.
    case extra
    /// Another JSON type: a string for a number.
    case type
    case value
    /// The same elements in another order.
    case order
    /// Another number of header fields, or of bytes.
    case length
    /// One side cannot be read as what the other is: invalid JSON, another media type, no UUID where there was one, a lost
    /// time zone.
    case format
}

/// One difference at one concrete place. Both values are redacted before they get here.
package struct Difference: Sendable, Equatable, Codable {
    /// `$.items[0].price`, `status`, `header.content-type` or `body`. Always a readable ``PathPattern``. Elements are
    /// counted on the primary's side, those that only the shadow has on its own.
    package var path: String
    /// The path without its positions and identities, see ``GroupedDifference/path``.
    package var pattern: String
    package var kind: DifferenceKind
    /// For people: at most ``ComparisonLimits/renderedBytes`` bytes; `(absent)` where there is nothing.
    package var primary: String
    package var shadow: String

    /// - Parameter pattern: nil if nothing better is known than what the path itself says.
    package init(path: String, pattern: String? = nil, kind: DifferenceKind, primary: String, shadow: String) {
        self.path = path
        self.pattern = pattern ?? (try? PathPattern(path).grouping.description) ?? path
        self.kind = kind
        self.primary = primary
        self.shadow = shadow
    }

    /// Differences that were stored before patterns were have none.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            path: try values.decode(String.self, forKey: .path),
            pattern: try values.decodeIfPresent(String.self, forKey: .pattern),
            kind: try values.decode(DifferenceKind.self, forKey: .kind),
            primary: try values.decode(String.self, forKey: .primary),
            shadow: try values.decode(String.self, forKey: .shadow))
    }
}

/// A difference without its positions and values: what mismatches with the same cause have in common.
package struct GroupedDifference: Sendable, Hashable, Codable, Comparable {
    /// With `[*]` for every position, and for every member that is evidently named after one thing of many:
    /// `$.items[*].price`, `$.orders[*].total` for `$.orders.ord_123.total`.
    package var path: String
    package var kind: DifferenceKind

    package init(path: String, kind: DifferenceKind) {
        self.path = path
        self.kind = kind
    }

    package init(_ difference: Difference) {
        self.init(path: difference.pattern, kind: difference.kind)
    }

    package static func < (left: GroupedDifference, right: GroupedDifference) -> Bool {
        (left.path, left.kind.rawValue) < (right.path, right.kind.rawValue)
    }
}
