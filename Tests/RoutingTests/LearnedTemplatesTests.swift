import TestSupport
import Testing

@testable import Routing

@Suite struct LearnedTemplatesTests {
    private func learned(_ paths: [String], limits: LearnedTemplates.Limits = .init()) -> LearnedTemplates {
        var templates = LearnedTemplates(limits: limits)
        for path in paths { _ = templates.endpoint(method: "GET", path: path, status: 200) }
        return templates
    }

    @Test func identifiersAreOneEndpointFromTheFirst() {
        var templates = LearnedTemplates()
        let named = ["/orders/1", "/orders/ord_9a1", "/orders/2/items/77", "/orders", "/"].map {
            templates.endpoint(method: "GET", path: $0, status: 200)
        }
        #expect(
            named == ["GET /orders/{id}", "GET /orders/{id}", "GET /orders/{id}/items/{id}", "GET /orders", "GET /"])
        #expect(templates.endpoint(method: "PURGE", path: "/orders/3", status: 200) == "other /orders/{id}")
    }

    @Test func tooManyWordsBecomeValues() {
        let slugs = (0..<26).map { "/articles/\(word($0))/comments" }
        var templates = learned(Array(slugs.prefix(20)))
        #expect(templates.endpoint(method: "GET", path: slugs[0], status: 200) == "GET /articles/aa/comments")
        #expect(templates.endpointCount == 20)
        for slug in slugs { _ = templates.endpoint(method: "GET", path: slug, status: 200) }
        #expect(templates.endpoint(method: "GET", path: slugs[0], status: 200) == "GET /articles/{name}/comments")
        #expect(templates.endpointCount == 1)
        #expect(templates.current("GET /articles/aa/comments") == "GET /articles/{name}/comments")
        #expect(templates.current("GET /never/seen") == "GET /never/seen")
    }

    @Test func identifiersAndWordsOfOnePositionShareItsName() {
        let templates = learned(["/users/42"] + (0..<21).map { "/users/\(word($0))" })
        #expect(templates.current("GET /users/{id}") == "GET /users/{name}")
        #expect(templates.endpointCount == 1)
    }

    @Test func aBusyWordKeepsItsPlace() {
        let templates = learned(Array(repeating: "/users/me", count: 200) + (0..<40).map { "/users/\(word($0))" })
        #expect(templates.current("GET /users/me") == "GET /users/me")
        #expect(templates.current("GET /users/aa") == "GET /users/{name}")
    }

    @Test("Where resources are named more words fit, and none that came first is lost")
    func resources() {
        let paths = (0..<90).map { "/api/v1/\(word($0))" }
        var templates = learned(paths)
        #expect(templates.current("GET \(paths[59])") == "GET \(paths[59])")
        #expect(templates.endpoint(method: "GET", path: paths[89], status: 200) == "GET /api/v1/{name}")
    }

    @Test func aScannerLearnsNothing() {
        var templates = learned(["/orders/1"])
        let before = templates.nodeCount
        for number in 0..<5_000 {
            let name = templates.endpoint(method: "GET", path: "/\(word(number))/.env", status: 404)
            #expect(name == "GET (not-found)")
        }
        #expect(templates.nodeCount == before)
        #expect(templates.endpoint(method: "GET", path: "/orders/999", status: 404) == "GET /orders/{id}")
        #expect(templates.endpoint(method: "DELETE", path: "/orders/1", status: 405) == "DELETE (not-found)")
    }

    @Test func noAnswerTeachesNothingAndIsCountedForTheResource() {
        var templates = learned(["/api/v1/orders/1"])
        #expect(templates.endpoint(method: "GET", path: "/api/v1/orders/1/x", status: 0) == "GET /api/v1/orders/**")
        #expect(templates.endpoint(method: "GET", path: "/who/knows", status: 0) == "GET /**")
        #expect(templates.endpoint(method: "GET", path: "/api/v1/orders/2", status: 0) == "GET /api/v1/orders/{id}")
    }

    @Test func deepPathsEndInARest() {
        var templates = LearnedTemplates(limits: .init(depth: 3))
        #expect(templates.endpoint(method: "GET", path: "/a/b/c", status: 200) == "GET /a/b/c")
        #expect(templates.endpoint(method: "GET", path: "/a/b/c/d/e", status: 200) == "GET /a/b/c/**")
        let endless = String(repeating: "/x", count: 100_000)
        #expect(templates.endpoint(method: "GET", path: endless, status: 200) == "GET /x/x/x/**")
    }

    @Test(
        "What a client writes is never taken for a template", arguments: ["{name}", "**", "{id}", "(not-found)", "a b"])
    func forged(segment: String) {
        var templates = LearnedTemplates()
        #expect(templates.endpoint(method: "GET", path: "/users/\(segment)", status: 200) == "GET /users/{id}")
        #expect(templates.endpoint(method: "GET", path: "/users/alice", status: 200) == "GET /users/alice")
    }

    @Test func namesStayTheSameOverARestart() {
        var counts: [String: Int] = [:]
        var templates = LearnedTemplates()
        let paths = (0..<60).flatMap {
            ["/users/\(word($0))", "/shop/\($0)/reviews", "/users/me", "/users/me", "/health"]
        }
        for path in paths { counts[templates.endpoint(method: "GET", path: path, status: 200), default: 0] += 1 }
        var restarted = LearnedTemplates()
        restarted.learn(counts)
        for path in paths + ["/users/zoe"] {
            let name = templates.endpoint(method: "GET", path: path, status: 200)
            #expect(restarted.endpoint(method: "GET", path: path, status: 200) == name)
        }
        // Of another replica, while this one goes on.
        var other = learned(["/users/alice"])
        other.learn(counts)
        #expect(other.endpoint(method: "GET", path: "/users/bob", status: 200) == "GET /users/{name}")
    }

    @Test("Whatever clients send, it is bounded, deterministic, and names only ever become wider", arguments: 0..<8)
    func hostile(seed: Int) {
        var chance = SeededGenerator(seed: UInt64(seed))
        let limits = LearnedTemplates.Limits(words: 5, resources: 8, depth: 4, nodes: 300, endpoints: 40)
        var templates = LearnedTemplates(limits: limits)
        var twin = templates
        var names: Set<String> = []
        var said: [String: String] = [:]
        for _ in 0..<6_000 {
            let path = randomPath(&chance)
            let method = ["GET", "POST", "BREW", ""].randomElement(using: &chance) ?? "GET"
            let status = [200, 200, 200, 404, 500, 0].randomElement(using: &chance) ?? 200
            let weight = Int.random(in: -1...Int.max / 2, using: &chance)
            let name = templates.endpoint(method: method, path: path, status: status, weight: weight)
            #expect(twin.endpoint(method: method, path: path, status: status, weight: weight) == name)
            names.insert(name)
            if status == 200, !name.hasSuffix("**") { said[name] = path }
        }
        #expect(templates.endpointCount <= 3 * limits.endpoints)
        // A collapsed position may need a node of its own for its values.
        #expect(templates.nodeCount <= 2 * limits.nodes)
        #expect(names.allSatisfy { $0.utf8.count < 8 + 25 * 5 })
        for (name, path) in said {
            // The name of then, brought up to date, is the name of now.
            let method = String(name.prefix { $0 != " " })
            let now = templates.endpoint(method: method == "other" ? "BREW" : method, path: path, status: 404)
            #expect(templates.current(name) == now, "\(path)")
            #expect(templates.current(now) == now)
            #expect(isWider(now, name), "\(now) \(name)")
        }
    }

    private func isWider(_ name: String, _ before: String) -> Bool {
        let (name, before) = (name.split(separator: "/"), before.split(separator: "/"))
        return name.count == before.count && zip(name, before).allSatisfy { $0 == $1 || $0 == "{name}" }
    }

    private func randomPath(_ chance: inout SeededGenerator) -> String {
        let count = Int.random(in: 0...6, using: &chance)
        let segments = (0..<count).map { _ -> String in
            switch Int.random(in: 0..<10, using: &chance) {
            case 0: return "\(Int.random(in: 0..<1_000, using: &chance))"
            case 1: return "api"
            case 2: return "v1"
            case 3: return String(repeating: "long", count: Int.random(in: 1...40, using: &chance))
            case 4:
                return String(
                    decoding: (0..<5).map { _ in UInt8.random(in: 0x21...0xFF, using: &chance) }, as: UTF8.self)
            default: return word(Int.random(in: 0..<30, using: &chance))
            }
        }
        return "/" + segments.joined(separator: "/")
    }

    /// Without digits, as those make an identifier.
    private func word(_ number: Int) -> String {
        var (rest, text) = (number, "")
        repeat {
            text.append(Character(Unicode.Scalar(UInt8(97 + rest % 26))))
            rest /= 26
        } while rest > 0
        return text.count == 1 ? "a" + text : text + "z"
    }
}

@Suite struct ResourcePrefixTests {
    @Test(arguments: [
        ("/api/v1/orders/{id}/items", "/api/v1/orders"), ("/orders", "/orders"), ("/", "/"), ("/{id}", "/"),
        ("/api/v2/{name}", "/api/v2"), ("/rest/V3/users/**", "/rest/V3/users"), ("/**", "/"), ("/v1", "/v1"),
        ("/vat/x", "/vat"),
    ])
    func prefix(path: String, expected: String) {
        #expect(ResourcePrefix.of(path) == expected)
    }
}
