internal import Comparison

/// Index into ``ContractDocument/schemas``.
typealias SchemaID = Int

/// Types of JSON values as sets; `integer` is part of `number`.
struct SchemaTypes: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    /// Numbers with a fraction.
    static let fraction = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)
    static let number: SchemaTypes = [.integer, .fraction]
    static let any = SchemaTypes(rawValue: 127)

    /// The kinds that schemas are compared by, one after the other.
    static let kinds: [SchemaTypes] = [.null, .boolean, .number, .string, .array, .object]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nil for what is no type of JSON Schema.
    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .number
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }

    /// `string or null`
    var text: String {
        if self == .any { return "anything" }
        var names: [String] = []
        if contains(.number) {
            names.append("number")
        } else if contains(.integer) {
            names.append("integer")
        } else if contains(.fraction) {
            names.append("number with a fraction")
        }
        if contains(.boolean) { names.append("boolean") }
        if contains(.string) { names.append("string") }
        if contains(.array) { names.append("array") }
        if contains(.object) { names.append("object") }
        if contains(.null) { names.append("null") }
        return names.isEmpty ? "nothing" : names.joined(separator: " or ")
    }
}

/// One end of a range of numbers.
struct SchemaBound: Sendable, Equatable {
    let value: ExactDecimal
    /// Whether the value itself is outside.
    let isExclusive: Bool
    /// As it was written.
    let text: String

    var exclusive: SchemaBound { SchemaBound(value: value, isExclusive: true, text: text) }

    /// `5`, `5 (excluded)`
    var shown: String { isExclusive ? text + " (excluded)" : text }

    static func == (left: SchemaBound, right: SchemaBound) -> Bool {
        left.value == right.value && left.isExclusive == right.isExclusive
    }
}

/// One schema object: every keyword holds, and there may be others that none of ours looks at (``opaque``).
struct ContractSchema: Sendable {
    /// What an object may have beside its properties.
    enum Additional: Sendable, Equatable {
        /// Not written down: allowed.
        case unstated
        case allowed
        case forbidden
        case schema(SchemaID)
    }

    var types = SchemaTypes.any
    /// `enum` and `const`; a value has to be in each of the lists.
    var enumerations: [ContractValues] = []
    var minimum: SchemaBound?
    var maximum: SchemaBound?
    /// Of texts in characters, of arrays in elements, of objects in members.
    var lengths = SizeRange()
    var items = SizeRange()
    var members = SizeRange()
    var properties: [String: SchemaID] = [:]
    var required: Set<String> = []
    var additional = Additional.unstated
    /// Of every element of an array.
    var element: SchemaID?
    var allOf: [SchemaID] = []
    /// `oneOf` and `anyOf`: of each list at least one holds. That of `oneOf` only one may is not looked at.
    var alternatives: [[SchemaID]] = []
    /// Keywords that are compared as texts only: what they allow is not looked at.
    var opaque: [String: String] = [:]
    /// What a reference calls it, or nothing.
    var name: String?
}

/// The values of an `enum`.
struct ContractValues: Sendable {
    let values: [ContractValue]
    private let set: Set<ContractValue>

    init(_ values: [ContractValue]) {
        set = Set(values)
        var rest = set
        self.values = values.filter { rest.remove($0) != nil }
    }

    func contains(_ value: ContractValue) -> Bool { set.contains(value) }
}

/// How many; nil where there is no bound.
struct SizeRange: Sendable, Equatable {
    var least: Int?
    var most: Int?

    func contains(_ count: Int) -> Bool { count >= least ?? 0 && count <= most ?? .max }
}
