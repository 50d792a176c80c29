package import Extraction

/// What retiring an extraction leaves behind, or would.
package struct RetireAnswer: Sendable, Codable, Equatable {
    /// Nothing is retired yet: this is what it would leave behind as things stand.
    package var preview: Bool
    package var stage: Stage
    /// To `retired`; nil when it is.
    package var gate: GateReport?
    package var report: RetireReport

    package init(preview: Bool, stage: Stage, gate: GateReport?, report: RetireReport) {
        self.preview = preview
        self.stage = stage
        self.gate = gate
        self.report = report
    }
}
