import Comparison
import Extraction
import FoundationEssentials
import Routing
import Testing

@testable import ProxyConfiguration

@Suite struct ProxyConfigurationTests {
    @Test func leftOutKeysHaveTheirDefaults() throws {
        let configuration = try Sample(extractions: [("orders", Sample.orders)]).parse()
        #expect(configuration.admin.host == "127.0.0.1" && configuration.admin.port == 9901)
        #expect(configuration.store == .privatePostgres)
        #expect(configuration.dataDirectory == "/srv/shop/.strangler")
        #expect(
            configuration.timeouts
                == Timeouts(
                    connect: .seconds(1), firstByte: .seconds(30), body: .seconds(60), idle: .seconds(60),
                    head: .seconds(15), exchange: nil))
        #expect(
            configuration.limits
                == LimitsDefinition(
                    head: 32_768, field: 16_384, fields: 100, body: nil, connections: 10_000, buffer: 32_768))
        #expect(configuration.retry == RetryDefinition(budgetPercent: 20, atLeast: 3))
        #expect(configuration.drain == .seconds(120))
        #expect(configuration.listen.map(\.proxyProtocol) == [[]])
        #expect(configuration.trustedProxies.isEmpty && configuration.threads == nil)
        let orders = try #require(configuration.extractions.first)
        #expect(orders.service.first.host == "orders.internal" && orders.service.first.port == 80)
        #expect(orders.contractPath == nil && orders.shadowTimeout == .seconds(2) && orders.rules == .none)
        let definition = orders.definition
        #expect(definition.affinity == .clientAddress && definition.writes == .never && definition.owner == nil)
        #expect(definition.sample == .all && definition.noise == .none && definition.bake == .seconds(1_800))
        #expect(definition.ramp.map(\.description) == ["1%", "5%", "25%", "50%", "100%"])
        #expect(definition.window == .seconds(2_592_000) && definition.quiet == .seconds(604_800))
        #expect(definition.guardLimits == GuardLimits() && !definition.hasContract)
    }

    @Test func everyKeyIsRead() throws {
        var sample = Sample()
        sample.proxy = """
            listen: [{address: "[::]:8080"}, {address: "localhost:81"}]
            admin: {address: "[::1]:1"}
            monolith: {url: "http://[fd00::1]:9000/", health: {path: "/h?x=1"}}
            store: {url: "postgresql:///shop"}
            data: /var/lib/strangler
            timeouts: {connect: 500ms, first-byte: 2m, idle: 1h, head: 1d}
            trusted-proxies: [10.0.0.0/8, "::1", 192.0.2.1]
            threads: 3
            """
        sample.extractions = [
            (
                "pay",
                """
                extraction: pay
                owner: team-pay
                problem: "p"
                because: [scale-variance, team-size, technology-diversity]
                match: [{path: "/pay/{id}", methods: [GET, PURGE], hosts: ["*.Example.com"]}]
                service: {url: "http://pay:1"}
                contract: ../specs/pay.json
                shadow: {sample: 12.5%, writes: dual-write, timeout: 100ms, noise: 0.01%}
                cutover:
                  affinity: {header: X-Tenant}
                  cohort: checkout
                  ramp: [10%, 100%]
                  bake: 0s
                  guard: {error-rate: 1%, p99: 200ms, mismatch: 0.1%, backlog: 5, interval: 1h}
                  gate: {coverage: 75%, shed: 0.5%}
                fallback: {window: 20s, quiet: 1s, warn: [1s, 10s]}
                """
            )
        ]
        sample.rules = [
            (
                "pay",
                """
                extraction: pay
                ignore: [{path: "$.r", because: "random", until: 2027-01-31}, {path: header.etag, because: b}]
                unordered: [{path: "$.items", key: "$.id"}, {path: "$.tags", because: "a set", until: 2027-01-31}]
                tolerance: [{path: "$.at", time: 1500ms}, {path: "$.sum", number: 0.005}]
                equivalence: [{path: "$.id", as: string-number, because: "clients read both"}]
                matches: [{path: "$.ref", regex: "req_[0-9a-f]{4}", until: 2027-01-31}]
                redact: ["$.card"]
                headers: [ETag]
                identity: [{field: "$.id", adopt: body}, {field: "$.a.b", adopt: {header: X-Id}}]
                """
            )
        ]
        sample.contracts = ["/srv/shop/specs/pay.json": #"{"openapi": "3.1.0", "paths": {"/pay/{id}": {}}}"#]
        let configuration = try sample.parse()
        #expect(configuration.listen.map(\.address.host) == ["::", "localhost"])
        #expect(configuration.admin.host == "::1")
        #expect(configuration.monolith.first.host == "fd00::1" && configuration.monolith.health?.path == "/h?x=1")
        #expect(configuration.store == .url("postgresql:///shop"))
        #expect(configuration.dataDirectory == "/var/lib/strangler" && configuration.threads == 3)
        #expect(configuration.timeouts.connect == .milliseconds(500) && configuration.timeouts.head == .seconds(86_400))
        #expect(configuration.trustedProxies == ["10.0.0.0/8", "::1/128", "192.0.2.1/32"])
        let pay = try #require(configuration.extractions.first)
        let expected = ExtractionDefinition(
            name: "pay", owner: "team-pay", problem: "p", because: [.scaleVariance, .teamSize, .technologyDiversity],
            hasContract: true, affinity: .header("X-Tenant"), cohort: "checkout", sample: Weight(clamping: 1_250),
            writes: .dualWrite, noise: Weight(clamping: 1), ramp: [Weight(clamping: 1_000), .all], bake: .zero,
            guardLimits: GuardLimits(
                errorRate: Weight(clamping: 100), p99: .milliseconds(200), mismatch: Weight(clamping: 10), backlog: 5,
                interval: .seconds(3_600)),
            window: .seconds(20), quiet: .seconds(1),
            coverageLimits: CoverageLimits(compared: Weight(clamping: 7_500), shed: Weight(clamping: 50)),
            warnings: [.seconds(10), .seconds(1)])
        #expect(pay.definition == expected)
        #expect(pay.contractPath == "/srv/shop/specs/pay.json" && pay.shadowTimeout == .milliseconds(100))
        let rules = ComparisonRules(
            ignore: [
                IgnoreRule(
                    path: try PathPattern("$.r"), because: "random", until: Date(timeIntervalSince1970: 1_801_440_000)),
                IgnoreRule(path: try PathPattern("header.etag"), because: "b"),
            ],
            unordered: [
                UnorderedRule(path: try PathPattern("$.items"), key: try PathPattern("$.id")),
                UnorderedRule(
                    path: try PathPattern("$.tags"), because: "a set", until: Date(timeIntervalSince1970: 1_801_440_000)
                ),
            ],
            tolerance: [
                ToleranceRule(path: try PathPattern("$.at"), kind: .time(seconds: 1.5)),
                ToleranceRule(path: try PathPattern("$.sum"), kind: .number(0.005)),
            ],
            equivalence: [
                EquivalenceRule(path: try PathPattern("$.id"), as: .stringNumber, because: "clients read both")
            ],
            matches: [
                MatchRule(
                    path: try PathPattern("$.ref"), pattern: try LinearRegex("req_[0-9a-f]{4}"),
                    until: Date(timeIntervalSince1970: 1_801_440_000))
            ],
            redact: [try PathPattern("$.card")], headers: ["etag"],
            identity: [
                IdentityRule(field: try PathPattern("$.id"), adopt: .body),
                IdentityRule(field: try PathPattern("$.a.b"), adopt: .header("X-Id")),
            ])
        #expect(pay.rules == rules)
        #expect(configuration.routeTable.match(method: "HEAD", path: "/pay/1", host: "eu.example.com") == 0)
        #expect(configuration.routeTable.match(method: "HEAD", path: "/pay/1", host: "example.com") == -1)
        #expect(configuration.routes.map(\.location.description) == ["Routes/pay.yaml:5:9"])
    }

    @Test func aContractNamesTheEndpointsWithItsServersPaths() throws {
        let contract = """
            openapi: 3.0.3
            servers: [{url: "https://shop.example/api/v1/"}, {url: /internal}]
            paths:
              /orders/{orderId}: {}
              x-owner: me
            """
        let orders = Sample.orders + "\ncontract: orders.yaml"
        let sample = Sample(extractions: [("orders", orders)], contracts: ["/srv/shop/Routes/orders.yaml": contract])
        let templates = try sample.parse().templates
        #expect(
            templates.endpoint(route: 0, method: "GET", path: "/api/v1/orders/ord_1") == "GET /api/v1/orders/{orderId}")
    }

    @Test(
        arguments: [
            ("a: [", "no YAML"), ("[]", "the contract is a list"), ("openapi: 2.0", "no OpenAPI 3"),
            ("swagger: 3.0.0", "no OpenAPI 3"),
            ("openapi: 3.0.3", "no `paths`"), ("openapi: 3.0.3\npaths: {orders: {}}", "`orders` is no path"),
        ])
    func aContractThatDoesNotParseIsAnError(text: String, part: String) {
        let orders = Sample.orders + "\ncontract: c.yaml"
        let errors = Sample(extractions: [("o", orders)], contracts: ["/srv/shop/Routes/c.yaml": text]).errors()
        #expect(errors.hasPrefix("/srv/shop/Routes/c.yaml:") && errors.contains(part), "\(errors)")
    }

    @Test(
        arguments: [
            ("http://", "no host name"), ("http://a b", "no host name"), ("http://300.1.1.1", "no host name"),
            ("http://u:p@h", "credentials"),
            ("http://h:0", "no valid port"), ("http://h:65536", "no valid port"), ("http://h:+8", "no valid port"),
            ("http://h/?q", "path, query"), ("http://[::1", "lacks a `]`"), ("http://[::g]", "no IPv6"),
            ("http://::1", "brackets"), ("ftp://h", "no URL"), ("HTTPS://h", "TLS to upstreams"),
            ("http://-h", "no host name"),
        ])
    func badUpstreamURLsAreErrors(url: String, part: String) {
        let errors = Sample.errors(proxy: "listen: [{address: a:1}]\nmonolith: {url: \"\(url)\"}")
        #expect(errors.hasPrefix("Routes/proxy.yaml:2:17: `url`: ") && errors.contains(part), "\(errors)")
    }

    @Test func addressesAreCheckedAndNotTakenTwice() {
        #expect(
            Sample.errors(
                proxy: "listen: [{address: h:1}, {address: h:1}, {address: h}]\nmonolith: {url: \"http://h\"}") == """
                    Routes/proxy.yaml:1:26: the address is listened on already in line 1
                    Routes/proxy.yaml:1:52: `address`: `h` has no port (expected such as 0.0.0.0:8080 or "[::]:8080")
                    """)
    }

    @Test func emptyListsAreErrorsAndNotAny() {
        let errors = Sample.errors(extraction: "match: [{path: /a, methods: [], hosts: []}]")
        #expect(
            errors.contains("`methods` is empty (remove the key to take any)") && errors.contains("`hosts` is empty"))
        #expect(Sample.errors(extraction: "match: []").contains("`match` is empty"))
        #expect(Sample.errors(proxy: "listen: []\nmonolith: {url: \"http://h\"}").contains("`listen` is empty"))
    }

    @Test func methodsInSmallLettersAreCorrected() {
        let errors = Sample.errors(extraction: "match: [{path: /a, methods: [get, TRACE, \"a b\"]}]")
        #expect(
            errors.contains("did you mean `GET`?") && errors.contains("refused by the proxy")
                && errors.contains("no token"))
    }

    @Test(arguments: ["::", "::1", "1::", "fd00::1:2", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1"])
    func addressesOfIPv6AreRead(text: String) { #expect(Values.ipv6(text)?.count == 8) }

    @Test(arguments: [
        "", ":", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "1:2:3:4:5:6:7::8", "::1.2.3", "1.2.3.4::",
        "g::", "-1::",
    ])
    func whatIsNoAddressOfIPv6IsNot(text: String) { #expect(Values.ipv6(text) == nil) }

    @Test func suggestionsAreOnlyMadeForWhatIsNear() {
        #expect(Suggestion.nearest(to: "metods", in: ["path", "methods", "hosts"]) == "methods")
        #expect(Suggestion.nearest(to: "ptah", in: ["path", "methods"]) == "path")
        #expect(Suggestion.nearest(to: "zzz", in: ["path", "methods"]) == nil)
        #expect(Suggestion.distance("abc", "acb") == 1 && Suggestion.distance("", "ab") == 2)
    }
}
