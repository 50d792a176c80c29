import TestSupport
import Testing

@testable import Routing

/// The rules of `RouteTable` said a second time, plainly and slowly: every route is tried, the best is kept.
private struct ReferenceMatcher {
    let routes: [Route]

    func match(method: String, path: String, host: String) -> Int {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        if segments.last?.isEmpty == true { segments.removeLast() }
        var best: (rank: [Int], index: Int)?
        for (index, route) in routes.enumerated() {
            guard let rank = rank(route, method, segments, host) else { continue }
            if best.map({ $0.rank.lexicographicallyPrecedes(rank) }) ?? true { best = (rank, index) }
        }
        return best?.index ?? -1
    }

    /// Higher is more specific, position by position; nil when the route does not take the request.
    private func rank(_ route: Route, _ method: String, _ segments: [String], _ host: String) -> [Int]? {
        let pattern = route.pattern
        guard pattern.matchesRest ? segments.count >= pattern.segments.count : segments.count == pattern.segments.count
        else { return nil }
        var rank: [Int] = []
        for (wanted, segment) in zip(pattern.segments, segments) {
            switch wanted {
            case .literal(let bytes):
                guard bytes == Array(segment.lowercased().utf8) else { return nil }
                rank.append(3)
            case .parameter:
                guard !segment.isEmpty else { return nil }
                rank.append(2)
            }
        }
        rank.append(pattern.matchesRest ? 0 : 1)
        guard let hostRank = hostRank(route.hosts, host) else { return nil }
        guard
            route.methods.isEmpty || route.methods.contains(method) || method == "HEAD" && route.methods.contains("GET")
        else { return nil }
        return rank + [hostRank, route.methods.isEmpty ? 0 : 1]
    }

    private func hostRank(_ hosts: [String], _ host: String) -> Int? {
        if hosts.isEmpty { return 0 }
        return hosts.compactMap { wanted in
            if wanted == host { return 1_000 }
            return wanted.hasPrefix("*.") && host.hasSuffix(wanted.dropFirst()) ? wanted.count : nil
        }.max()
    }
}

@Suite struct RouteTableReferenceTests {
    private static let hosts = ["a.example", "b.example", "x.b.example", "other"]
    private static let methods = ["GET", "HEAD", "POST", "PURGE", "LOCK"]

    private func randomRoute(line: Int, _ generator: inout SeededGenerator) throws -> Route {
        let depth = Int.random(in: 0...4, using: &generator)
        var text = (0..<depth).map {
            "/" + (["a", "b", "c", "{p\($0)}", "{p\($0)}"].randomElement(using: &generator) ?? "")
        }
        .joined()
        if Bool.random(using: &generator) { text += "/**" }
        let methods = Self.methods.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
        let hosts = ["a.example", "b.example", "*.example", "*.b.example"].filter { _ in
            Int.random(in: 0..<6, using: &generator) == 0
        }
        return try route(text.isEmpty ? "/" : text, methods, hosts: hosts, line: line)
    }

    /// As many random routes as fit beside each other: what clashes with an earlier one is left out.
    private func randomTable(_ generator: inout SeededGenerator) throws -> ([Route], RouteTable) {
        var routes: [Route] = []
        for line in 0..<Int.random(in: 1...40, using: &generator) {
            let candidate = try randomRoute(line: line, &generator)
            if (try? RouteTable(routes + [candidate])) != nil { routes.append(candidate) }
        }
        return (routes, try RouteTable(routes))
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func theTableAgreesWithTheNaiveMatcherOnRandomTablesAndPaths(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (routes, table) = try randomTable(&generator)
        let reference = ReferenceMatcher(routes: routes)
        for _ in 0..<200 {
            let depth = Int.random(in: 0...5, using: &generator)
            let tail = Bool.random(using: &generator) ? "/" : ""
            let body = (0..<depth).map { _ in
                "/" + (["a", "b", "c", "d", "A", "B"].randomElement(using: &generator) ?? "")
            }
            .joined()
            let path = body.isEmpty ? "/" : body + tail
            let method = Self.methods.randomElement(using: &generator) ?? "GET"
            let host = Self.hosts.randomElement(using: &generator) ?? ""
            let expected = reference.match(method: method, path: path, host: host)
            #expect(
                table.match(method: method, path: path, host: host) == expected,
                "seed \(seed): \(method) \(host)\(path) in \(routes.map { "\($0.pattern.text) \($0.methods) \($0.hosts)" })"
            )
        }
    }

    @Test func randomBytesNeverTrapTheTable() throws {
        var generator = SeededGenerator(seed: 7)
        let (_, table) = try randomTable(&generator)
        for _ in 0..<20_000 {
            func text() -> String {
                let alphabet: [UInt8] = [0x2F, 0x2F, 0x61, 0x62, 0x25, 0x3B, 0x2E, 0x3A, 0x5B, 0x5D, 0x00, 0xFF, 0x34]
                let count = Int.random(in: 0...9, using: &generator)
                return String(
                    decoding: (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
            }
            let found = table.match(method: "GET", path: "/" + text(), host: text())
            #expect(found >= -1)
        }
    }
}
