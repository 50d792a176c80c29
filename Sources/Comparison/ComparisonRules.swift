package import FoundationEssentials

/// What one extraction's rule file says about comparing its two answers.
package struct ComparisonRules: Sendable, Equatable {
    package var ignore: [IgnoreRule]
    package var unordered: [UnorderedRule]
    package var tolerance: [ToleranceRule]
    /// Places whose values never leave memory readable. `header.NAME` and `body` are possible.
    package var redact: [PathPattern]
    /// Names of the header fields that are compared, lower-case.
    package var headers: [String]
    package var identity: [IdentityRule]

    package init(
        ignore: [IgnoreRule] = [], unordered: [UnorderedRule] = [], tolerance: [ToleranceRule] = [],
        redact: [PathPattern] = [], headers: [String] = ComparisonRules.defaultHeaders, identity: [IdentityRule] = []
    ) {
        self.ignore = ignore
        self.unordered = unordered
        self.tolerance = tolerance
        self.redact = redact
        self.headers = headers.map { $0.lowercased() }
        self.identity = identity
    }

    /// What a client acts on and what does not change from request to request by itself, unlike `date`,
    /// `etag` or `set-cookie`.
    package static let defaultHeaders = [
        "content-type", "location", "content-language", "content-disposition", "cache-control", "allow",
    ]

    package static let none = ComparisonRules()
}

/// Names the field in which the primary's write answer carries the identity that it made up, and how the
/// shadow write is told.
package struct IdentityRule: Sendable, Equatable {
    package enum Adoption: Sendable, Equatable {
        /// In the same field of the request body.
        case body
        /// In a header of this name.
        case header(String)
    }

    /// A field of nested objects; see ``PathPattern/memberNames``.
    package var field: PathPattern
    package var adopt: Adoption

    package init(field: PathPattern, adopt: Adoption) {
        self.field = field
        self.adopt = adopt
    }
}

/// Hides differences at a place and below it.
package struct IgnoreRule: Sendable, Equatable {
    package var path: PathPattern
    package var because: String?
    /// From this moment on the rule hides nothing.
    package var until: Date?

    package init(path: PathPattern, because: String? = nil, until: Date? = nil) {
        self.path = path
        self.because = because
        self.until = until
    }
}

/// Makes an array a bag: its elements are paired by `key`, or else by being equal.
package struct UnorderedRule: Sendable, Equatable {
    package var path: PathPattern
    /// Relative to the element, which is its `$`. Keys are compared by their text, so `"1"` pairs with `1`.
    package var key: PathPattern?

    package init(path: PathPattern, key: PathPattern? = nil) {
        self.path = path
        self.key = key
    }
}

/// Lets two values be apart.
package struct ToleranceRule: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Largest absolute difference, 0...; taken as the decimal number that it prints as, and compared
        /// exactly, so 0.005 is not 0.005000000000000000104.
        case number(Double)
        /// Largest difference of two RFC 3339 times, in seconds, 0...
        case time(seconds: Double)
    }

    package var path: PathPattern
    package var kind: Kind

    package init(path: PathPattern, kind: Kind) {
        self.path = path
        self.kind = kind
    }
}
