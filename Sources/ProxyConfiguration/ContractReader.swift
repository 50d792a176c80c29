import Routing
import Yams

/// Reads the paths of an OpenAPI 3 document: names for endpoints. Whether answers conform is another module's matter.
enum ContractReader {
    /// A document rarely lists more than a few servers; each multiplies the paths.
    private static let maximumServers = 16

    /// The path templates with the servers' base paths in front (OpenAPI 3.1 §4.8.8: paths are appended to the server's
    /// URL), in the order of the document; empty after an error.
    static func paths(of file: ConfigurationFile, _ diagnostics: Diagnostics) -> [String] {
        let source = ValueReader(file: file.name, diagnostics: diagnostics)
        guard let root = YAMLFile.root(of: file, diagnostics) else { return [] }
        guard case .mapping(let document) = root else {
            source.report("the contract is \(root.kindName)", fix: "expected an OpenAPI 3 document", at: root)
            return []
        }
        guard let version = document["openapi"]?.scalar?.string, version.hasPrefix("3.") else {
            source.report(
                "the contract is no OpenAPI 3 document", fix: "expected `openapi: 3.0.3` or later at the top", at: root)
            return []
        }
        guard case .mapping(let paths)? = document["paths"] else {
            source.report("the contract has no `paths`", fix: "add `paths:` with at least one path", at: root)
            return []
        }
        let bases = basePaths(document["servers"])
        return paths.flatMap { key, _ in
            let path = key.scalar?.string ?? ""
            guard path.hasPrefix("/") else {  // `x-…` extensions are allowed here.
                if !path.hasPrefix("x-") { source.report("`\(path)` is no path", fix: "expected `/…`", at: key) }
                return [String]()
            }
            return bases.map { $0 + path }
        }
    }

    private static func basePaths(_ servers: Node?) -> [String] {
        guard case .sequence(let servers)? = servers, !servers.isEmpty else { return [""] }
        var bases: [String] = []
        for server in servers.prefix(maximumServers) {
            guard case .mapping(let server) = server, let url = server["url"]?.scalar?.string else { continue }
            var path = url[...]
            if let scheme = url.firstRange(of: "://") {
                path = url[scheme.upperBound...].drop { $0 != "/" }
            }
            while path.last == "/" { path.removeLast() }
            if path.isEmpty || path.first == "/", !bases.contains(String(path)) { bases.append(String(path)) }
        }
        return bases.isEmpty ? [""] : bases
    }
}
