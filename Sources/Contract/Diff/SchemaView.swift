/// The schemas of one document as sets of values: what several schemas that hold at once allow.
///
/// Schemas that hold at once are a set of ids; `oneOf` and `anyOf` are multiplied out into alternatives of such sets.
struct SchemaView {
    /// More are compared in the order in which they are written.
    static let maximumAlternatives = 32

    let schemas: [ContractSchema]
    private var expanded: [[SchemaID]: [Alternative]?] = [:]

    init(_ document: ContractDocument) { schemas = document.schemas }

    /// Schemas of which every own keyword holds. Empty: anything.
    struct Alternative: Hashable {
        let parts: [SchemaID]
    }

    /// Nil if there are more than ``maximumAlternatives``, or alternatives within themselves.
    mutating func alternatives(of ids: [SchemaID]) -> [Alternative]? {
        if let known = expanded[ids] { return known }
        let result = product(ids, depth: 0).map { $0.map { Alternative(parts: $0.sorted()) } }
        expanded[ids] = .some(result)
        return result
    }

    private func product(_ ids: [SchemaID], depth: Int) -> [Set<SchemaID>]? {
        guard depth < 16 else { return nil }
        let base = closure(ids)
        var result: [Set<SchemaID>] = [base]
        for group in base.sorted().flatMap({ schemas[$0].alternatives }) {
            var choices: [Set<SchemaID>] = []
            for id in group {
                guard let more = product([id], depth: depth + 1) else { return nil }
                choices += more
                guard choices.count <= Self.maximumAlternatives else { return nil }
            }
            guard choices.count * result.count <= Self.maximumAlternatives else { return nil }
            result = result.flatMap { one in choices.map { one.union($0) } }
        }
        return result
    }

    /// With everything that `allOf` brings along.
    func closure(_ ids: [SchemaID]) -> Set<SchemaID> {
        var found: Set<SchemaID> = []
        var open = ids
        while let id = open.popLast() {
            if found.insert(id).inserted { open += schemas[id].allOf }
        }
        return found
    }

    // MARK: - What an alternative says

    func types(of alternative: Alternative) -> SchemaTypes {
        var types = alternative.parts.reduce(SchemaTypes.any) { $0.intersection(schemas[$1].types) }
        // Of a list of values, the types that are among them.
        if let values = values(of: alternative) {
            types = values.reduce(SchemaTypes()) { $0.union($1.type) }
        }
        return types
    }

    /// The values of an alternative that lists them; nil for one that does not.
    func values(of alternative: Alternative) -> [ContractValue]? {
        let lists = alternative.parts.flatMap { schemas[$0].enumerations }
        guard let first = lists.first else { return nil }
        return first.values.filter { value in fits(value, alternative) }
    }

    func fits(_ value: ContractValue, _ alternative: Alternative) -> Bool {
        guard let document = value.document else { return true }
        return alternative.parts.allSatisfy { SchemaCheck.fits(document, $0, in: schemas) }
    }

    func minimum(_ alternative: Alternative) -> SchemaBound? {
        alternative.parts.compactMap { schemas[$0].minimum }.max { left, right in
            left.value == right.value ? !left.isExclusive && right.isExclusive : left.value < right.value
        }
    }

    func maximum(_ alternative: Alternative) -> SchemaBound? {
        alternative.parts.compactMap { schemas[$0].maximum }.min { left, right in
            left.value == right.value ? left.isExclusive && !right.isExclusive : left.value < right.value
        }
    }

    func size(_ alternative: Alternative, _ range: (ContractSchema) -> SizeRange) -> SizeRange {
        let ranges = alternative.parts.map { range(schemas[$0]) }
        // At least none is no bound.
        let least = ranges.compactMap(\.least).max().flatMap { $0 > 0 ? $0 : nil }
        return SizeRange(least: least, most: ranges.compactMap(\.most).min())
    }

    func elements(_ alternative: Alternative) -> [SchemaID] {
        alternative.parts.compactMap { schemas[$0].element }
    }

    func required(_ alternative: Alternative) -> Set<String> {
        alternative.parts.reduce(into: []) { $0.formUnion(schemas[$1].required) }
    }

    func propertyNames(_ alternative: Alternative) -> Set<String> {
        alternative.parts.reduce(into: []) { $0.formUnion(schemas[$1].properties.keys) }
    }

    struct Property {
        var isDeclared = false
        var isForbidden = false
        /// What holds for its value, all at once.
        var schemas: [SchemaID] = []
    }

    /// - Parameter name: nil for whatever is not declared.
    func property(_ name: String?, _ alternative: Alternative) -> Property {
        var property = Property()
        for id in alternative.parts {
            if let name, let own = schemas[id].properties[name] {
                property.isDeclared = true
                property.schemas.append(own)
                continue
            }
            switch schemas[id].additional {
            case .unstated, .allowed: break
            case .forbidden: property.isForbidden = true
            case .schema(let schema): property.schemas.append(schema)
            }
        }
        return property
    }

    /// Keywords that are compared as texts.
    func opaque(_ alternative: Alternative) -> [String: String] {
        var texts: [String: [String]] = [:]
        for id in alternative.parts {
            for (keyword, text) in schemas[id].opaque { texts[keyword, default: []].append(text) }
        }
        return texts.mapValues { Set($0).sorted().joined(separator: " and ") }
    }

    /// What people call an alternative: the name of the first of its schemas that has one.
    func name(_ alternative: Alternative) -> String? {
        alternative.parts.compactMap { schemas[$0].name }.last
    }
}

extension ContractValue {
    var type: SchemaTypes {
        switch canonicalText.utf8.first {
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "{"): .object
        default: isWhole ? .integer : .fraction
        }
    }
}
