import Comparison
import Foundation

/// What a comparison costs, on one core, as a Markdown table. How to run it: `Tests/Benchmarks/README.md`.
///
/// What does not find what it has to find ends the run: the figure of a wrong answer is none.
@main
struct Benchmark {
    private static let rounds = 7
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private static let redactor = Redactor(key: Array("benchmark".utf8))

    static func main() {
        row("case", "figure", "target")
        row("---", "---", "---")
        identical()
        shuffled()
        large()
        small(rules: .none, "no rules")
        small(rules: rules, "12 rules")
    }

    // MARK: - Cases

    private static func identical() {
        let body = Bodies.pair(seed: 1, bytes: 1 << 20).primary
        let copy = body.map { $0 }
        let comparer = Comparer(rules: .none, redactor: redactor)
        let seconds = median {
            for _ in 0..<200 { check(comparer.compare(primary: answer(body), shadow: answer(copy), now: now), .match) }
        }
        row("identical, 1 MiB", rate(200 * 2 * body.count, seconds), "2 GB/s")
    }

    private static func shuffled() {
        let pair = Bodies.pair(seed: 2, bytes: 10 * 1024)
        let comparer = Comparer(rules: .none, redactor: redactor)
        let times = 500
        let bytes = times * (pair.primary.count + pair.shadow.count)
        let ours = median {
            for _ in 0..<times {
                check(comparer.compare(primary: answer(pair.primary), shadow: answer(pair.shadow), now: now), .match)
            }
        }
        let (left, right) = (Data(pair.primary), Data(pair.shadow))
        let fewer = times / 20
        let parsed = median {
            for _ in 0..<fewer {
                let one = try? JSONSerialization.jsonObject(with: left)
                let other = try? JSONSerialization.jsonObject(with: right)
                guard one != nil, other != nil else { fatalError("JSONSerialization reads nothing") }
            }
        }
        let foundation = median {
            for _ in 0..<fewer {
                let one = try? JSONSerialization.jsonObject(with: left) as? NSDictionary
                let other = try? JSONSerialization.jsonObject(with: right) as? NSDictionary
                guard let one, let other, one.isEqual(other) else { fatalError("JSONSerialization finds a difference") }
            }
        }
        row("10 KiB JSON, members in another order", rate(bytes, ours), "150 MB/s")
        row("JSONSerialization of both, without comparing", rate(bytes / 20, parsed), "")
        row("JSONSerialization of both and isEqual", rate(bytes / 20, foundation), "")
        row("ratio to JSONSerialization", String(format: "%.0f ×", foundation * 20 / ours), "3 ×")
        let ruled = Comparer(rules: rules, redactor: redactor)
        let withRules = median {
            for _ in 0..<times {
                check(ruled.compare(primary: answer(pair.primary), shadow: answer(pair.shadow), now: now), .match)
            }
        }
        row("the same under 12 rules", rate(bytes, withRules), "")
    }

    private static func large() {
        let pair = Bodies.pair(seed: 3, bytes: 10 << 20)
        let comparer = Comparer(rules: .none, redactor: redactor)
        let before = residentBytes
        let seconds = median {
            check(comparer.compare(primary: answer(pair.primary), shadow: answer(pair.shadow), now: now), .match)
        }
        let peak = Double(max(0, peakResidentBytes - before)) / Double(pair.primary.count + pair.shadow.count)
        row("10 MiB JSON pair, members in another order", String(format: "%.0f ms", seconds * 1000), "1 s")
        row("peak memory beyond the bodies", String(format: "%.1f × the bodies", peak), "")
    }

    /// Status, headers, body, verdict, signature and the batch, one pair in a hundred a mismatch.
    private static func small(rules: ComparisonRules, _ label: String) {
        var bodies = Bodies(seed: 4)
        let pairs = (0..<1_000).map { bodies.smallPair(differs: $0 % 100 == 0) }
            .map { (answer($0.primary), answer($0.shadow)) }
        let comparer = Comparer(rules: rules, redactor: redactor)
        let times = 20
        let seconds = median {
            var batch = EvidenceBatch()
            for _ in 0..<times {
                for (primary, shadow) in pairs {
                    let result = comparer.compare(primary: primary, shadow: shadow, now: now)
                    batch.count(
                        VerdictKey(
                            extraction: "orders", endpoint: "GET /api/v1/orders/{id}", verdict: result.verdict,
                            statusClass: 2))
                    guard result.verdict == .mismatch else { continue }
                    let signature = MismatchSignature(
                        extraction: "orders", endpoint: "GET /api/v1/orders/{id}", differences: result.differences)
                    batch.addWithoutExample(signature, at: now)
                }
            }
            let mismatches = batch.mismatchCounts.values.reduce(0) { $0 + $1.count }
            guard mismatches == times * pairs.count / 100 else { fatalError("\(mismatches) mismatches") }
        }
        let size = pairs.reduce(0) { $0 + $1.0.body.count } / pairs.count
        row(
            "pairs of \(size)-byte bodies, \(label), 1 % differ",
            String(format: "%.0f per second", Double(times * pairs.count) / seconds), "50,000 per second")
    }

    // MARK: - Measuring

    private static let rules: ComparisonRules = {
        func path(_ text: String) -> PathPattern {
            do { return try PathPattern(text) } catch { fatalError("\(text): \(error)") }
        }
        return ComparisonRules(
            ignore: ["$.requestId", "$..etag", "$.meta", "$.debug.trace", "$.orders[*].version", "header.x-served"]
                .map { IgnoreRule(path: path($0)) },
            unordered: ["$.tags", "$.orders[*].labels"].map { UnorderedRule(path: path($0)) },
            tolerance: [
                ToleranceRule(path: path("$.orders[*].createdAt"), kind: .time(seconds: 2)),
                ToleranceRule(path: path("$.createdAt"), kind: .time(seconds: 2)),
                ToleranceRule(path: path("$.discount"), kind: .number(0.005)),
                ToleranceRule(path: path("$..weight"), kind: .number(0.1)),
            ])
    }()

    private static func answer(_ body: [UInt8]) -> Answer {
        Answer(
            status: 200,
            headers: [
                HeaderField(name: "Content-Type", value: "application/json; charset=utf-8"),
                HeaderField(name: "Cache-Control", value: "no-store"),
                HeaderField(name: "Date", value: "Sat, 21 Nov 2026 04:00:00 GMT"),
            ], body: body)
    }

    private static func check(_ result: Comparison.ComparisonResult, _ verdict: Verdict) {
        guard result.verdict == verdict else { fatalError("the verdict is \(result.verdict)") }
    }

    /// Seconds of the processor: one round to warm up, and the median of the others.
    private static func median(_ work: () -> Void) -> Double {
        work()
        let seconds = (0..<rounds).map { _ in
            let start = processorSeconds
            work()
            return processorSeconds - start
        }
        return seconds.sorted()[rounds / 2]
    }

    /// What this process has used: a machine with other work to do would stretch the clock on the wall.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }

    private static func rate(_ bytes: Int, _ seconds: Double) -> String {
        let megabytes = Double(bytes) / seconds / 1_000_000
        return megabytes > 2_000
            ? String(format: "%.1f GB/s", megabytes / 1_000) : String(format: "%.0f MB/s", megabytes)
    }

    private static func row(_ name: String, _ figure: String, _ target: String) {
        FileHandle.standardOutput.write(Data("| \(name) | \(figure) | \(target) |\n".utf8))
    }

    private static var residentBytes: Int { statusBytes("VmRSS:") }
    private static var peakResidentBytes: Int { statusBytes("VmHWM:") }

    /// 0 where there is no /proc.
    private static func statusBytes(_ field: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
            let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return number * 1024
    }
}

extension Bodies {
    static func pair(seed: UInt64, bytes: Int) -> (primary: [UInt8], shadow: [UInt8]) {
        var bodies = Bodies(seed: seed)
        return bodies.shuffledPair(bytes: bytes)
    }
}
