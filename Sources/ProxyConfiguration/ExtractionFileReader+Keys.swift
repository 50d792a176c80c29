import Extraction
import Routing
import Yams

/// What decides a request's side: the key that keeps a user on one, and the header that chooses one.
extension ExtractionFileReader {
    /// - Parameter routes: the extraction's own; a parameter of the path has to be in one of them.
    func affinity(_ node: Node, _ routes: [Route]) -> Affinity? {
        let expected = "expected {cookie: NAME}, {header: NAME}, {path: PARAMETER} or client-address"
        if node.scalar != nil {
            return source.value(node, "affinity", Values.oneOf([("client-address", Affinity.clientAddress)]))
        }
        let keys = ["cookie", "header", "path"]
        guard let fields = FieldReader(node, of: "`affinity`", keys: keys, source) else { return nil }
        guard keys.count(where: { fields[$0] != nil }) == 1 else {
            source.report("`affinity` names no single key", fix: expected, at: node)
            return nil
        }
        if fields["cookie"] != nil { return fields.value("cookie", Values.token).map { .cookie($0) } }
        if fields["header"] != nil { return fields.value("header", Values.token).map { .header($0) } }
        return parameter(fields, routes, of: "affinity").map { .pathParameter($0) }
    }

    /// - Parameter key: that names a parameter of the path by `path`.
    func parameter(_ fields: FieldReader, _ routes: [Route], of key: String) -> String? {
        guard let node = fields["path"], let name = fields.value("path", Values.text) else { return nil }
        // Errors of `match` are reported there, and without routes nothing can be said of their parameters.
        if routes.isEmpty || routes.contains(where: { $0.pattern.segment(of: name) != nil }) { return name }
        var known: [String] = []
        for case .parameter(let one) in routes.flatMap(\.pattern.segments) where !known.contains(one) {
            known.append(one)
        }
        let path = routes.first?.pattern.text.replacing("/**", with: "") ?? ""
        source.report(
            "`\(key)`: no path of `match` has the parameter {\(name)}",
            fix: known.isEmpty
                ? "add a route such as {path: \"\(path)/{\(name)}/**\"}" : Suggestion.fix(for: name, known: known),
            at: node)
        return nil
    }

    /// `{header: Strangler-Side, from: [10.0.0.0/8]}`.
    func pin(_ cutover: FieldReader) -> Pin? {
        guard let fields = cutover.fields("pin", keys: ["header", "from"]) else { return nil }
        let header = fields.required("header", example: "header: Strangler-Side").flatMap {
            source.value($0, "header", Values.token)
        }
        guard let node = fields.required("from", example: "from: [10.0.0.0/8]"),
            let entries = source.list(node, "from", of: "networks such as 10.0.0.0/8")
        else { return nil }
        if entries.isEmpty {
            source.report("`from` is empty", fix: "name a network, or remove `pin`", at: node)
        }
        let networks = source.values(entries, "from", Values.network)
        guard let header, !networks.isEmpty else { return nil }
        return Pin(header: header, from: networks)
    }
}
