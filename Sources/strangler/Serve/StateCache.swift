import Extraction
import Foundation
import Logging

/// The last known stages on local disk, so that a restart without Postgres goes on serving what it served.
struct StateCache: Sendable {
    /// What goes with the states from one process to the next.
    let lanes: HandedLanesFile
    private let file: String
    private let logger: Logger

    init(data: DataDirectory, logger: Logger) {
        file = data.file("stages.json")
        lanes = HandedLanesFile(data: data, logger: logger)
        self.logger = logger
    }

    /// By the extraction's name.
    func load() -> [String: ExtractionState] {
        guard let data = FileManager.default.contents(atPath: file) else { return [:] }
        do {
            let states = try JSONDecoder().decode([ExtractionState].self, from: data)
            return Dictionary(states.map { ($0.name, $0) }) { $0.version >= $1.version ? $0 : $1 }
        } catch {
            logger.warning("the cached stages in \(file) cannot be read and are ignored: \(error)")
            return [:]
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
