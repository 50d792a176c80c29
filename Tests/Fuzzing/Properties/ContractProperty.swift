internal import Comparison
internal import Contract

extension FuzzTarget {
    /// Two schemas and a value, as JSON texts with a NUL between them: the schemas are read, compared in both directions,
    /// and the value is held against both.
    func checkContract(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
        let parts = Array(bytes).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
        guard let old = Self.node(parts[0]), let new = parts.count > 1 ? Self.node(parts[1]) : old,
            let (one, other) = Self.documents(old, new)
        else { return .refused }
        let same = ContractDiff(from: one, to: one)
        try demand(
            same.changes.allSatisfy { $0.sentence.contains("too entangled") },
            "a contract differs from itself: \(same.changes)")
        let (forth, back) = (ContractDiff(from: one, to: other), ContractDiff(from: other, to: one))
        guard parts.count > 2, let value = try? Document(json: parts[2], maximumDepth: 64) else { return .accepted }
        let (old_, new_) = (Self.check(one, value), Self.check(other, value))
        guard old_.unchecked == nil, new_.unchecked == nil else { return .accepted }
        let (takesOld, takesNew) = (old_.violations.isEmpty, new_.violations.isEmpty)
        // An answer that only the newer contract allows breaks whoever speaks the older one.
        try demand(forth.isBreaking || takesOld || !takesNew, "a break of answers is not seen: \(forth.changes)")
        try demand(back.isBreaking || takesNew || !takesOld, "a break of answers is not seen: \(back.changes)")
        return .accepted
    }

    private static func check(_ document: ContractDocument, _ value: Document) -> ContractFinding {
        document.check(method: "GET", path: "/x", status: 200, mediaType: "application/json", body: value)
    }

    private static func documents(
        _ old: ContractNode, _ new: ContractNode
    ) -> (ContractDocument, ContractDocument)? {
        guard let one = try? ContractDocument(document(old, old, new)),
            let other = try? ContractDocument(document(new, old, new))
        else { return nil }
        return (one, other)
    }

    private static func document(_ schema: ContractNode, _ one: ContractNode, _ other: ContractNode) -> ContractNode {
        let media = map([("application/json", map([("schema", schema)]))])
        let operation = map([("responses", map([("200", map([("content", media)]))]))])
        return map([
            ("openapi", ContractNode(.text("3.1.0"), at: here)), ("paths", map([("/x", map([("get", operation)]))])),
            ("components", map([("schemas", map([("A", one), ("B", other)]))])),
        ])
    }

    private static let here = ContractPlace(line: 1, column: 1)

    private static func map(_ members: [(String, ContractNode)]) -> ContractNode {
        ContractNode(.map(ContractMap(members.map { .init(name: $0.0, place: here, value: $0.1) })), at: here)
    }

    private static func node(_ json: [UInt8]) -> ContractNode? {
        guard let document = try? Document(json: json, maximumDepth: 60) else { return nil }
        return node(document.root, document)
    }

    private static func node(_ value: Document.Value, _ document: Document) -> ContractNode {
        func text(_ value: Document.Value) -> String { String(decoding: document.text(of: value), as: UTF8.self) }
        switch document.kind(of: value) {
        case .null: return ContractNode(.null, at: here)
        case .true, .false: return ContractNode(.boolean(document.kind(of: value) == .true), at: here)
        case .number: return ContractNode(.number(text(value)), at: here)
        case .string: return ContractNode(.text(text(value)), at: here)
        case .array: return ContractNode(.list(document.elements(of: value).map { node($0, document) }), at: here)
        case .object: return map(document.members(of: value).map { (text($0.name), node($0.value, document)) })
        }
    }
}
