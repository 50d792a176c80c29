import Routing
import Testing

@testable import ProxyConfiguration

@Suite struct UpstreamReaderTests {
    private func service(_ text: String) throws -> UpstreamDefinition {
        let orders = Sample.orders.split(separator: "\n").filter { !$0.hasPrefix("service:") } + ["service: \(text)"]
        let configuration = try Sample(extractions: [("orders", orders.joined(separator: "\n"))]).parse()
        return try #require(configuration.extractions.first).service
    }

    @Test func leftOutKeysHaveTheirDefaults() throws {
        let service = try service(#"{url: "http://h"}"#)
        #expect(service.addresses == [service.first] && service.others.isEmpty)
        #expect(service.balancing == .roundRobin && service.resolveInterval == .seconds(30) && service.health == nil)
        #expect(
            service.outlier == OutlierDefinition(failures: 5, ejection: .seconds(30), longest: .seconds(300)))
        #expect(
            service.breaker
                == BreakerDefinition(
                    failurePercent: 50, slowPercent: 75, slowAfter: .seconds(2), calls: 10, open: .seconds(10),
                    probes: 3))
        #expect(service.connections == 1_024 && service.pending == 1_024)
        let health = try self.service(#"{url: "http://h", health: {path: /up}}"#).health
        let expected = HealthDefinition(
            path: "/up", interval: .seconds(5), timeout: .seconds(2), healthy: 2, unhealthy: 3)
        #expect(health == expected)
    }

    @Test func everyKeyIsRead() throws {
        let service = try service(
            """
            {urls: ["http://a:1", "http://[::1]:2/", "http://b"], balance: least-requests, resolve: 5s,
              health: {path: /up, interval: 1s, timeout: 500ms, healthy: 1, unhealthy: 5},
              outlier: {failures: 3, ejection: 1s, longest: 1m},
              breaker: {failures: 20%, slow: 100%, slow-after: 500ms, calls: 100, open: 1s, probes: 1},
              connections: 10, pending: 0}
            """)
        #expect(service.addresses.map(\.host) == ["a", "::1", "b"] && service.addresses.map(\.port) == [1, 2, 80])
        #expect(service.addresses.map(\.location.column) == [18, 32, 51])
        #expect(service.balancing == .leastRequests && service.resolveInterval == .seconds(5))
        #expect(
            service.health
                == HealthDefinition(
                    path: "/up", interval: .seconds(1), timeout: .milliseconds(500), healthy: 1, unhealthy: 5))
        #expect(service.outlier == OutlierDefinition(failures: 3, ejection: .seconds(1), longest: .seconds(60)))
        #expect(
            service.breaker
                == BreakerDefinition(
                    failurePercent: 20, slowPercent: 100, slowAfter: .milliseconds(500), calls: 100,
                    open: .seconds(1), probes: 1))
        #expect(service.connections == 10 && service.pending == 0)
    }

    @Test func theMonolithIsReadLikeAServiceButHasNoBreaker() throws {
        let proxy = """
            listen: [{address: 127.0.0.1:0}]
            monolith: {urls: ["http://a", "http://b"], balance: least-requests, outlier: off, connections: 7}
            """
        let monolith = try Sample(proxy: proxy).parse().monolith
        #expect(monolith.addresses.map(\.host) == ["a", "b"] && monolith.balancing == .leastRequests)
        #expect(monolith.outlier == nil && monolith.breaker == nil && monolith.connections == 7)
    }

    @Test func oneGivenTimeMovesTheDefaultOfItsPair() throws {
        let often = try service(#"{url: "http://h", health: {path: /, interval: 1s}, outlier: {ejection: 10m}}"#)
        #expect(often.health?.timeout == .seconds(1))
        #expect(often.outlier?.ejection == .seconds(600) && often.outlier?.longest == .seconds(600))
        let patient = try service(#"{url: "http://h", health: {path: /, timeout: 9s}}"#)
        #expect(patient.health?.interval == .seconds(9))
    }

    @Test func everyErrorOfAServiceComesAtOnce() {
        let errors = Sample.errors(
            extraction: """
                service:
                  url: "http://h"
                  urls: ["http://a"]
                  balance: roundrobin
                  resolve: 0s
                  health: {path: healthz, interval: 1s, timeout: 2s, healthy: 0, unhelthy: 3}
                  outlier: {failures: 0, ejection: 1m, longest: 30s}
                  braker: {failures: 50%}
                  breaker: {failures: 0.5, slow: 0%, slow-after: 2, calls: 101, open: 0s, probes: 0}
                  connections: 0
                  pending: all
                """)
        #expect(
            errors == """
                Routes/orders.yaml:3:9: `service` has `url` and `urls` (keep one)
                Routes/orders.yaml:4:12: `balance`: unknown value `roundrobin` (did you mean `round-robin`?)
                Routes/orders.yaml:5:12: `resolve`: `0s` is too short (expected at least 1ms)
                Routes/orders.yaml:6:18: `path`: `healthz` is no path (expected a path that starts with `/`, such as /healthz)
                Routes/orders.yaml:6:50: `timeout` is longer than `interval` (raise `interval`, or a probe is overtaken by the next)
                Routes/orders.yaml:6:63: `healthy`: `0` is no number in range (expected 1 to 100)
                Routes/orders.yaml:6:66: unknown key `unhelthy` in `health` (did you mean `unhealthy`?)
                Routes/orders.yaml:7:23: `failures`: `0` is no number in range (expected 1 to 1000)
                Routes/orders.yaml:7:49: `longest` is shorter than one `ejection` (raise it, or lower `ejection`)
                Routes/orders.yaml:8:3: unknown key `braker` in `service` (did you mean `breaker`?)
                Routes/orders.yaml:9:23: `failures`: `0.5` is no whole percentage in range (expected 1% to 100%, such as 50%)
                Routes/orders.yaml:9:34: `slow`: `0%` is no whole percentage in range (expected 1% to 100%, such as 50%)
                Routes/orders.yaml:9:50: `slow-after`: `2` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                Routes/orders.yaml:9:60: `calls`: `101` is no number in range (expected 1 to 100)
                Routes/orders.yaml:9:71: `open`: `0s` is too short (expected at least 1ms)
                Routes/orders.yaml:9:83: `probes`: `0` is no number in range (expected 1 to 100)
                Routes/orders.yaml:10:16: `connections`: `0` is no number in range (expected 1 to 1000000)
                Routes/orders.yaml:11:12: `pending`: `all` is no number in range (expected 0 to 1000000)
                """)
    }

    @Test(
        arguments: [
            ("{}", "11: `url` is missing (add `url: \"http://127.0.0.1:9000\"`)"),
            ("{urls: }", "12: `urls` has no value (give it one, or remove the key)"),
            ("{urls: []}", "18: `urls` is empty (name at least one URL)"),
            (
                "{urls: \"http://a\"}",
                "18: `urls` is a single value (expected a list of URLs such as \"http://127.0.0.1:9000\")"
            ),
            ("{url: [\"http://a\"]}", "17: `url` is a list (expected a single value; several stand under `urls`)"),
            (
                "{urls: [\"http://a\", \"https://b\"]}",
                "31: `urls`: TLS to upstreams is not there yet (expected http://)"
            ),
            ("{urls: [\"http://a\", \"http://A:80/\"]}", "31: `urls` names this server already in line 2 (keep one)"),
            (
                "{url: \"http://a\", breaker: {calls: 5}}",
                "38: `monolith` takes no `breaker`: nothing answers in its place, so an open one would only add errors (remove it; `outlier`, `connections` and `pending` protect the monolith)"
            ),
            (
                "{url: \"http://a\", outlier: false}",
                "38: `outlier`: unknown value `false` (expected off, or keys: failures, ejection, longest)"
            ),
            (
                "{url: \"http://a\", outlier: [off]}",
                "38: `outlier` is a list (expected keys: failures, ejection, longest)"
            ),
        ])
    func anUpstreamThatCannotBeIsOneError(monolith: String, error: String) {
        let errors = Sample.errors(proxy: "listen: [{address: 127.0.0.1:0}]\nmonolith: \(monolith)")
        #expect(errors == "Routes/proxy.yaml:2:" + error)
    }
}
