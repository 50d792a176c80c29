package import FoundationEssentials

/// What the proxy runs on, and whether that is what its files say.
package struct ConfigurationReport: Sendable, Codable, Equatable {
    /// 1 since the start, one more with each reload.
    package var generation: Int
    package var loadedAt: Date
    /// Of the files that are running, 16 hexadecimal digits: replicas with the same files show the same.
    package var digest: String
    /// The files on disk are what is running.
    package var current: Bool
    /// Why the files on disk could not be loaded, each with file, line and column; empty if they could.
    package var errors: [String]
    package var failedAt: Date?

    package init(
        generation: Int, loadedAt: Date, digest: String, current: Bool, errors: [String] = [], failedAt: Date? = nil
    ) {
        self.generation = generation
        self.loadedAt = loadedAt
        self.digest = digest
        self.current = current
        self.errors = errors
        self.failedAt = failedAt
    }

    /// What people have to know, in sentences; nothing when all is well.
    package var notices: [String] {
        let running = "configuration \(generation) of \(ReportText.time(loadedAt)) is running"
        if !errors.isEmpty {
            return ["The files on disk cannot be loaded (\(ReportText.counted(errors.count, "error"))); \(running)."]
                + errors
        }
        return current ? [] : ["The files on disk have changed and are not loaded yet; \(running)."]
    }
}
