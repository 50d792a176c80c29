/// An element that XML and HTML can write in many ways that mean the same.
struct MarkupTree {
    enum Node {
        /// Not empty, with no blank at either end.
        case text(String)
        case element(MarkupTree)
    }

    struct Attribute {
        var name: String
        var namespace = ""
        var value: String
    }

    var name: String
    var namespace = ""
    var attributes: [Attribute]
    /// No two texts follow each other.
    var children: [Node]

    private static let texts = ["a", "b c", "é&<>", "\"'", "]]>", "1", "x\u{1F600}y", "-- ?>", "{ns}"]

    /// - Parameters:
    ///   - names: of elements.
    ///   - attributeNames: each is used at most once per element.
    static func random(
        depth: Int, names: [String], attributeNames: [String], namespaces: [String], _ choices: inout Choices
    ) -> MarkupTree {
        let first = choices.pick(attributeNames.count)
        var tree = MarkupTree(
            name: choices.pick(from: names), namespace: choices.pick(from: namespaces),
            attributes: (0..<choices.pick(4)).map { place in
                let name = attributeNames[(first + place) % attributeNames.count]
                // A boolean attribute is there or not.
                let value = name == "disabled" ? "" : choices.pick(from: texts + [""])
                return Attribute(name: name, namespace: choices.pick(from: namespaces), value: value)
            }, children: [])
        var isAfterText = false
        for _ in 0..<(depth > 0 ? choices.pick(6) : 0) {
            if !isAfterText, choices.isChosen(oneIn: 3) {
                tree.children.append(.text(choices.pick(from: texts)))
                isAfterText = true
            } else {
                tree.children.append(
                    .element(
                        .random(
                            depth: depth - 1, names: names, attributeNames: attributeNames, namespaces: namespaces,
                            &choices)))
                isAfterText = false
            }
        }
        return tree
    }

    /// A copy with one text or one attribute's value changed; nil if there is none where it was looked.
    func changed(_ choices: inout Choices) -> MarkupTree? {
        var copy = self
        let place = choices.pick(attributes.count + children.count + 1)
        if place < attributes.count {
            copy.attributes[place].value += "!"
            return copy
        }
        guard place - attributes.count < children.count else { return nil }
        switch children[place - attributes.count] {
        case .text(let text): copy.children[place - attributes.count] = .text(text + "!")
        case .element(let element):
            guard let inner = element.changed(&choices) else { return nil }
            copy.children[place - attributes.count] = .element(inner)
        }
        return copy
    }

    // MARK: - XML

    func document(_ choices: inout Choices) -> String {
        let heads = ["", "<?xml version=\"1.0\" encoding='UTF-8'?>\n", "<!-- a -->", "<!DOCTYPE a [<!ELEMENT a ANY>]>"]
        return choices.pick(from: heads) + xml(&choices) + choices.pick(from: ["", "\n", "<!-- > -->", "<?a b?>"])
    }

    private func xml(_ choices: inout Choices) -> String {
        // Every element says its own namespace, some by a prefix.
        let prefix = !namespace.isEmpty && choices.isChosen() ? "p\(choices.pick(3))" : ""
        let mark = prefix.isEmpty ? "" : ":"
        var written = ["xmlns\(mark)\(prefix)=\(quoted(namespace, &choices))"]
        for (place, attribute) in attributes.enumerated() {
            let value = quoted(attribute.value, &choices)
            if attribute.namespace.isEmpty {
                written.append("\(attribute.name)=\(value)")
            } else {
                written.append("xmlns:a\(place)=\(quoted(attribute.namespace, &choices))")
                written.append("a\(place):\(attribute.name) = \(value)")
            }
        }
        let tag = prefix + mark + name
        let start = "<" + tag + choices.shuffled(written).map { " " + $0 }.joined()
        if children.isEmpty, choices.isChosen() { return start + "/>" }
        return start + ">" + content(&choices, isSpaced: { _ in true }, { $0.xml(&$1) }, MarkupTree.xmlText)
            + "</\(tag)\(choices.pick(from: ["", " ", "\n"]))>"
    }

    /// - Parameter isSpaced: white space next to this element says nothing.
    private func content(
        _ choices: inout Choices, isSpaced: (MarkupTree) -> Bool, _ element: (MarkupTree, inout Choices) -> String,
        _ text: (String, inout Choices) -> String
    ) -> String {
        let blanks = ["", " ", "\n  ", "<!-- - -->", "\t<!--x-->\r\n"]
        var result = ""
        // The tag around the content is one like those in it.
        var mayBlank = isSpaced(self)
        for child in children {
            switch child {
            case .text(let content):
                result += text(content, &choices)
                mayBlank = false
            case .element(let inner):
                let isOne = isSpaced(inner)
                if mayBlank, isOne { result += choices.pick(from: blanks) }
                result += element(inner, &choices)
                mayBlank = isOne
            }
        }
        return result + (mayBlank && isSpaced(self) && !children.isEmpty ? choices.pick(from: blanks) : "")
    }

    private func quoted(_ text: String, _ choices: inout Choices) -> String {
        let quote: Unicode.Scalar = choices.isChosen() ? "'" : "\""
        let parts = text.unicodeScalars.map { scalar in
            MarkupTree.escaped(scalar, scalar == quote || scalar == "<" || scalar == "&", &choices)
        }
        return "\(quote)" + parts.joined() + "\(quote)"
    }

    private static func xmlText(_ text: String, _ choices: inout Choices) -> String {
        if choices.isChosen(oneIn: 4), !text.contains("]]>") { return "<![CDATA[\(text)]]>" }
        return text.unicodeScalars.map { scalar in
            let comment = choices.isChosen(oneIn: 8) ? "<!-- c -->" : ""
            return comment + escaped(scalar, scalar == "<" || scalar == "&" || scalar == ">", &choices)
        }.joined()
    }

    private static func escaped(_ scalar: Unicode.Scalar, _ mustEscape: Bool, _ choices: inout Choices) -> String {
        let known: [Unicode.Scalar: String] = ["<": "&lt;", ">": "&gt;", "&": "&amp;", "\"": "&quot;", "'": "&apos;"]
        switch choices.pick(4) {
        case 0 where !mustEscape: return String(scalar)
        case 1: return "&#\(scalar.value);"
        case 2: return "&#x" + String(scalar.value, radix: 16, uppercase: choices.isChosen()) + ";"
        default: return known[scalar] ?? String(scalar)
        }
    }

    // MARK: - HTML

    static let htmlNames = ["div", "section", "span", "b", "article", "custom-tag"]
    static let htmlAttributes = ["id", "class", "disabled", "data-x", "href", "title"]
    private static let blocks: Set = ["div", "section", "article"]

    func html(_ choices: inout Choices) -> String {
        let order = choices.shuffled(attributes)
        let written = order.enumerated().map { place, attribute in
            let name = choices.isChosen() ? attribute.name.uppercased() : attribute.name
            if attribute.value.isEmpty {
                // A value may be left out before the tag's end.
                let last = place == order.count - 1 ? [name + "="] : []
                let empty = [name, name + "=\"\"", name + " = ''"] + last
                return choices.pick(from: attribute.name == "disabled" ? empty + [name + "=disabled"] : empty)
            }
            if attribute.name == "class", attribute.value == "b c" {
                return name + choices.pick(from: ["='b c'", "=' c  b'"])
            }
            return name + "=" + (attribute.value == "1" && choices.isChosen() ? "1" : quoted(attribute.value, &choices))
        }
        let tag = choices.isChosen() ? name.uppercased() : name
        let start = "<" + tag + written.map { choices.pick(from: [" ", "\n", " / "]) + $0 }.joined()
        let isBlock = { (tree: MarkupTree) in MarkupTree.blocks.contains(tree.name) }
        let inner = content(&choices, isSpaced: isBlock, { $0.html(&$1) }) { text, choices in
            text.unicodeScalars.map { MarkupTree.escaped($0, $0 == "<" || $0 == "&", &choices) }.joined()
        }
        return start + choices.pick(from: [">", "\n>"]) + inner + "</" + tag + choices.pick(from: [">", " >"])
    }
}
