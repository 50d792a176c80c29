internal import HTTPWire

/// Names of endpoints for counters, gates and reports: `GET /api/v1/orders/{id}`.
///
/// Requests for two orders belong to one endpoint. A route without `/**` names it already; below a `/**` the contract's
/// paths of that extraction do, most specific first; where the contract is silent, segments that look like identifiers
/// are replaced. The last is a guess over what clients send, so the caller has to bound how many names it keeps.
package struct EndpointTemplates: Sendable {
    private struct Contract: Sendable {
        let table: RouteTable
        let texts: [String]
    }

    private let routes: [Route]
    private let contracts: [Contract?]

    /// - Parameter known: the path templates of each extraction's contract, by the index that `Route.extraction` holds.
    ///   A template that is no `RoutePattern` (`/files/{name}.pdf`) is left out, as is a second of the same shape.
    package init(routes: [Route], known: [[String]]) {
        self.routes = routes
        self.contracts = known.map(Self.contract)
    }

    private static func contract(_ templates: [String]) -> Contract? {
        var routes: [Route] = []
        var texts: [String] = []
        var shapes: Set<[RoutePattern.Segment]> = []
        for template in templates {
            guard let pattern = try? RoutePattern(parsing: template), !pattern.matchesRest else { continue }
            let shape = pattern.segments.map { segment in
                if case .parameter = segment { RoutePattern.Segment.parameter("") } else { segment.folded }
            }
            guard shapes.insert(shape).inserted else { continue }
            let location = SourceLocation(file: "", line: 0, column: 0)
            routes.append(Route(pattern: pattern, extraction: 0, location: location))
            texts.append(template)
        }
        guard !routes.isEmpty, let table = try? RouteTable(routes) else { return nil }
        return Contract(table: table, texts: texts)
    }

    /// The name of the endpoint that a request belongs to.
    ///
    /// - Parameters:
    ///   - route: what `RouteTable.match` gave; -1 for a request that no route takes.
    ///   - path: normalised, without the query.
    package func endpoint(route: Int, method: String, path: String) -> String {
        "\(method) \(template(route: route, path: path))"
    }

    /// Which of the contract's templates a path below `/**` belongs to; -1 for none. Of raw bytes and without making a
    /// name, for those who only count.
    package func known(route: Int, path: UnsafeRawBufferPointer) -> Int {
        guard let table = table(of: route) else { return -1 }
        let noHost = UnsafeRawBufferPointer(start: nil, count: 0)
        return table.match(method: .get, methodToken: noHost, path: path, host: noHost)
    }

    /// Equal for paths of one guessed name, and else different, while the process lives: for those who only count and
    /// make the name of one of them later. nil for a route without `/**`: there nothing is guessed.
    package func shape(route: Int, path: UnsafeRawBufferPointer) -> Int? {
        guard routes.indices.contains(route), routes[route].pattern.matchesRest else { return nil }
        // Seeded anew in each process, so that no client can make two names meet.
        var hasher = Hasher()
        hasher.combine(route)
        var fixed = routes[route].pattern.segments.count
        var start = 0
        for end in 0...path.count where end == path.count || path[end] == UInt8(ascii: "/") {
            defer { start = end + 1 }
            guard start < end else { continue }
            guard fixed == 0 else {
                fixed -= 1
                continue
            }
            let word = path[start..<end].prefix { $0 != UInt8(ascii: ";") }
            if Self.looksLikeIdentifier(word: word) {
                hasher.combine(-1)
            } else if !word.isEmpty {
                hasher.combine(word.count)
                hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: word))
            }
        }
        return hasher.finalize()
    }

    /// The name, without the method, of what `known` found; the route's own where it found nothing.
    package func name(route: Int, template: Int) -> String {
        guard routes.indices.contains(route) else { return "(none)" }
        guard let texts = contract(of: route)?.texts, texts.indices.contains(template) else {
            return routes[route].pattern.text
        }
        return texts[template]
    }

    /// The frozen templates below a route's `/**`; nil where there are none, or the route takes one path only.
    func table(of route: Int) -> RouteTable? {
        guard routes.indices.contains(route), routes[route].pattern.matchesRest else { return nil }
        return contract(of: route)?.table
    }

    func count(of route: Int) -> Int { contract(of: route)?.texts.count ?? 0 }

    private func contract(of route: Int) -> Contract? {
        let extraction = routes[route].extraction
        return contracts.indices.contains(extraction) ? contracts[extraction] : nil
    }

    /// The name without the method.
    package func template(route: Int, path: String) -> String {
        if let written = written(route: route, path: path) { return written }
        guard routes.indices.contains(route) else { return Self.guess(path, keeping: []) }
        let fixed = routes[route].pattern.text.split(separator: "/").dropLast().map(String.init)
        return Self.guess(path, keeping: fixed)
    }

    /// Whether the name comes of a file, so that there are only so many of them, and not of what a client has sent.
    package func isWritten(route: Int, path: String) -> Bool { written(route: route, path: path) != nil }

    /// The template of the route itself or of the contract.
    private func written(route: Int, path: String) -> String? {
        guard routes.indices.contains(route) else { return nil }
        let pattern = routes[route].pattern
        guard pattern.matchesRest else { return pattern.text }
        let template = Array(path.utf8).withUnsafeBytes { known(route: route, path: $0) }
        return template >= 0 ? name(route: route, template: template) : nil
    }

    /// Puts the route's own segments in front, and templates the others.
    private static func guess(_ path: String, keeping fixed: [String]) -> String {
        let rest = path.split(separator: "/").dropFirst(fixed.count).map { segment in
            looksLikeIdentifier(segment) ? "{id}" : String(segment.prefix { $0 != ";" })
        }
        return "/" + (fixed + rest.filter { !$0.isEmpty }).joined(separator: "/")
    }
}

extension EndpointTemplates {
    /// Longer than any word that a path is made of.
    private static let longestWord = 24
    private static let shortestHex = 16

    /// Whether a segment is more likely one thing's name than part of an interface: a number, UUID, date, hash, `ord_9a1`,
    /// or anything long or escaped. A digit decides it in all but versions: `v1`, `v12`.
    static func looksLikeIdentifier(_ segment: Substring) -> Bool {
        looksLikeIdentifier(word: segment.prefix { $0 != ";" }.utf8)
    }

    /// - Parameter bytes: a segment's, without its `;parameters`.
    private static func looksLikeIdentifier(word bytes: some Collection<UInt8>) -> Bool {
        if bytes.count > longestWord { return true }
        if bytes.contains(where: { $0 >= 0x80 || $0 == UInt8(ascii: "%") }) { return true }
        if bytes.contains(where: isDigit) { return !isVersion(bytes) }
        return bytes.count >= shortestHex && bytes.allSatisfy { PercentEncoding.hexValue($0) != nil }
    }

    private static func isVersion(_ bytes: some Collection<UInt8>) -> Bool {
        let digits = bytes.dropFirst()
        return bytes.first == UInt8(ascii: "v") && (1...2).contains(digits.count) && digits.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
