package import Extraction

/// One thing's names in the two systems.
package struct IdentityPair: Sendable, Hashable, Codable {
    /// Of the identity rule that it was learned by: its field, as the rules name it.
    package var kind: String
    package var monolith: String
    package var service: String
    /// How the two stand in JSON.
    package var spelling: IdentitySpelling

    package init(kind: String, monolith: String, service: String, spelling: IdentitySpelling = []) {
        self.kind = kind
        self.monolith = monolith
        self.service = service
        self.spelling = spelling
    }

    package func value(at side: Side) -> String { side == .monolith ? monolith : service }

    /// The same two names, however they are spelled.
    package func names(sameAs other: IdentityPair) -> Bool {
        kind == other.kind && monolith == other.monolith && service == other.service
    }
}

/// Whether each side's answers give an identity as a JSON number or as a string; neither is said of one that was only seen in
/// a URI.
package struct IdentitySpelling: OptionSet, Sendable, Hashable, Codable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let monolithNumber = IdentitySpelling(rawValue: 1)
    package static let monolithString = IdentitySpelling(rawValue: 2)
    package static let serviceNumber = IdentitySpelling(rawValue: 4)
    package static let serviceString = IdentitySpelling(rawValue: 8)

    /// - Parameter isNumber: nil for one that was seen in a URI.
    package init(_ side: Side, isNumber: Bool?) {
        switch (side, isNumber) {
        case (_, nil): self = []
        case (.monolith, .some(let isNumber)): self = isNumber ? .monolithNumber : .monolithString
        case (.service, .some(let isNumber)): self = isNumber ? .serviceNumber : .serviceString
        }
    }

    /// Nil: not known.
    package func isNumber(at side: Side) -> Bool? {
        let (number, string): (IdentitySpelling, IdentitySpelling) =
            side == .monolith ? (.monolithNumber, .monolithString) : (.serviceNumber, .serviceString)
        if contains(number) { return true }
        return contains(string) ? false : nil
    }
}

/// An identity at one side, whose partner somebody wants to know.
package struct IdentityQuestion: Sendable, Hashable {
    package var extraction: String
    package var kind: String
    /// Whose name `value` is.
    package var side: Side
    package var value: String

    package init(extraction: String, kind: String, side: Side, value: String) {
        self.extraction = extraction
        self.kind = kind
        self.side = side
        self.value = value
    }
}

/// What was learned and contradicts what is known. The known one stays.
package struct IdentityConflict: Sendable, Hashable {
    package var extraction: String
    package var learned: IdentityPair
    /// One that has the learned one's name at one of the sides.
    package var known: IdentityPair

    package init(extraction: String, learned: IdentityPair, known: IdentityPair) {
        self.extraction = extraction
        self.learned = learned
        self.known = known
    }
}
