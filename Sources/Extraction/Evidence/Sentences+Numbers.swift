internal import FoundationEssentials

/// `38%`, `4.2%`, `0.03%`, `less than 0.01%`: as exact as a person needs it.
func readablePart(_ part: Double) -> String {
    guard part > 0 else { return part < 0 ? "-" + readablePart(-part) : "0%" }
    // Beyond it nobody reads on; converting infinity would trap.
    let hundredths = Int(min(part * 10_000, 1e9).rounded())
    switch hundredths {
    case 0: return "less than 0.01%"
    case ..<100: return "0." + (hundredths < 10 ? "0" : "") + "\(hundredths)%"
    case ..<1_000: return "\((hundredths + 5) / 100).\((hundredths + 5) / 10 % 10)%".replacing(".0%", with: "%")
    default: return "\((hundredths + 50) / 100)%"
    }
}

/// `5.2`, `12`.
func readableTimes(_ times: Double) -> String {
    let tenths = Int(min(max(times * 10, 0), 1e9).rounded())
    return tenths >= 100 || tenths % 10 == 0 ? "\((tenths + 5) / 10)" : "\(tenths / 10).\(tenths % 10)"
}

/// `2.1 s`, `120 ms`, `3.5 ms`.
func readableMilliseconds(_ nanoseconds: Int64) -> String {
    let milliseconds = Double(nanoseconds) / 1e6
    return milliseconds >= 1000 ? "\(readableTimes(milliseconds / 1000)) s" : "\(readableTimes(milliseconds)) ms"
}
