import Extraction
import Foundation
import Logging

/// The last known stages on local disk, so that a restart without Postgres goes on serving what it served.
struct StateCache: Sendable {
    private let file: String
    private let logger: Logger

    init(data: DataDirectory, logger: Logger) {
        file = data.file("stages.json")
        self.logger = logger
    }

    func load() -> [ExtractionState] {
        guard let data = FileManager.default.contents(atPath: file) else { return [] }
        do {
            return try JSONDecoder().decode([ExtractionState].self, from: data)
        } catch {
            logger.warning("the cached stages in \(file) cannot be read and are ignored: \(error)")
            return []
        }
    }

    /// Replaces the file whole, so that a crash leaves the old one or the new one.
    func save(_ states: [ExtractionState]) {
        do {
            try JSONEncoder().encode(states).write(to: URL(filePath: file), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        } catch {
            logger.warning("cannot cache the stages in \(file): \(error.localizedDescription)")
        }
    }
}
