import Comparison
import Extraction
import HTTPWire
import NIOCore
import Routing
import Synchronization
import Testing

@testable import ShadowRunner

private let anew = Atomic(0)

/// What is known of an endpoint beside its verdicts.
@Suite struct CoverageTests {
    @Test func `reads that the sample left out are counted by endpoint and method`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let (runner, settings) = (shadow.runner, shadow.settings)
            try await shadow.loops[0].submit {
                let leftOut = runner.sampling(under: settings)
                for (method, path) in [
                    (HTTPWire.Method.get, "/api/v1/orders/7"), (.get, "/api/v1/orders/8"), (.head, "/api/v1/x"),
                ] {
                    Array(path.utf8).withUnsafeBytes { leftOut(0, 0, method, $0) }
                }
            }.get()
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}")))
            try await eventually("all are counted") {
                await shadow.verdictsSoFar() == ["match": 1, "not-compared not-sampled": 3]
            }
            let leftOut = await shadow.store.counts.filter { $0.key.reason == "not-sampled" }
            #expect(
                Dictionary(uniqueKeysWithValues: leftOut.map { ($0.key.endpoint, $0.value) })
                    == ["GET /api/v1/orders/{id}": 2, "HEAD /api/v1/**": 1])
        }
    }

    private func leaveOut(_ paths: [String], _ method: HTTPWire.Method, _ shadow: ShadowUnderTest) async throws {
        let (runner, settings) = (shadow.runner, shadow.settings)
        try await shadow.loops[0].submit {
            let leftOut = runner.sampling(under: settings)
            for path in paths { Array(path.utf8).withUnsafeBytes { leftOut(0, 0, method, $0) } }
        }.get()
    }

    @Test func `reads left out where the contract is silent are counted beside those that are compared`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            for path in ["/api/v1/agree/1", "/api/v1/differ"] {
                try await shadow.accept(try exchange(get(path), answer: jsonAnswer("{}")))
            }
            try await shadow.accept(
                try exchange(get("/api/v1/absent/1"), answer: jsonAnswer("{}", status: "404 Not Found")))
            _ = try await shadow.verdicts()
            try await leaveOut((2...10).map { "/api/v1/agree/\($0)" }, .get, shadow)
            try await leaveOut(["/api/v1/differ", "/api/v1/differ/"], .get, shadow)
            // Nothing of the kind has been compared, or found.
            try await leaveOut(["/api/v1/other", "/api/v1/absent/2"], .get, shadow)
            try await leaveOut(["/api/v1/agree/1"], .head, shadow)
            try await eventually("all are counted") {
                await shadow.verdictsSoFar()["not-compared not-sampled"] == 14
            }
            let leftOut = await shadow.store.counts.filter { $0.key.reason == "not-sampled" }
            #expect(
                Dictionary(uniqueKeysWithValues: leftOut.map { ($0.key.endpoint, $0.value) }) == [
                    "GET /api/v1/agree/{id}": 9, "GET /api/v1/differ": 2, "GET /api/v1/**": 2, "HEAD /api/v1/**": 1,
                ])
            #expect(await shadow.endpoints().contains("GET (other)"))
        }
    }

    @Test func `names that are not kept apart until they are counted go under the route's, and none is lost`()
        async throws
    {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let letters = "abcdefghijklmnopqrst".map { "\($0)" }
            let invented = letters.flatMap { first in letters.map { "/api/v1/\(first)\($0)" } }
            for path in ["/api/v1/zz", "/api/v1/" + String(repeating: "z/", count: 600)] {
                try await shadow.accept(try exchange(get(path), answer: jsonAnswer("{}")))
            }
            _ = try await shadow.verdicts()
            // In one turn, so that nothing is counted in between.
            try await leaveOut(["/api/v1/zz"] + invented + ["/api/v1/zz"], .get, shadow)
            try await leaveOut(["/api/v1/" + String(repeating: "z/", count: 600)], .get, shadow)
            try await eventually("all are counted") {
                await shadow.verdictsSoFar()["not-compared not-sampled"] == 403
            }
            let leftOut = await shadow.store.counts.filter { $0.key.reason == "not-sampled" }
            #expect(
                Dictionary(uniqueKeysWithValues: leftOut.map { ($0.key.endpoint, $0.value) })
                    == ["GET /api/v1/zz": 2, "GET /api/v1/**": 401])
        }
    }

    @Test func `what was skipped keeps a bounded number of paths, each of bounded length`() throws {
        let here = SourceLocation(file: "orders.yaml", line: 1, column: 1)
        let route = Route(pattern: try RoutePattern(parsing: "/**"), extraction: 0, location: here)
        let templates = EndpointTemplates(routes: [route], known: [])
        var skipped = ShadowGate.Skipped()
        func add(_ path: String) {
            Array(path.utf8).withUnsafeBytes { bytes in
                skipped.add(.init(0, 0, .get, .shed, bytes, templates), path: bytes)
            }
        }
        add("/" + String(repeating: "a/", count: ShadowGate.Skipped.maximumPathLength))
        #expect(skipped.paths.isEmpty && skipped.counts.keys.map(\.shape) == [nil])
        for number in 0..<2_000 { add("/" + String(number, radix: 2).map { $0 == "0" ? "o" : "l" }.joined()) }
        #expect(skipped.paths.count == ShadowGate.Skipped.maximumPaths)
        #expect(skipped.counts.count == ShadowGate.Skipped.maximumPaths + 1)
        #expect(skipped.counts.values.reduce(0, +) == 2_001)
    }

    @Test func `a read left out under a configuration that is no longer the loop's is counted by its own`() async throws
    {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            let (runner, old) = (shadow.runner, shadow.settings)
            await runner.update(
                ShadowSettings(
                    monolith: old.monolith, extractions: [], templates: .init(routes: [], known: []),
                    redactor: old.redactor))
            try await shadow.loops[0].submit {
                let leftOut = runner.sampling(under: old)
                Array("/api/v1/orders/7".utf8).withUnsafeBytes { leftOut(0, 0, .get, $0) }
            }.get()
            #expect(await shadow.verdictsSoFar() == ["not-compared not-sampled": 1])
        }
    }

    @Test func `verdicts are counted by the class of the primary's status`() async throws {
        try await withShadow(service: { _, _ in .json("{}") }) { shadow in
            for status in ["200 OK", "204 No", "302 Found", "404 No", "503 No"] {
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}", status: status)))
            }
            try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}"), failed: true))
            _ = try await shadow.verdicts()
            var classes: [Int: Int] = [:]
            for (key, count) in await shadow.store.counts { classes[key.statusClass, default: 0] += count }
            #expect(classes == [2: 2, 3: 1, 4: 1, 5: 1, 0: 1])
        }
    }

    @Test func `both sides' times are counted once for each pair with two answers, second looks and twins apart`()
        async throws
    {
        try await withShadow(
            Setup(settleDelay: .milliseconds(5), noise: 10_000), monolith: { _, _ in .json("{}") },
            service: { _, number in number == 0 ? .json(#"{"a":1}"#) : number == 3 ? .close : .json("{}") }
        ) { shadow in
            for _ in 0..<4 {
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}")))
                try await shadow.becomesIdle()
            }
            try await shadow.accept(
                try exchange(get("/api/v1/orders/1"), answer: jsonAnswer("{}"), shadowIsService: false))
            let verdicts = try await shadow.verdicts()
            #expect(verdicts.values.reduce(0, +) == 5)
            let answered = 5 - (verdicts["shadow-failed reset"] ?? 0)
            let endpoint = "GET /api/v1/orders/{id}"
            let latencies = await shadow.store.latencies
            for side in ComparedSide.allCases {
                let key = LatencyKey(extraction: "orders", endpoint: endpoint, side: side)
                #expect(latencies[key]?.total == answered, "\(side)")
            }
            // The primary's is what the exchange said, 1 ms: four times the monolith's, once the service's.
            let monolith = latencies[LatencyKey(extraction: "orders", endpoint: endpoint, side: .monolith)]
            var millisecond = LatencyHistogram()
            millisecond.record(nanoseconds: 1_000_000)
            let bucket = try #require(millisecond.counts.firstIndex(of: 1))
            #expect((monolith?.counts[bucket] ?? 0) >= 4)
        }
    }

    @Test func `what rules hide is counted once for each pair, by what the rule says`() async throws {
        var rules = ComparisonRules()
        rules.ignore = [IgnoreRule(path: try PathPattern("$.id")), IgnoreRule(path: try PathPattern("$.never"))]
        try await withShadow(
            Setup(rules: rules, settleDelay: .milliseconds(5)), monolith: { _, _ in .json(#"{"id":1,"a":1}"#) },
            service: { _, _ in .json(#"{"id":2,"a":2}"#) }
        ) { shadow in
            for _ in 0..<3 {
                try await shadow.accept(try exchange(get("/api/v1/orders/1"), answer: jsonAnswer(#"{"id":1,"a":1}"#)))
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["mismatch": 3])
            let hidden = await shadow.store.hidden
            #expect(hidden.keys.map(\.rule) == ["ignore $.id"])
            #expect(hidden.values.map(\.pairs) == [3])
        }
    }

    @Test func `a storm of ever new differences is counted in a bounded number of groups`() async throws {
        try await withShadow(
            Setup(settleDelay: .milliseconds(1)), monolith: { _, _ in .json("{}") },
            service: { _, _ in .json("{\"field\(anew.add(1, ordering: .relaxed).newValue)\":1}") }
        ) { shadow in
            for endpoint in 0..<2 {
                for _ in 0..<400 {
                    try await shadow.accept(
                        try exchange(get("/api/v1/word\(["a", "b"][endpoint])"), answer: jsonAnswer("{}")))
                }
                try await shadow.becomesIdle()
            }
            #expect(try await shadow.verdicts() == ["mismatch": 800])
            let groups = await shadow.store.groups.values.map { $0 }
            #expect(groups.count == 2 * (KnownGroups.maximumPerEndpoint + 1))
            #expect(groups.map(\.count).reduce(0, +) == 800)
            let overflow = groups.filter {
                $0.signature.differences == [GroupedDifference(path: "(many)", kind: .value)]
            }
            #expect(overflow.map(\.count) == [200, 200])
        }
    }
}

@Suite struct KnownGroupsTests {
    private func signature(_ endpoint: Int, _ number: Int) -> MismatchSignature {
        MismatchSignature(
            extraction: "orders", endpoint: "GET /\(endpoint)",
            differences: [Difference(path: "$.a\(number)", kind: .value, primary: "", shadow: "")])
    }

    @Test func `an extraction has its limit over all endpoints, another has its own, and looking takes no place`() {
        var groups = KnownGroups()
        for endpoint in 0..<10 {
            for number in 0..<200 {
                #expect(groups.group(of: signature(endpoint, number)) == signature(endpoint, number))
                #expect(groups.admit(signature(endpoint, number)) == signature(endpoint, number))
            }
        }
        let beyond = groups.admit(signature(10, 0))
        #expect(beyond.differences.map(\.path) == ["(many)"] && beyond.endpoint == "GET /10")
        #expect(groups.admit(signature(3, 7)) == signature(3, 7))
        let other = MismatchSignature(extraction: "people", endpoint: "GET /10", differences: [])
        #expect(groups.admit(other) == other)
    }
}
