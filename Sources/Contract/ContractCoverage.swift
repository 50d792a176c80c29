/// One line of a route file, as far as a contract has to cover it.
package struct CoveredRoute: Sendable {
    /// `/api/v1/orders/**`
    package let pattern: String
    /// In upper case; empty for any.
    package let methods: [String]
    /// Empty for any.
    package let hosts: [String]

    package init(pattern: String, methods: [String] = [], hosts: [String] = []) {
        self.pattern = pattern
        self.methods = methods
        self.hosts = hosts
    }
}

/// An endpoint that was asked for and that the contract does not list.
package struct UnlistedEndpoint: Sendable, Hashable {
    /// `GET /api/v1/orders/export`
    package let endpoint: String
    package let requests: Int

    package var sentence: String {
        "the contract does not list \(endpoint), asked for \(requests) time\(requests == 1 ? "" : "s")"
    }
}

extension ContractDocument {
    /// What the routes take and the contract says nothing about, a sentence each.
    ///
    /// A route without `/**` is covered by a path that stands for all that it stands for. Below a `/**` nobody can say
    /// what paths there are: there each method needs one path at least, and what else is asked for shows in traffic
    /// (``unlisted(among:)``). `GET` brings `HEAD` along. A route for any method needs one operation.
    ///
    /// - Parameter takes: whether a request with this method and path would come to the route of this number: a path of
    ///   the contract that a more specific route takes away covers nothing.
    package func uncovered(
        by routes: [CoveredRoute], takes: (_ route: Int, _ method: String, _ path: String) -> Bool = { _, _, _ in true }
    ) -> [String] {
        let templates = operations.flatMap { operation in
            basePaths.map { (operation: operation, path: $0 + operation.path) }
        }.map { (operation: $0.operation, path: $0.path, template: PathTemplate($0.path)) }
        return routes.enumerated().flatMap { number, route in
            let pattern = PathTemplate(route.pattern)
            let near = templates.filter { $0.template.lies(under: pattern) }
            let covering = near.filter {
                $0.template.covers(pattern) && takes(number, $0.operation.method, $0.path.sample)
            }
            let known = Set(covering.map(\.operation.method))
            let what =
                route.methods.isEmpty
                ? (known.isEmpty ? ["path"] : [])
                : route.methods.filter { !known.contains($0) && !($0 == "HEAD" && known.contains("GET")) }
            guard !what.isEmpty else { return [String]() }
            let host = route.hosts.isEmpty ? "" : " on \(ContractText.list(route.hosts))"
            let sentence =
                "the contract has no \(Self.listed(what)) for the route \(route.pattern)\(host)"
            return [sentence + rest(near.map { ($0.operation.method, $0.path) }, pattern)]
        }
    }

    private static func listed(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// What there is instead: `; it has GET, POST under /api/v1/orders`.
    private func rest(_ near: [(method: String, path: String)], _ pattern: PathTemplate) -> String {
        guard !near.isEmpty else {
            return paths.isEmpty ? "; it has no paths" : "; its paths are \(ContractText.list(templates))"
        }
        var methods: [String] = []
        for operation in near where !methods.contains(operation.method) { methods.append(operation.method) }
        let words = pattern.takesRest ? "under /" + pattern.text : "for \(ContractText.list(near.map(\.path).unique))"
        return "; it has \(methods.sorted().joined(separator: ", ")) \(words)"
    }

    /// Of what was asked for, what the contract does not list; the most frequent first.
    ///
    /// - Parameter observed: endpoints as `GET /api/v1/orders/{id}`.
    package func unlisted(among observed: [(endpoint: String, requests: Int)]) -> [UnlistedEndpoint] {
        observed.filter { seen in
            let parts = seen.endpoint.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0] != "OPTIONS" else { return false }
            return operation(method: String(parts[0]), path: String(parts[1])) == nil
        }
        .map { UnlistedEndpoint(endpoint: $0.endpoint, requests: $0.requests) }
        .sorted { ($1.requests, $0.endpoint) < ($0.requests, $1.endpoint) }
    }
}

extension PathTemplate {
    /// As a route's pattern without its `**`, for sentences.
    fileprivate var text: String {
        var names = parameters[...]
        return segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .template(let prefix, let suffix): prefix + "{\(names.popFirst() ?? "")}" + suffix
            }
        }.joined(separator: "/")
    }

    /// Whether there may be a request that both take.
    fileprivate func lies(under route: PathTemplate) -> Bool {
        guard route.takesRest ? segments.count >= route.segments.count : segments.count == route.segments.count else {
            return false
        }
        return zip(segments, route.segments).allSatisfy { $0.meets($1) }
    }

    /// Whether the contract's path stands for all that a route stands for; of a route with `/**` only for a part of it.
    fileprivate func covers(_ route: PathTemplate) -> Bool {
        lies(under: route)
            && (route.takesRest || zip(segments, route.segments).allSatisfy { $0.covers($1) || $0.meetsLiteral($1) })
    }
}

extension PathTemplate.Segment {
    fileprivate func meetsLiteral(_ other: PathTemplate.Segment) -> Bool {
        if case .literal = other { return meets(other) }
        return false
    }
}

extension String {
    /// A path that this template stands for.
    fileprivate var sample: String {
        "/"
            + split(separator: "/").map { part in
                guard let open = part.firstIndex(of: "{"), let close = part.lastIndex(of: "}"), open < close else {
                    return String(part)
                }
                return part[..<open] + "x" + part[part.index(after: close)...]
            }.joined(separator: "/")
    }
}

extension [String] {
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
