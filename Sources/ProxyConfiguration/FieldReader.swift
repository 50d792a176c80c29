import Routing
import Yams

/// The keys of one mapping, each read into a value with its own error.
struct FieldReader {
    let source: ValueReader
    let location: SourceLocation
    private let fields: [String: Node]
    /// Keys with an empty value: reported already, so not reported as missing too.
    private let empty: Set<String>

    /// Nil, with an error, if the node is no mapping. Reports every key that is not in `keys`.
    init?(_ node: Node, of what: String, keys: [String], _ source: ValueReader) {
        guard case .mapping(let mapping) = node else {
            source.report(
                "\(what) is \(node.kindName)", fix: "expected keys: \(keys.joined(separator: ", "))", at: node)
            return nil
        }
        var fields: [String: Node] = [:]
        var empty: Set<String> = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                source.report("a key of \(what) is \(key.kindName)", fix: "expected a name", at: key)
                continue
            }
            if YAMLFile.isOverwritten(name) { continue }
            guard keys.contains(name) else {
                source.report("unknown key `\(name)` in \(what)", fix: Suggestion.fix(for: name, known: keys), at: key)
                continue
            }
            if value.isNull {
                source.report("`\(name)` has no value", fix: "give it one, or remove the key", at: key)
                empty.insert(name)
            } else {
                fields[name] = value
            }
        }
        self.source = source
        self.location = source.location(of: node)
        self.fields = fields
        self.empty = empty
    }

    subscript(key: String) -> Node? { fields[key] }

    /// The node of a mandatory key; `example` is what to add when it is missing.
    func required(_ key: String, example: String) -> Node? {
        if let node = fields[key] { return node }
        if !empty.contains(key) {
            source.diagnostics.report("`\(key)` is missing", fix: "add `\(example)`", at: location)
        }
        return nil
    }

    /// The only one of `keys` that is there; an error if it is none or several. `example` shows one of them.
    func one(of keys: [String], in what: String, example: String) -> (key: String, node: Node)? {
        let found = keys.compactMap { key in fields[key].map { (key: key, node: $0) } }
        guard let first = found.first, let last = found.last else {
            return keys.contains(where: empty.contains)
                ? nil : required(keys[0], example: example).map { (keys[0], $0) }
        }
        guard first.key == last.key else {
            let names = keys.map { "`\($0)`" }.joined(separator: " and ")
            source.report("\(what) has \(names)", fix: "keep one", at: last.node)
            return nil
        }
        return first
    }

    /// An optional value; nil if the key is missing or, with an error, not readable.
    func value<Value>(_ key: String, _ parse: (String) throws(ValueError) -> Value) -> Value? {
        fields[key].flatMap { source.value($0, key, parse) }
    }

    func fields(_ key: String, keys: [String]) -> FieldReader? {
        fields[key].flatMap { FieldReader($0, of: "`\(key)`", keys: keys, source) }
    }

    func list(_ key: String, of what: String) -> [Node]? {
        fields[key].flatMap { source.list($0, key, of: what) }
    }
}

/// Reads single nodes of one file.
struct ValueReader {
    let file: String
    let diagnostics: Diagnostics

    func location(of node: Node) -> SourceLocation {
        SourceLocation(file: file, line: node.place.line, column: node.place.column)
    }

    func report(_ message: String, fix: String? = nil, at node: Node) {
        diagnostics.report(message, fix: fix, at: location(of: node))
    }

    /// A scalar, parsed; nil with an error if it is none or the parser refuses it.
    func value<Value>(_ node: Node, _ key: String, _ parse: (String) throws(ValueError) -> Value) -> Value? {
        guard let text = node.scalar?.string, !node.isNull else {
            report("`\(key)` is \(node.kindName)", fix: "expected a single value", at: node)
            return nil
        }
        do throws(ValueError) {
            return try parse(text)
        } catch {
            report("`\(key)`: \(error.problem)", fix: error.fix, at: node)
            return nil
        }
    }

    /// The entries of a list; nil with an error if the node is none.
    func list(_ node: Node, _ key: String, of what: String) -> [Node]? {
        guard case .sequence(let sequence) = node else {
            report("`\(key)` is \(node.kindName)", fix: "expected a list of \(what)", at: node)
            return nil
        }
        return Array(sequence)
    }

    /// Every readable entry of a list of scalars; an unreadable one is reported and left out.
    func values<Value>(_ nodes: [Node], _ key: String, _ parse: (String) throws(ValueError) -> Value) -> [Value] {
        nodes.compactMap { value($0, key, parse) }
    }
}

extension Node {
    /// An empty plain scalar, or one of the names of null in YAML 1.1.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// For sentences such as "`methods` is a text".
    var kindName: String {
        switch self {
        case .scalar: isNull ? "empty" : "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
