extension ComparisonRules {
    /// What each rule says, parallel to ``ComparisonResult/hiddenByRule``: `ignore $.requestId`.
    package var names: [String] { ignore.map { "ignore \($0.path)" } }
}
