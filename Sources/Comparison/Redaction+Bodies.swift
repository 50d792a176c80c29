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
}
