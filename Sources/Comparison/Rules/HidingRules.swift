package import FoundationEssentials

// The rules that can hide a difference. Each names a place and may say why; from `until` on it hides nothing.

/// Hides differences at a place and below it.
package struct IgnoreRule: Sendable, Equatable {
    package var path: PathPattern
    package var because: String?
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
    package var because: String?
    package var until: Date?

    package init(path: PathPattern, key: PathPattern? = nil, because: String? = nil, until: Date? = nil) {
        self.path = path
        self.key = key
        self.because = because
        self.until = until
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
    package var because: String?
    package var until: Date?

    package init(path: PathPattern, kind: Kind, because: String? = nil, until: Date? = nil) {
        self.path = path
        self.kind = kind
        self.because = because
        self.until = until
    }
}

/// Lets one value be written in several ways.
package struct EquivalenceRule: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A number and a string that holds it: `"1.0"` and `1`. Numbers are equal by value, as with `number`.
        case stringNumber = "string-number"
        /// Numbers of the same value: `1.0`, `1` and `1e0`.
        case number
        /// `null` and a field that is not there.
        case nullMissing = "null-missing"
        /// `""`, `[]`, `{}`, `null` and a field that is not there.
        case emptyMissing = "empty-missing"
        /// Texts that differ only in upper and lower case.
        case `case`
        /// Texts that differ only in white space: a run of it counts as one blank, and none at both ends.
        case space
    }

    package var path: PathPattern
    package var kind: Kind
    package var because: String?
    package var until: Date?

    package init(path: PathPattern, as kind: Kind, because: String? = nil, until: Date? = nil) {
        self.path = path
        self.kind = kind
        self.because = because
        self.until = until
    }
}

/// Two values that both match are equal: random identities of a known form.
package struct MatchRule: Sendable, Equatable {
    package var path: PathPattern
    /// Of the whole value: a string's text, or a number as it was written.
    package var pattern: LinearRegex
    package var because: String?
    package var until: Date?

    package init(path: PathPattern, pattern: LinearRegex, because: String? = nil, until: Date? = nil) {
        self.path = path
        self.pattern = pattern
        self.because = because
        self.until = until
    }
}
