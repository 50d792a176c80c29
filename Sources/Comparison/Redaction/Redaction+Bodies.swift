/// Rules name places in JSON; the same names in other kinds of bodies are as secret.
extension Redaction {
    /// The rules, and for a body whose fields have names: each last name of a rule at any depth, as an element, an
    /// attribute or a form's field, however frameworks write those (`card[number]`).
    func widened(for format: BodyFormat, _ documents: Document...) -> Redaction {
        guard concernsBody, format.hasNamedFields, !format.isJSON else { return self }
        var added: [PathPattern] = []
        for name in Set(patterns.compactMap(\.lastName)) {
            for written in [name, "@" + name] {
                let step = PathPattern.Step(descendant: true, selector: .name(Array(written.utf8)))
                added.append(PathPattern(root: .document, steps: [step]))
            }
        }
        if format == .xml {
            let secret = Set(patterns.compactMap { $0.lastName?.lowercased() })
            for name in documents.reduce(into: Set<[UInt8]>(), { $0.formUnion($1.memberNames) })
            where secret.contains(Redaction.localName(name).lowercased()) {
                added.append(PathPattern(root: .document, steps: [.init(descendant: true, selector: .name(name))]))
            }
        }
        if format == .multipart {
            for document in documents { added += Redaction.runningTexts(in: document) }
        }
        if format == .form || format == .multipart {
            var names = Set<[UInt8]>()
            for document in documents {
                for (name, _) in document.members(of: document.root) { names.insert(document.text(of: name)) }
            }
            for name in names where isSecret(parameter: String(decoding: name, as: UTF8.self)) {
                added.append(PathPattern(root: .document, [.name(name)]))
            }
        }
        return Redaction(redactor, patterns: patterns + added)
    }

    /// `card` of `@card`, `{urn:x}card`, `x:card`.
    private static func localName(_ name: [UInt8]) -> String {
        let marks: Set<UInt8> = [UInt8(ascii: "@"), UInt8(ascii: "}"), UInt8(ascii: ":")]
        return String(decoding: name[(name.lastIndex { marks.contains($0) }.map { $0 + 1 } ?? 0)...], as: UTF8.self)
    }

    /// The bodies of parts that are no single field, and in which a secret may stand anywhere.
    private static func runningTexts(in document: Document) -> [PathPattern] {
        let body = PathPattern.Selector.name(Array("body".utf8))
        let named = document.members(of: document.root).map { ($0.name as Document.Value?, $0.value) }
        let parts = named + document.elements(of: document.root).map { (nil, $0) }
        return parts.compactMap { name, part in
            var (isField, hasNames) = (name != nil, false)
            for (key, value) in document.members(of: part) {
                switch String(decoding: document.text(of: key), as: UTF8.self) {
                case "filename": isField = false
                case "type":
                    let type = MediaType(String(decoding: document.text(of: value), as: UTF8.self))
                    hasNames = type.map { BodyFormat($0).hasNamedFields } ?? false
                default: break
                }
            }
            guard !isField, !hasNames else { return nil }
            guard let name else {
                return PathPattern(root: .document, steps: [.init(selector: .any), .init(selector: body)])
            }
            // Parts that share a name are places by their number.
            return PathPattern(
                root: .document,
                steps: [
                    .init(selector: .name(document.text(of: name))), .init(descendant: true, selector: body),
                ])
        }
    }
}

extension Document {
    fileprivate var memberNames: Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        for index in nodes.indices where nodes[index].kind == .object {
            for (name, _) in members(of: Value(index: index)) { names.insert(text(of: name)) }
        }
        return names
    }
}
