import Testing

@testable import Routing

func route(_ pattern: String, _ methods: [String] = [], hosts: [String] = [], line: Int = 1) throws -> Route {
    Route(
        pattern: try RoutePattern(parsing: pattern), methods: methods, hosts: hosts, extraction: 0,
        location: SourceLocation(file: "Routes/a.yaml", line: line, column: 5))
}

private func table(_ patterns: [String]) throws -> RouteTable { try RouteTable(patterns.map { try route($0) }) }

@Suite struct RouteTableTests {
    @Test func aRestPatternTakesItsRootAndEverythingBelow() throws {
        let table = try table(["/a/**"])
        for path in ["/a", "/a/", "/a/b", "/a/b/c"] { #expect(table.match(method: "GET", path: path) == 0, "\(path)") }
        for path in ["/", "/ab", "/b", "", "a", "*"] {
            #expect(table.match(method: "GET", path: path) == -1, "\(path)")
        }
    }

    @Test func aParameterTakesExactlyOneSegment() throws {
        let table = try table(["/a/{id}/b"])
        #expect(table.match(method: "GET", path: "/a/1/b") == 0)
        #expect(table.match(method: "GET", path: "/a/1/b/") == 0)
        for path in ["/a/1", "/a//b", "/a/1/2/b", "/a/1/c"] { #expect(table.match(method: "GET", path: path) == -1) }
    }

    @Test func wordsOfAPatternAreTakenInAnyCase() throws {
        let table = try table(["/Api/v1/orders/**", "/stra%C3%9Fe"])
        for path in ["/api/v1/orders", "/API/V1/Orders/1", "/aPI/v1/ORDERS;x/1", "/api/%56%31/orders".uppercased()] {
            #expect(table.match(method: "GET", path: path) == 0, "\(path)")
        }
        #expect(table.match(method: "GET", path: "/STRA%C3%9FE") == 1)
        #expect(table.match(method: "GET", path: "/api/v2/orders") == -1)
        #expect(throws: RouteClashes.self) { try RouteTable([route("/a/B"), route("/A/b", line: 2)]) }
    }

    @Test func theRootPatternTakesOnlyTheRoot() throws {
        let table = try table(["/"])
        #expect(table.match(method: "GET", path: "/") == 0)
        #expect(table.match(method: "GET", path: "/a") == -1)
    }

    @Test func literalGoesBeforeParameterBeforeRest() throws {
        let table = try table(["/**", "/a/**", "/a/{id}", "/a/export", "/{x}/export/raw"])
        #expect(table.match(method: "GET", path: "/a/export") == 3)
        #expect(table.match(method: "GET", path: "/a/1") == 2)
        #expect(table.match(method: "GET", path: "/a/1/2") == 1)
        #expect(table.match(method: "GET", path: "/b/export/raw") == 4)
        // From the left: the literal `a` decides, though the other pattern has more literals.
        #expect(table.match(method: "GET", path: "/a/export/raw") == 1)
        #expect(table.match(method: "GET", path: "/zzz") == 0)
    }

    @Test func aLessSpecificRouteTakesTheMethodsThatTheSpecificOneDoesNot() throws {
        let table = try RouteTable([
            route("/a/{id}", ["GET"]), route("/a/**", ["POST"]), route("/**", ["DELETE", "PURGE"]), route("/a/{x}"),
        ])
        #expect(table.match(method: "GET", path: "/a/1") == 0)
        #expect(table.match(method: "HEAD", path: "/a/1") == 0)
        #expect(table.match(method: "POST", path: "/a/1") == 3)
        #expect(table.match(method: "POST", path: "/a/1/2") == 1)
        #expect(table.match(method: "PURGE", path: "/b") == 2)
        #expect(table.match(method: "LOCK", path: "/b") == -1)
        #expect(table.match(method: "get", path: "/a/1") == 3)
    }

    @Test func exactHostGoesBeforeWildcardBeforeAny() throws {
        let table = try RouteTable([
            route("/**"), route("/**", hosts: ["*.example.com"]), route("/**", hosts: ["*.eu.example.com"]),
            route("/**", hosts: ["Shop.example.com", "[::1]"]), route("/only", hosts: ["shop.example.com"]),
        ])
        let rows = [
            ("shop.example.com", 3), ("SHOP.Example.COM:8080", 3), ("shop.example.com.", 3), ("[::1]:80", 3),
            ("x.example.com", 1), ("a.b.example.com", 1), ("x.eu.example.com", 2), ("eu.example.com", 1),
            ("example.com", 0), ("", 0), ("badexample.com", 0), (".example.com", 0),
            (String(repeating: "a.", count: 400), 0),
        ]
        for (host, expected) in rows {
            #expect(table.match(method: "GET", path: "/x", host: host) == expected, "\(host)")
        }
        #expect(table.match(method: "GET", path: "/only", host: "other") == 0)
    }

    @Test func equivalentSpellingsOfALiteralTakeItsRoute() throws {
        let table = try table(["/api:v1/orders/**", "/straße", "/a;b"])
        #expect(table.match(method: "GET", path: "/api%3Av1/orders/1") == 0)
        #expect(table.match(method: "GET", path: "/api:v1;x=1/orders;y/1") == 0)
        #expect(table.match(method: "GET", path: "/api:v1/orders/;session=1") == 0)
        #expect(table.match(method: "GET", path: "/api%3Av1;x/orders") == 0)
        #expect(table.match(method: "GET", path: "/stra%C3%9Fe") == 1)
        #expect(table.match(method: "GET", path: "/a;b") == 2)
        #expect(table.match(method: "GET", path: "/" + String(repeating: "%3A", count: 500)) == -1)
    }

    @Test func allClashesAreReportedWithBothPlaces() throws {
        let routes = [
            try route("/a/{id}", ["GET", "POST"], line: 1), try route("/a/{name}", ["HEAD", "PUT"], line: 2),
            try route("/a/**", line: 3), try route("/a/**", line: 4), try route("/a/**", ["GET"], line: 5),
            try route("/b", hosts: ["x", "y"], line: 6), try route("/b", hosts: ["Y", "z"], line: 7),
            try route("/b", line: 8),
        ]
        let clashes = #expect(throws: RouteClashes.self) { try RouteTable(routes) }
        #expect(
            clashes?.description == """
                Routes/a.yaml:1:5 and Routes/a.yaml:2:5 both take HEAD /a/{name}
                Routes/a.yaml:3:5 and Routes/a.yaml:4:5 both take any method /a/**
                Routes/a.yaml:6:5 and Routes/a.yaml:7:5 both take any method /b on y
                """)
    }

    @Test(
        "A pattern that could never match, or not as meant, is refused with its reason",
        arguments: [
            ("", "starts with `/`"), ("a", "starts with `/`"), ("/a/", "no empty segment"), ("//", "no empty segment"),
            ("/a/*", "only wildcard"), ("/**/a", "only wildcard"), ("/a*b", "only wildcard"),
            ("/{a}.pdf", "no parameter"),
            ("/{}", "no parameter"), ("/{a}/{a}", "twice"), ("/a?b=1", "no query"), ("/a#b", "no query"),
            ("/%61", "normal form is `a`"), ("/%3a", "normal form is `%3A`"), ("/a/../b", "climbs above"),
            ("/a/%2F", "escaped slash"), ("/a/%", "hexadecimal"), (String(repeating: "/a", count: 65), "at most 64"),
        ])
    func badPatterns(pattern: String, part: String) {
        let error = #expect(throws: RoutePatternError.self) { try RoutePattern(parsing: pattern) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "none")")
    }

    @Test func aThousandRoutesCostAboutAsMuchAsOne() throws {
        let one = try table(["/api/v1/orders/{id}/items"])
        let thousand = try table(
            ["/api/v1/orders/{id}/items"] + (0..<999).map { "/api/v1/area\($0)/{id}/items" })
        func cost(_ table: RouteTable) -> Duration {
            var best = Duration.seconds(60)
            for _ in 0..<15 {
                let took = ContinuousClock().measure {
                    for _ in 0..<300 { _ = table.match(method: "GET", path: "/api/v1/orders/1/items") }
                }
                best = min(best, took)
            }
            return best
        }
        #expect(cost(thousand) < cost(one) * 3)
    }

    @Test func aTableOfAllCombinationsIsVisitedAtMostOncePerNode() throws {
        // Literal and parameter at each of ten depths, none of which takes the method: every branch is passed over.
        let patterns = (0..<1024).map { bits in
            (0..<10).map { bits >> $0 & 1 == 1 ? "/a" : "/{p\($0)}" }.joined()
        }
        let table = try RouteTable(patterns.map { try route($0, ["POST"]) })
        #expect(table.nodes.count == 2047)
        let path = String(repeating: "/a", count: 10)
        #expect(table.match(method: "GET", path: path) == -1)
        #expect(table.match(method: "POST", path: path) == 1023)
    }
}
