package import FoundationEssentials

/// The days in which the monolith stands by after cutover. Pure.
package struct FallbackWindow: Sendable, Equatable {
    package let began: Date
    package let ends: Date
    /// 1 on the first day; at most `days`. Windows shorter than a day have one.
    package let day: Int
    package let days: Int
    /// Seconds left; 0 when it is over.
    package let left: Double
    /// Said in the last days, at the times the route file's `fallback.warn` names; nil before, and when all is over.
    package let warning: String?

    /// Nil where no window runs: before `fallback`, and after a rollback.
    package init?(state: ExtractionState, definition: ExtractionDefinition, now: Date) {
        guard let began = state.windowStartedAt, state.stage == .fallback else { return nil }
        let length = definition.window.inSeconds
        self.began = began
        ends = began.addingTimeInterval(length)
        days = max(1, Int(min(length / 86_400, 1e6).rounded(.up)))
        let elapsed = max(0, now.timeIntervalSince(began))
        day = min(days, Int(min(elapsed / 86_400, 1e6)) + 1)
        let left = max(0, length - elapsed)
        self.left = left
        let isNear = definition.warnings.contains { left <= $0.inSeconds && $0.inSeconds < length }
        if left <= 0 {
            warning = "the fallback window is over: retire the extraction, or roll back"
        } else if isNear {
            warning = "the fallback window ends in \(readableTime(seconds: left))"
        } else {
            warning = nil
        }
    }
}
