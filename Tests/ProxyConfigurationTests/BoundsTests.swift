import Foundation
import Testing

@testable import ProxyConfiguration

@Suite struct BoundsTests {
    @Test func everyBoundIsRead() throws {
        let configuration = try Sample(
            proxy: """
                listen: [{address: "127.0.0.1:0", proxy-protocol: [10.0.0.0/8, "::1"]}, {address: "127.0.0.1:0"}]
                monolith: {url: "http://h"}
                limits: {head: 64KiB, field: 8192, fields: 50, body: 10MiB, connections: 500, buffer: 1MiB}
                timeouts: {body: 5s, exchange: 2m}
                retry: {budget: 0%, at-least: 0}
                drain: 0s
                """
        ).parse()
        #expect(configuration.listen.map(\.proxyProtocol) == [["10.0.0.0/8", "::1/128"], []])
        #expect(
            configuration.limits
                == LimitsDefinition(
                    head: 65_536, field: 8_192, fields: 50, body: 10_485_760, connections: 500, buffer: 1_048_576))
        #expect(configuration.timeouts == Timeouts(body: .seconds(5), exchange: .seconds(120)))
        #expect(configuration.retry == RetryDefinition(budgetPercent: 0, atLeast: 0))
        #expect(configuration.drain == .zero)
    }

    @Test func noneIsNoBound() throws {
        let text = Sample.proxy + "\nlimits: {body: none}\ntimeouts: {exchange: none}"
        let configuration = try Sample(proxy: text).parse()
        #expect(configuration.limits == LimitsDefinition() && configuration.timeouts == Timeouts())
    }

    @Test func aSmallerHeadHoldsASmallerField() throws {
        let limits = try Sample(proxy: Sample.proxy + "\nlimits: {head: 4KiB}").parse().limits
        #expect(limits.head == 4_096 && limits.field == 4_096)
    }

    @Test func everyErrorOfABoundComesAtOnce() {
        let errors = Sample.errors(
            proxy: """
                listen:
                  - {address: "a:1", proxy-protocol: true}
                  - {address: "b:1", proxy-protocol: []}
                  - {address: "c:1", proxy-protocl: [10.0.0.0/8], proxy-protocol: [10.0.0.0/40]}
                monolith: {url: "http://h"}
                limits: {head: 16KiB, field: 20KiB, fields: 0, body: 0, conections: 5, buffer: 4K}
                timeouts: {body: none, exchange: 0s}
                retry: {budget: 20, at-least: -1}
                drain: forever
                """)
        #expect(
            errors == """
                Routes/proxy.yaml:2:38: `proxy-protocol` is a single value (expected a list of networks such as 10.0.0.0/8)
                Routes/proxy.yaml:3:38: `proxy-protocol` is empty (remove the key to take it from nobody)
                Routes/proxy.yaml:4:22: unknown key `proxy-protocl` in an entry of `listen` (did you mean `proxy-protocol`?)
                Routes/proxy.yaml:4:68: `proxy-protocol`: `40` is no number in range (expected 0 to 32)
                Routes/proxy.yaml:6:30: `field` is larger than `head`, which holds it (lower it, or raise `head`)
                Routes/proxy.yaml:6:45: `fields`: `0` is no number in range (expected 1 to 10000)
                Routes/proxy.yaml:6:54: `body`: `0` is no size in range (expected 1 to 1024GiB, or none)
                Routes/proxy.yaml:6:57: unknown key `conections` in `limits` (did you mean `connections`?)
                Routes/proxy.yaml:6:80: `buffer`: `4K` is no size (did you mean `4KiB`?)
                Routes/proxy.yaml:7:18: `body`: `none` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                Routes/proxy.yaml:7:34: `exchange`: `0s` is too short (expected at least 1ms, or none)
                Routes/proxy.yaml:8:17: `budget`: `20` is no whole percentage in range (expected 0% to 100%, such as 50%)
                Routes/proxy.yaml:8:31: `at-least`: `-1` is no number in range (expected 0 to 1000)
                Routes/proxy.yaml:9:8: `drain`: `forever` is no duration (expected a duration such as 500ms, 2s, 30m, 12h, 30d)
                """)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("32768", 32_768), ("1KiB", 1_024), ("10MiB", 10_485_760), ("3GiB", 3_221_225_472),
    ])
    func sizesAreRead(text: String, bytes: Int) throws { #expect(try Values.size(0...Int.max)(text) == bytes) }

    @Test(
        arguments: [
            ("16KB", "did you mean `16KiB`?"), ("16k", "did you mean `16KiB`?"), ("16 kib", "did you mean `16KiB`?"),
            ("2M", "did you mean `2MiB`?"), ("1gb", "did you mean `1GiB`?"),
        ]
            + ["", "KiB", "-1", "+1", "0x10", "1.5MiB", "1_000", "16B", "1TiB", "٣"]
            .map { ($0, "expected bytes, or a size such as 32KiB, 10MiB, 1GiB") })
    func whatIsNoSizeIsToldItsSpelling(text: String, fix: String) {
        let error = #expect(throws: ValueError.self) { try Values.size(0...Int.max)(text) }
        #expect(error?.problem == "`\(text)` is no size" && error?.fix == fix)
    }

    @Test(arguments: ["1023", "1025KiB", "9999999999999", "999999999999GiB", "99999999999999999999"])
    func aSizeOutOfItsRangeIsToldTheRange(text: String) {
        let error = #expect(throws: ValueError.self) { try Values.size(1_024...1_048_576)(text) }
        #expect(error?.problem == "`\(text)` is no size in range" && error?.fix == "expected 1KiB to 1MiB")
    }

    @Test(arguments: ["", "%", "50", "-1%", "+5%", "12.5%", "101%", "0%", "0050%", " 5%", "٣%"])
    func whatIsNoWholePercentageIsAnError(text: String) {
        #expect(throws: ValueError.self) { try Values.wholePercent(1...100)(text) }
    }

    private static func text(of name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
    }

    /// What the comments of `Routes/proxy.yaml` call the defaults is what left out keys get.
    @Test func theDefaultsInTheProxyFileAreTheDefaults() throws {
        let keys = ["limits", "timeouts", "retry", "drain"]
        let lines = try Self.text(of: "Routes/proxy.yaml").split(separator: "\n", omittingEmptySubsequences: false)
        let shown = lines.map { line in
            keys.contains { line.hasPrefix("# \($0):") } ? String(line.dropFirst(2)) : String(line)
        }.joined(separator: "\n")
        for key in keys { #expect(shown.contains("\n\(key):"), "\(key)") }
        let configuration = try Sample(proxy: shown).parse()
        #expect(configuration.limits == LimitsDefinition() && configuration.timeouts == Timeouts())
        #expect(configuration.retry == RetryDefinition() && configuration.drain == .seconds(120))
    }

    @Test func theDefaultsInTheReadmeAreTheDefaults() throws {
        let parts = try Self.text(of: "README.md").components(separatedBy: "\n## Configuration\n")
        let block = try #require(parts.last?.components(separatedBy: "```yaml\n").dropFirst().first)
        let yaml = try #require(block.components(separatedBy: "```").first)
        let configuration = try Sample(proxy: "listen: [{address: 127.0.0.1:0}]\n" + yaml).parse()
        #expect(configuration.limits == LimitsDefinition() && configuration.timeouts == Timeouts())
        #expect(configuration.retry == RetryDefinition() && configuration.drain == .seconds(120))
        let monolith = configuration.monolith
        let expected = UpstreamDefinition(
            first: monolith.first, others: monolith.others, health: HealthDefinition(path: "/healthz"))
        #expect(monolith == expected && monolith.others.count == 1)
    }
}
