package import Contract
import Routing
import Yams

/// Reads an OpenAPI 3 document from its file: YAML, or JSON, which is YAML too. What it means is `Contract`'s matter.
enum ContractReader {
    /// Nil after an error.
    static func document(of file: ConfigurationFile, _ diagnostics: Diagnostics) -> ContractDocument? {
        let before = diagnostics.errors.count
        guard let root = YAMLFile.root(of: file, diagnostics) else { return nil }
        let source = ValueReader(file: file.name, diagnostics: diagnostics)
        guard let node = node(root, depth: 0, source) else { return nil }
        do throws(ContractProblems) {
            let document = try ContractDocument(node)
            return diagnostics.errors.count == before ? document : nil
        } catch {
            for problem in error.problems {
                diagnostics.report(
                    problem.message, fix: problem.fix,
                    at: SourceLocation(file: file.name, line: problem.place.line, column: problem.place.column))
            }
            return nil
        }
    }

    /// - Returns: nil, with an error, where values are nested too deep.
    private static func node(_ node: Node, depth: Int, _ source: ValueReader) -> ContractNode? {
        guard depth < ContractNode.maximumDepth else {
            source.report(
                "values are nested more than \(ContractNode.maximumDepth) deep",
                fix: "name inner schemas under `components` and refer to them", at: node)
            return nil
        }
        let place = ContractPlace(line: node.place.line, column: node.place.column)
        switch node {
        case .scalar(let scalar): return ContractNode(value(of: scalar, node), at: place)
        case .alias: return ContractNode(.null, at: place)  // Refused before.
        case .sequence(let sequence):
            var list: [ContractNode] = []
            for element in sequence {
                guard let next = Self.node(element, depth: depth + 1, source) else { return nil }
                list.append(next)
            }
            return ContractNode(.list(list), at: place)
        case .mapping(let mapping):
            var members: [ContractMap.Member] = []
            for (key, value) in mapping {
                guard let name = key.scalar?.string else {
                    source.report("a key is \(key.kindName)", fix: "expected a name", at: key)
                    return nil
                }
                if YAMLFile.isOverwritten(name) { continue }
                guard let next = Self.node(value, depth: depth + 1, source) else { return nil }
                let place = ContractPlace(line: key.place.line, column: key.place.column)
                members.append(ContractMap.Member(name: name, place: place, value: next))
            }
            return ContractNode(.map(ContractMap(members)), at: place)
        }
    }

    /// What a scalar without quotes is, by YAML 1.2's JSON schema (§10.2): `yes` and `0x1F` are texts.
    private static func value(of scalar: Node.Scalar, _ node: Node) -> ContractNode.Value {
        guard scalar.style == .plain || scalar.style == .any else { return .text(scalar.string) }
        if node.isNull { return .null }
        switch scalar.string {
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: return isNumber(scalar.string) ? .number(scalar.string) : .text(scalar.string)
        }
    }

    /// Whether JSON would read it as a number.
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func digits() -> Int {
            let count = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !(startsWithZero && whole > 1) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}

extension ContractDocument {
    /// Reads a contract by itself, without the rest of a configuration.
    ///
    /// - Throws: everything that is wrong in the file.
    package static func parse(_ file: ConfigurationFile) throws(ConfigurationErrors) -> ContractDocument {
        let diagnostics = Diagnostics()
        let document = ContractReader.document(of: file, diagnostics)
        guard diagnostics.errors.isEmpty, let document else { throw ConfigurationErrors(errors: diagnostics.errors) }
        return document
    }
}
