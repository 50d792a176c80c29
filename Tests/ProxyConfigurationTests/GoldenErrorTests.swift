import Testing

@testable import ProxyConfiguration

@Suite struct GoldenErrorTests {
    @Test func everyErrorOfTheProxyFileComesAtOnce() {
        let errors = Sample.errors(
            proxy: """
                listn: [{address: 0.0.0.0:8080}]
                admin: {address: 0.0.0.0:9901}
                monolith: {url: "https://shop:443", health: {pth: /healthz}}
                store: {url: "mysql://secret@db"}
                data:
                timeouts: {connect: 5, idle: 0s, head: 4000d}
                trusted-proxies: [10.0.0.0/33, "fd00::/8", 10.0.0]
                threads: 0
                threads: 4
                """)
        #expect(
            errors == """
                Routes/proxy.yaml:1:1: `listen` is missing (add `listen: [{address: 0.0.0.0:8080}]`)
                Routes/proxy.yaml:1:1: unknown key `listn` in the proxy's file (did you mean `listen`?)
                Routes/proxy.yaml:2:8: the admin address is not loopback, and it has no authentication yet (expected 127.0.0.1, [::1] or localhost)
                Routes/proxy.yaml:3:17: `url`: TLS to upstreams is not there yet (expected http://)
                Routes/proxy.yaml:3:45: `path` is missing (add `path: /healthz`)
                Routes/proxy.yaml:3:46: unknown key `pth` in `health` (did you mean `path`?)
                Routes/proxy.yaml:4:14: `url`: the URL is not one of Postgres (expected such as postgres://user@host:5432/database)
                Routes/proxy.yaml:5:1: `data` has no value (give it one, or remove the key)
                Routes/proxy.yaml:6:21: `connect`: `5` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                Routes/proxy.yaml:6:30: `idle`: `0s` is too short (expected at least 1ms)
                Routes/proxy.yaml:6:40: `head`: `4000d` is too long (expected at most 3650d)
                Routes/proxy.yaml:7:19: `trusted-proxies`: `33` is no number in range (expected 0 to 32)
                Routes/proxy.yaml:7:44: `trusted-proxies`: `10.0.0` is no network (expected such as 10.0.0.0/8 or "fd00::/8")
                Routes/proxy.yaml:9:1: `threads` is written twice, first in line 8 (keep one)
                """)
    }

    @Test func everyErrorOfAnExtractionFileComesAtOnce() {
        let text = """
            extraction: Orders
            because: [scale-varience]
            match:
              - {path: api/v1, methods: [get, CONNECT], hosts: ["shop:80"]}
              - {path: "/a/*", methods: GET}
              - /b
            service: {url: "http://10.0.0.1:9100/base"}
            contract: contracts/none.yaml
            shadow: {sample: 1, writes: dual-writes, noise: 0.123%}
            cutover: {affinity: {cookie: a, header: b}, ramp: [5%, 1%], gaurd: {p99: fast}}
            fallback: 30d
            """
        #expect(
            Sample(extractions: [("orders", text)]).errors() == """
                Routes/orders.yaml:1:1: `problem` is missing (add `problem: "why this has to leave the monolith"`)
                Routes/orders.yaml:1:13: `extraction`: `Orders` is no name (expected a lower-case letter, then up to 62 of a-z, 0-9 and `-`)
                Routes/orders.yaml:2:11: `because`: unknown value `scale-varience` (did you mean `scale-variance`?)
                Routes/orders.yaml:4:12: `path`: a path pattern starts with `/` (expected such as "/api/v1/orders/**")
                Routes/orders.yaml:5:12: `path`: `*`: the only wildcard is `/**` at the end; one segment is `{name}`
                Routes/orders.yaml:6:5: an entry of `match` is a single value (expected keys: path, methods, hosts, success, on-spool-full)
                Routes/orders.yaml:7:16: `url`: `http://10.0.0.1:9100/base` has a path, query or fragment (requests keep their own path: end after the port)
                Routes/orders.yaml:8:11: `contract`: the file `contracts/none.yaml` does not exist or cannot be read (expected a path relative to the routes' folder, such as contracts/orders.openapi.yaml)
                Routes/orders.yaml:9:18: `sample`: `1` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:9:29: `writes`: unknown value `dual-writes` (did you mean `dual-write`?)
                Routes/orders.yaml:9:49: `noise`: `0.123%` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:10:21: `affinity` names no single key (expected {cookie: NAME}, {header: NAME}, {path: PARAMETER} or client-address)
                Routes/orders.yaml:10:51: `ramp` does not rise (expected such as [1%, 5%, 25%, 50%, 100%])
                Routes/orders.yaml:10:61: unknown key `gaurd` in `cutover` (did you mean `guard`?)
                Routes/orders.yaml:11:11: `fallback` is a single value (expected keys: window, quiet, warn)
                """)
    }

    @Test func everyErrorOfCutoverAndFallbackComesAtOnce() {
        let text = """
            extraction: orders
            problem: x
            because: [scale-variance, team-size]
            match: [{path: "/orders/**"}]
            service: {url: "http://10.0.0.1:9100"}
            cutover:
              guard: {error-rate: 101%, p99: 0s, mismatch: -1%, backlog: 1.5, interval: 500ms, p95: 2s}
              gate: {coverage: 80, shed: 5.555%, mismatch: 1%}
            fallback: {window: 2d, quiet: 1, warn: [2d, 36h, 0s, often]}
            """
        #expect(
            Sample(extractions: [("orders", text)]).errors() == """
                Routes/orders.yaml:7:23: `error-rate`: `101%` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:7:34: `p99`: `0s` is too short (expected at least 1ms)
                Routes/orders.yaml:7:48: `mismatch`: `-1%` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:7:62: `backlog`: `1.5` is no number in range (expected 0 to 1000000000)
                Routes/orders.yaml:7:77: `interval`: `500ms` is out of range (expected 1s to 1h)
                Routes/orders.yaml:7:84: unknown key `p95` in `guard` (did you mean `p99`?)
                Routes/orders.yaml:8:20: `coverage`: `80` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:8:30: `shed`: `5.555%` is no percentage (expected 0% to 100% with at most two decimals, such as 25% or 0.1%)
                Routes/orders.yaml:8:38: unknown key `mismatch` in `gate` (expected `coverage`, `shed`)
                Routes/orders.yaml:9:31: `quiet`: `1` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                Routes/orders.yaml:9:41: `warn`: the window is over sooner than `2d` (expected less than `window`)
                Routes/orders.yaml:9:50: `warn`: `0s` is too short (expected at least 1ms)
                Routes/orders.yaml:9:54: `warn`: `often` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                """)
    }

    @Test func everyErrorOfARulesFileComesAtOnce() {
        let errors = Sample.errors(
            rules: """
                ignore: [{path: "$.requestId"}, {path: "$.a", because: "", until: 2027-02-30}]
                unordered: {path: "$.items"}
                tolerance: [{path: "$.a", time: 2s, number: 1}, {path: "$.b", number: -1}, {path: "$.c"}]
                redact: [{path: "$.a"}]
                headers: ["x y"]
                identity: [{field: "$.items[*].id", adopt: bodi}, {field: "$.id", adopt: {heder: X}}]
                unorderd: []
                """)
        #expect(
            errors == """
                Shadow/orders.yaml:1:10: `because` is missing (add `because: "why nobody needs to see this"`)
                Shadow/orders.yaml:1:56: `because`: is an empty text
                Shadow/orders.yaml:1:67: `until`: `2027-02-30` is no date (expected such as 2027-01-31)
                Shadow/orders.yaml:2:12: `unordered` is a mapping (expected a list of rules with path, key, because, until)
                Shadow/orders.yaml:3:13: a tolerance is one of a time or a number (expected `time: 2s` or `number: 0.005`)
                Shadow/orders.yaml:3:71: `number`: `-1` is no number (expected a decimal number from 0 on, such as 0.005)
                Shadow/orders.yaml:3:76: a tolerance is one of a time or a number (expected `time: 2s` or `number: 0.005`)
                Shadow/orders.yaml:4:10: `redact` is a mapping (expected a single value)
                Shadow/orders.yaml:5:11: `headers`: `x y` is no token (expected letters, digits and `-`, no spaces)
                Shadow/orders.yaml:6:20: `field`: `$.items[*].id` does not name one field (expected such as $.orderId or $.order.id)
                Shadow/orders.yaml:6:44: `adopt`: unknown value `bodi` (did you mean `body`?)
                Shadow/orders.yaml:6:74: `header` is missing (add `header: X-Order-Id`)
                Shadow/orders.yaml:6:75: unknown key `heder` in `adopt` (did you mean `header`?)
                Shadow/orders.yaml:7:1: unknown key `unorderd` in the rules' file (did you mean `unordered`?)
                """)
    }

    @Test func aBadPathIsToldWithItsCharacter() {
        let errors = Sample.errors(rules: "redact: [requestId, \"$[\"]").split(separator: "\n")
        #expect(errors.count == 2)
        #expect(
            errors.first?.hasPrefix("Shadow/orders.yaml:1:10: `redact`: `requestId` is no path, at character 1: ")
                == true)
        #expect(errors.last?.hasPrefix("Shadow/orders.yaml:1:21: `redact`: `$[` is no path, at character 3: ") == true)
    }

    @Test func errorsOfEquivalencesAndExpressionsNameWhatIsMeant() {
        let errors = Sample.errors(
            rules: """
                equivalence: [{path: "$.a", as: string-nmber}, {path: "$.b"}, {path: "$.c", as: case, untill: 2027-01-31}]
                matches: [{path: "$.a", regex: "req_["}, {path: "$.b"}, {regex: "a", because: " "}]
                tolerance: [{path: "$.a", number: 1, until: tomorrow}]
                """
        ).split(separator: "\n")
        let expected = [
            "Shadow/orders.yaml:1:33: `as`: unknown value `string-nmber` (did you mean `string-number`?)",
            "Shadow/orders.yaml:1:48: `as` is missing (add `as: string-number`)",
            "Shadow/orders.yaml:1:87: unknown key `untill` in an entry of `equivalence` (did you mean `until`?)",
            "Shadow/orders.yaml:2:32: `regex`: `req_[` is no regular expression, at character ",
            "Shadow/orders.yaml:2:42: `regex` is missing (add `regex: \"req_[0-9a-f]{16}\"`)",
            "Shadow/orders.yaml:2:57: `path` is missing (add `path: \"$.items[*].price\"`)",
            "Shadow/orders.yaml:2:79: `because`: is an empty text",
            "Shadow/orders.yaml:3:45: `until`: `tomorrow` is no date (expected such as 2027-01-31)",
        ]
        #expect(errors.count == expected.count)
        for (error, start) in zip(errors, expected) { #expect(error.hasPrefix(start)) }
    }

    @Test func errorsBetweenFilesNameBothPlaces() {
        var sample = Sample()
        sample.extractions = [
            ("a", Sample.orders),
            (
                "b",
                """
                extraction: orders
                problem: p
                because: [team-size, team-size]
                match:
                  - {path: "/api/v1/orders/**", methods: [GET]}
                  - {path: "/api/v1/orders/**"}
                  - {path: "/x/{a}", methods: [GET, PUT], hosts: [a.example, b.example]}
                  - {path: "/x/{b}", methods: [HEAD], hosts: [B.example]}
                service: {url: "http://b"}
                """
            ),
        ]
        sample.rules = [("a", "extraction: orders"), ("b", "extraction: orders"), ("c", "extraction: odrers")]
        #expect(
            sample.errors() == """
                Routes/b.yaml:1:13: the extraction `orders` is already defined at Routes/a.yaml:1:13 (give one of them another name)
                Routes/b.yaml:3:10: `because` names one reason, an extraction needs two (add another of: independent-deployment, scale-variance, technology-diversity, fault-isolation)
                Routes/b.yaml:6:5: this route and Routes/a.yaml:4:9 both take any method /api/v1/orders/** (remove one, or tell them apart by path, methods or hosts)
                Routes/b.yaml:8:5: this route and Routes/b.yaml:7:5 both take HEAD /x/{b} on b.example (remove one, or tell them apart by path, methods or hosts)
                Shadow/b.yaml:1:13: there are rules for `orders` already at Shadow/a.yaml:1:13 (put them into one file)
                Shadow/c.yaml:1:13: no route file defines the extraction `odrers` (did you mean `orders`?)
                """)
    }

    @Test func aBrokenFileDoesNotHideTheErrorsOfTheOthers() {
        var sample = Sample(proxy: "listen: [\n")
        sample.extractions = [("a", "extraction: [\n  x"), ("b", Sample.orders + "\nowners: me")]
        sample.rules = [("b", "")]
        let lines = sample.errors().split(separator: "\n")
        #expect(lines.count == 4)
        #expect(
            lines.map { $0.prefix { $0 != " " } } == [
                "Routes/a.yaml:3:1:", "Routes/b.yaml:6:1:", "Routes/proxy.yaml:2:1:", "Shadow/b.yaml:1:1:",
            ])
    }
}
