internal import FoundationEssentials

extension Duration {
    /// In seconds, with a fraction.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// `29 d 23 h`, `4 min 10 s`, `0 s`: the two largest units of a time in seconds, for sentences that people read. Parts
/// of a second count as a whole one, so that "left" never says nothing while something is left.
func readableTime(seconds: Double) -> String {
    guard seconds > 0 else { return "0 s" }
    // A hundred thousand years are enough; Int conversion of more could trap.
    let whole = Int(min(seconds.rounded(.up), 3e12))
    let parts = [
        (whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s"),
    ]
    guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
    return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
}

/// `2026-11-21 04:00:00 UTC`.
func readableMoment(_ date: Date) -> String {
    date.formatted(
        Date.ISO8601FormatStyle().year().month().day().dateTimeSeparator(.space).time(
            includingFractionalSeconds: false)
    ) + " UTC"
}

func readableTime(_ duration: Duration) -> String { readableTime(seconds: duration.inSeconds) }

/// `1 write`, `3 writes`.
func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

/// Rounded up to two decimals, so that what is over a limit never reads as equal to it.
func readableShare(_ share: Share) -> String {
    guard share.total > 0 else { return "0%" }
    return readableShare(share.rate)
}

/// - Parameter rate: 0...1.
func readableShare(_ rate: Double) -> String {
    let hundredths = (rate * 10_000 - 1e-9).rounded(.up)
    return Weight(clamping: Int(min(max(hundredths, 0), 10_000))).description
}

/// `a, b and 3 more`.
func listed(_ names: [String], atMost limit: Int = 3) -> String {
    let rest = names.count - limit
    return names.prefix(limit).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
}
