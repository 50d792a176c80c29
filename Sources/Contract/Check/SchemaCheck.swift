internal import Comparison

/// Holds one value against a schema, and says where it does not fit.
///
/// Costs are bounded by ``steps``: alternatives within alternatives can multiply. What is said never holds a value, which
/// may be anybody's: only names, types and what the contract itself says.
struct SchemaCheck {
    /// Deeper values are not looked at.
    private static let maximumDepth = 160
    /// Of what is said about one value; the rest is not looked for.
    private static let maximumFindings = 32

    struct Finding: Sendable, Equatable {
        /// `$.items[*].price`
        let path: String
        let what: ContractViolation.What
        let sentence: String
    }

    private enum Step {
        case member(String)
        /// Whichever name: of a map, names are data.
        case anyMember
        case element
    }

    let schemas: [ContractSchema]
    let document: Document
    private(set) var findings: [Finding] = []
    /// False when the value was too deep or too entangled to be looked at in full.
    private(set) var isComplete = true
    private var steps = 400_000
    private var path: [Step] = []
    private var depth = 0

    init(schemas: [ContractSchema], document: Document) {
        self.schemas = schemas
        self.document = document
    }

    /// Whether the whole document fits; a value that could not be looked at in full fits.
    static func fits(_ document: Document, _ schema: SchemaID, in schemas: [ContractSchema]) -> Bool {
        var check = SchemaCheck(schemas: schemas, document: document)
        return check.check(document.root, schema, collects: false)
    }

    mutating func run(_ schema: SchemaID) { _ = check(document.root, schema, collects: true) }

    // MARK: - One schema

    /// - Parameter collects: whether to look for everything that is wrong and take it down, or only for whether anything is.
    private mutating func check(_ value: Document.Value, _ id: SchemaID, collects: Bool) -> Bool {
        steps -= 1
        guard steps > 0, depth < Self.maximumDepth, findings.count < Self.maximumFindings else {
            isComplete = false
            return true
        }
        depth += 1
        defer { depth -= 1 }
        let schema = schemas[id]
        guard hasType(value, schema) else {
            return found(.type, "is \(typeName(value)), the contract says \(schema.types.text)", collects)
        }
        var fits = isListed(value, schema, collects)
        guard fits || collects else { return false }
        switch document.kind(of: value) {
        case .number: fits = checkNumber(value, schema, collects) && fits
        case .string:
            fits = checkSize(length(of: value), schema.lengths, "character", collects) && fits
        case .array: fits = checkArray(value, schema, collects) && fits
        case .object: fits = checkObject(value, schema, collects) && fits
        case .null, .true, .false: break
        }
        for part in schema.allOf {
            guard fits || collects else { return false }
            fits = check(value, part, collects: collects) && fits
        }
        for alternatives in schema.alternatives {
            guard fits || collects else { return false }
            fits = checkAlternatives(value, alternatives, collects) && fits
        }
        return fits
    }

    private mutating func checkAlternatives(
        _ value: Document.Value, _ alternatives: [SchemaID], _ collects: Bool
    ) -> Bool {
        for alternative in alternatives where check(value, alternative, collects: false) { return true }
        // Where only one of them speaks of such values at all, what is wrong with it is the answer.
        let candidates = alternatives.filter { takesKind(of: value, $0, depth: 0) }
        if collects, candidates.count == 1 { return check(value, candidates[0], collects: true) }
        return found(.alternatives, "fits none of the \(alternatives.count) alternatives", collects)
    }

    private func takesKind(of value: Document.Value, _ id: SchemaID, depth: Int) -> Bool {
        depth > 16
            || hasType(value, schemas[id])
                && schemas[id].allOf.allSatisfy { takesKind(of: value, $0, depth: depth + 1) }
    }

    private func hasType(_ value: Document.Value, _ schema: ContractSchema) -> Bool {
        if schema.types == .any { return true }
        return !schema.types.isDisjoint(with: type(of: value))
    }

    private func type(of value: Document.Value) -> SchemaTypes {
        switch document.kind(of: value) {
        case .null: .null
        case .true, .false: .boolean
        // A number too large to be read is whole if anything.
        case .number: (ExactDecimal(document.lexeme(of: value))?.isWhole ?? true) ? .integer : .fraction
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    private func typeName(_ value: Document.Value) -> String {
        switch document.kind(of: value) {
        case .null: "null"
        case .true, .false: "a boolean"
        case .number: type(of: value) == .integer ? "an integer" : "a number with a fraction"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    private mutating func isListed(_ value: Document.Value, _ schema: ContractSchema, _ collects: Bool) -> Bool {
        guard !schema.enumerations.isEmpty else { return true }
        let own = ContractValue(value, in: document)
        for list in schema.enumerations where !list.contains(own) {
            return found(.value, "is none of \(ContractText.list(list.values.map(\.text)))", collects)
        }
        return true
    }

    // MARK: - By kind

    private mutating func checkNumber(_ value: Document.Value, _ schema: ContractSchema, _ collects: Bool) -> Bool {
        guard schema.minimum != nil || schema.maximum != nil else { return true }
        guard let number = ExactDecimal(document.lexeme(of: value)) else {
            isComplete = false
            return true
        }
        if let bound = schema.minimum, number < bound.value || bound.isExclusive && number == bound.value {
            return found(.range, "is \(bound.isExclusive ? "not above" : "under") \(bound.text)", collects)
        }
        if let bound = schema.maximum, number > bound.value || bound.isExclusive && number == bound.value {
            return found(.range, "is \(bound.isExclusive ? "not under" : "above") \(bound.text)", collects)
        }
        return true
    }

    /// In characters (JSON Schema validation §6.3.1), which are code points.
    private func length(of value: Document.Value) -> Int {
        document.text(of: value).lazy.filter { $0 & 0xC0 != 0x80 }.count
    }

    private mutating func checkSize(_ count: Int, _ range: SizeRange, _ unit: String, _ collects: Bool) -> Bool {
        guard !range.contains(count) else { return true }
        let bound = count < range.least ?? 0 ? "fewer than \(range.least ?? 0)" : "more than \(range.most ?? 0)"
        return found(.range, "has \(bound) \(unit)s", collects)
    }

    private mutating func checkArray(_ value: Document.Value, _ schema: ContractSchema, _ collects: Bool) -> Bool {
        let elements = document.elements(of: value)
        var fits = checkSize(elements.count, schema.items, "element", collects)
        guard let element = schema.element else { return fits }
        path.append(.element)
        defer { path.removeLast() }
        for next in elements {
            guard fits || collects else { return false }
            fits = check(next, element, collects: collects) && fits
        }
        return fits
    }

    private mutating func checkObject(_ value: Document.Value, _ schema: ContractSchema, _ collects: Bool) -> Bool {
        let members = document.members(of: value)
        var fits = checkSize(members.count, schema.members, "member", collects)
        var missing = schema.required
        for member in members {
            guard fits || collects else { return false }
            let name = String(decoding: document.text(of: member.name), as: UTF8.self)
            missing.remove(name)
            if let property = schema.properties[name] {
                path.append(.member(name))
                fits = check(member.value, property, collects: collects) && fits
            } else if case .schema(let additional) = schema.additional {
                path.append(.anyMember)
                fits = check(member.value, additional, collects: collects) && fits
            } else if case .forbidden = schema.additional {
                path.append(.member(name))
                fits = found(.extra, "is no property that the contract allows", collects) && fits
            } else {
                continue
            }
            path.removeLast()
        }
        for name in missing.sorted() {
            path.append(.member(name))
            fits = found(.missing, "is missing, the contract requires it", collects) && fits
            path.removeLast()
        }
        return fits
    }

    /// - Returns: false, always.
    private mutating func found(_ what: ContractViolation.What, _ sentence: String, _ collects: Bool) -> Bool {
        guard collects else { return false }
        guard findings.count < Self.maximumFindings else {
            isComplete = false
            return false
        }
        var text = ContractText.root
        for step in path {
            switch step {
            case .member(let name): text += ContractText.member(name)
            case .anyMember: text += ".*"
            case .element: text += "[*]"
            }
        }
        let finding = Finding(path: text, what: what, sentence: sentence)
        if !findings.contains(finding) { findings.append(finding) }
        return false
    }
}

/// How places and lists are written.
enum ContractText {
    static let root = "$"
    private static let longestName = 64
    private static let longestList = 12

    /// `.price`, or `["unit price"]` where a dot would be ambiguous.
    static func member(_ name: String) -> String {
        let shown = name.count > longestName ? name.prefix(longestName) + "…" : name[...]
        let isPlain =
            !shown.isEmpty
            && shown.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.value >= 0x30 && $0.value <= 0x39 || $0 == "_" || $0 == "-"
                    || $0 == "…"
            }
        return isPlain ? "." + shown : "[" + String(decoding: Document.quoted(shown.utf8), as: UTF8.self) + "]"
    }

    /// `"a", "b" and 3 more`
    static func list(_ values: [String]) -> String {
        let shown = values.prefix(longestList).map { $0.count > longestName ? $0.prefix(longestName) + "…" : $0 }
        let rest = values.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
