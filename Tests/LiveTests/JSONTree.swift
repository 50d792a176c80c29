import Foundation

/// A JSON value that tells numbers, booleans and null apart.
enum JSONTree: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(_ text: String) throws { self = try JSONDecoder().decode(JSONTree.self, from: Data(text.utf8)) }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let elements = try? value.decode([JSONTree].self) {
            self = .array(elements)
        } else {
            self = .object(try value.decode([String: JSONTree].self))
        }
    }

    var members: [String: JSONTree]? { if case .object(let members) = self { members } else { nil } }
    var elements: [JSONTree]? { if case .array(let elements) = self { elements } else { nil } }
    var double: Double? { if case .number(let number) = self { number } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }

    subscript(name: String) -> JSONTree? { members?[name] }
    subscript(index: Int) -> JSONTree? { elements.flatMap { $0.indices.contains(index) ? $0[index] : nil } }

    /// Every `$ref` in the tree.
    var references: [String] {
        switch self {
        case .object(let members):
            members.flatMap { name, value in name == "$ref" ? [value.text ?? ""] : value.references }
        case .array(let elements): elements.flatMap(\.references)
        default: []
        }
    }

    func resolved(_ reference: String) -> JSONTree? {
        reference.split(separator: "/").dropFirst().reduce(self) { tree, name in tree?[String(name)] }
    }

    /// What `value` has that this document's `schema` does not allow: the part of JSON Schema that the document uses.
    func objections(to value: JSONTree, by schema: JSONTree, at path: String = "$") -> [String] {
        if let reference = schema["$ref"]?.text {
            return resolved(reference).map { objections(to: value, by: $0, at: path) } ?? ["\(path): \(reference)?"]
        }
        if value == .null { return schema["nullable"] == .bool(true) ? [] : ["\(path) is null"] }
        if let allowed = schema["enum"]?.elements, !allowed.contains(value) { return ["\(path): \(value)"] }
        switch (schema["type"]?.text, value) {
        case ("object", .object(let members)):
            let required = (schema["required"]?.elements ?? []).compactMap(\.text)
            let missing = required.filter { members[$0] == nil }.map { "\(path).\($0) is missing" }
            return missing + members.flatMap { objections(to: $1, ofMember: $0, by: schema, at: path) }
        case ("array", .array(let elements)):
            return elements.flatMap { objections(to: $0, by: schema["items"] ?? .null, at: path + "[]") }
        case ("integer", .number(let number)): return number == number.rounded() ? [] : ["\(path) is no integer"]
        case ("number", .number), ("string", .string), ("boolean", .bool): return []
        default: return ["\(path) is no \(schema["type"]?.text ?? "known type")"]
        }
    }

    private func objections(
        to value: JSONTree, ofMember name: String, by schema: JSONTree, at path: String
    ) -> [String] {
        if let member = schema["properties"]?[name] { return objections(to: value, by: member, at: "\(path).\(name)") }
        if let other = schema["additionalProperties"], other.members != nil {
            return objections(to: value, by: other, at: "\(path).\(name)")
        }
        // An object described by words only may hold anything.
        return schema["properties"] == nil ? [] : ["\(path).\(name) is not in the schema"]
    }
}
