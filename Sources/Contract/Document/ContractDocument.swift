/// What an OpenAPI 3.0 or 3.1 document promises: operations with their parameters, bodies and answers, every local
/// reference resolved. Immutable, and a value: it is looked at from worker threads.
///
/// Not kept: descriptions, examples, callbacks, links, webhooks. Schemas are kept in one flat array, so that
/// recursive ones need no special care in memory.
package struct ContractDocument: Sendable {
    /// `info.title`; empty if it has none.
    package let title: String
    /// `info.version` as it was written.
    package let version: String
    /// The paths of the servers' URLs without a trailing slash, `""` if there are none; at least one.
    package let basePaths: [String]
    /// The templates of `paths` in the order of the file, also those without operations; without a base path.
    package let paths: [String]
    package let operations: [ContractOperation]
    /// Keywords and references that are not looked at, each with its first place: conformance is judged without them.
    package let ignored: [ContractRemark]
    let schemas: [ContractSchema]
    let securitySchemes: [String: String]
    /// Of all that the file says but its version.
    let digest: String
    /// 16 hexadecimal digits: another one when the file says something else, be it in its texts only.
    package let fingerprint: String
    private let index: OperationIndex

    init(
        title: String, version: String, basePaths: [String], paths: [String], operations: [ContractOperation],
        ignored: [ContractRemark], schemas: [ContractSchema], securitySchemes: [String: String], digest: String
    ) {
        self.title = title
        self.version = version
        self.basePaths = basePaths
        self.paths = paths
        self.operations = operations
        self.ignored = ignored
        self.schemas = schemas
        self.securitySchemes = securitySchemes
        self.digest = digest
        fingerprint = ContractDigest.fingerprint(digest + "\n" + version)
        index = OperationIndex(operations, basePaths: basePaths)
    }

    /// Every path with every base path in front (OpenAPI 3.1 §4.8.8), in the order of the document.
    package var templates: [String] { paths.flatMap { path in basePaths.map { $0 + path } } }

    /// `GET /api/v1/orders/{id}`: an operation's name with the base path that a request for it came under.
    package func endpoint(of operation: ContractOperation, path: String) -> String {
        let base = basePaths.filter { path.hasPrefix($0) }.max { $0.utf8.count < $1.utf8.count } ?? ""
        return operation.method + " " + base + operation.path
    }

    /// Every operation as ``endpoint(of:path:)`` names it, in the order of the document.
    package var endpoints: [String] {
        operations.flatMap { operation in basePaths.map { operation.method + " " + $0 + operation.path } }
    }

    /// What the contract says about a request; of `HEAD`, what it says about `GET` if it does not speak of it.
    ///
    /// - Parameter path: of a request, or a template; without the query.
    package func operation(method: String, path: String) -> ContractOperation? {
        (index.find(method, path) ?? (method == "HEAD" ? index.find("GET", path) : nil)).map { operations[$0] }
    }
}

/// One method of one path.
package struct ContractOperation: Sendable {
    /// In upper case.
    package let method: String
    /// As the contract writes it, without a base path.
    package let path: String
    package let place: ContractPlace
    let parameters: [ContractParameter]
    let requestBody: ContractBody?
    /// By status, `4XX` ranges in upper case, `default`.
    let responses: [ContractResponse]
    /// Alternatives, each a set of schemes that are all needed (`scheme` or `scheme:scope`); empty: anybody may ask.
    let security: [Set<String>]

    /// `GET /orders/{id}`
    package var name: String { method + " " + path }

    /// The answer described for a status: itself, else its range, else `default` (OpenAPI 3.1 §4.8.16).
    func response(_ status: String) -> ContractResponse? {
        responses.first { $0.status == status }
            ?? responses.first { $0.status == (status.first.map(String.init) ?? "") + "XX" }
            ?? responses.first { $0.status == "default" }
    }
}

struct ContractParameter: Sendable {
    enum Location: String, Sendable {
        case path, query, header, cookie
    }

    let location: Location
    let name: String
    let isRequired: Bool
    let schema: SchemaID
    /// How values are written: `style`, `explode`, `allowReserved`, or the media type of `content`.
    let writing: String
}

struct ContractBody: Sendable {
    let isRequired: Bool
    let content: [ContractMedia]
}

struct ContractMedia: Sendable {
    /// In lower case and without parameters: `application/json`, `text/*`.
    let type: String
    /// `nil`: the type is all that is said.
    let schema: SchemaID?
}

struct ContractResponse: Sendable {
    let status: String
    let headers: [ContractHeader]
    let content: [ContractMedia]
}

struct ContractHeader: Sendable {
    let name: String
    let isRequired: Bool
    let schema: SchemaID
}

/// Finds operations by path. Literal segments go before parameters, from the left, as routes do.
private struct OperationIndex: Sendable {
    private var nodes: [Node] = [Node()]

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        /// `{id}` and `{name}.pdf`, the latter with what stands around its parameter.
        var templates: [(prefix: String, suffix: String, node: Int)] = []
        var children: [PathTemplate.Segment: Int] = [:]
        var operations: [String: Int] = [:]
    }

    init(_ operations: [ContractOperation], basePaths: [String]) {
        for (number, operation) in operations.enumerated() {
            for base in basePaths {
                var node = 0
                for segment in PathTemplate(base + operation.path).segments { node = child(of: node, segment) }
                if nodes[node].operations[operation.method] == nil { nodes[node].operations[operation.method] = number }
            }
        }
        // What says more about a segment is tried first.
        for node in nodes.indices {
            nodes[node].templates.sort {
                $0.prefix.utf8.count + $0.suffix.utf8.count > $1.prefix.utf8.count + $1.suffix.utf8.count
            }
        }
    }

    private mutating func child(of node: Int, _ segment: PathTemplate.Segment) -> Int {
        if let child = nodes[node].children[segment] { return child }
        let child = nodes.count
        nodes.append(Node())
        nodes[node].children[segment] = child
        switch segment {
        case .literal(let text): nodes[node].literals[text] = child
        case .template(let prefix, let suffix): nodes[node].templates.append((prefix, suffix, child))
        }
        return child
    }

    func find(_ method: String, _ path: String) -> Int? {
        let segments = path.split(separator: "/").map(String.init)
        guard segments.count <= PathTemplate.maximumSegments else { return nil }
        return find(method, segments[...], node: 0)
    }

    private func find(_ method: String, _ rest: ArraySlice<String>, node: Int) -> Int? {
        guard let segment = rest.first else { return nodes[node].operations[method] }
        let next = rest.dropFirst()
        if let child = nodes[node].literals[segment], let found = find(method, next, node: child) { return found }
        for template in nodes[node].templates
        where segment.utf8.count > template.prefix.utf8.count + template.suffix.utf8.count
            && segment.hasPrefix(template.prefix) && segment.hasSuffix(template.suffix)
        {
            if let found = find(method, next, node: template.node) { return found }
        }
        return nil
    }
}
