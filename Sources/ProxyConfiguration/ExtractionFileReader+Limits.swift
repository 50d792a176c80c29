import Extraction
import Yams

/// What a cutover has to keep, what it needs before it begins, and the times after it.
extension ExtractionFileReader {
    /// `guard: {error-rate: 1%, p99: 200ms, mismatch: 0.1%, backlog: 1000, interval: 5s}`.
    func guardLimits(_ cutover: FieldReader) -> GuardLimits {
        guard
            let limits = cutover.fields("guard", keys: ["error-rate", "p99", "mismatch", "backlog", "interval"])
        else { return GuardLimits() }
        return GuardLimits(
            errorRate: limits.value("error-rate", Values.percent), p99: limits.value("p99", Values.duration),
            mismatch: limits.value("mismatch", Values.percent),
            backlog: limits.value("backlog", Values.number(0...1_000_000_000)),
            interval: limits.value("interval", Self.interval) ?? GuardLimits().interval)
    }

    /// `gate: {coverage: 80%, shed: 5%}`.
    func coverageLimits(_ cutover: FieldReader) -> CoverageLimits {
        let (limits, gate) = (CoverageLimits(), cutover.fields("gate", keys: ["coverage", "shed"]))
        return CoverageLimits(
            compared: gate?.value("coverage", Values.percent) ?? limits.compared,
            shed: gate?.value("shed", Values.percent) ?? limits.shed)
    }

    struct FallbackTimes {
        var window: Duration = .seconds(30 * 86_400)
        var quiet: Duration = .seconds(7 * 86_400)
        var warnings: [Duration] = [.seconds(7 * 86_400), .seconds(86_400)]
    }

    /// `fallback: {window: 30d, quiet: 7d, warn: [7d, 1d]}`.
    func fallbackTimes() -> FallbackTimes {
        var times = FallbackTimes()
        guard let fallback = fields.fields("fallback", keys: ["window", "quiet", "warn"]) else { return times }
        times.window = fallback.value("window", Values.durationOrZero) ?? times.window
        times.quiet = fallback.value("quiet", Values.durationOrZero) ?? times.quiet
        guard let nodes = fallback.list("warn", of: "durations such as 7d") else { return times }
        times.warnings = nodes.compactMap { node in
            guard let warning = fields.source.value(node, "warn", Values.duration) else { return nil }
            if warning >= times.window {
                // The defaults are silent in a window of seconds; what somebody wrote is not.
                fields.source.report(
                    "`warn`: the window is over sooner than `\(node.scalar?.string ?? "")`",
                    fix: "expected less than `window`", at: node)
            }
            return warning
        }.sorted(by: >)
        return times
    }

    private static func interval(_ text: String) throws(ValueError) -> Duration {
        let interval = try Values.duration(text)
        guard interval >= .seconds(1), interval <= .seconds(3_600) else {
            throw ValueError("`\(text)` is out of range", fix: "expected 1s to 1h")
        }
        return interval
    }
}
