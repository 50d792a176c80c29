import Extraction
import Foundation
import Logging

/// What a process leaves its successor of lanes: the sides that they have, and which of them wait. The successor cannot know
/// what is owed before it has the old one's ledger, and that is open until the old one ends.
struct HandedLanes: Codable, Sendable, Equatable {
    /// Cells of an extraction's board, see `LaneBoard`.
    struct Cells: Codable, Sendable, Equatable {
        var monolith: [Int] = []
        var service: [Int] = []
    }

    /// Goes up when a lane's cell is another one, or cells mean something else.
    static let currentVersion = 1

    var version = HandedLanes.currentVersion
    /// Who has written it.
    var process: Int32
    /// The states by which lanes have their sides.
    var sides: [ExtractionState]
    /// By the extraction's name.
    var owed: [String: Cells]
}

/// `lanes.json`, beside the cached stages. It need not outlive the machine: with that both processes are gone, and what
/// is owed is read from their spools.
struct HandedLanesFile: Sendable {
    private let path: String
    private let logger: Logger
    /// Some hundred extractions with every lane waiting.
    private static let maximumBytes = 64 << 20

    init(data: DataDirectory, logger: Logger) {
        path = data.file("lanes.json")
        self.logger = logger
    }

    /// Replaces the file whole.
    func save(_ lanes: HandedLanes) {
        do {
            try JSONEncoder().encode(lanes).write(to: URL(filePath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            logger.error("which lanes wait cannot be told to the successor: \(path): \(error.localizedDescription)")
        }
    }

    /// Nil if there is none, or none that can be understood. Each cell is one of a board's, and named once.
    func load() -> HandedLanes? {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else { return nil }
        do {
            guard size <= Self.maximumBytes else { throw StartError(description: "\(size) bytes") }
            var lanes = try JSONDecoder().decode(
                HandedLanes.self, from: try Data(contentsOf: URL(filePath: path)))
            guard lanes.version == HandedLanes.currentVersion else {
                throw StartError(description: "version \(lanes.version)")
            }
            lanes.owed = lanes.owed.mapValues {
                HandedLanes.Cells(monolith: Self.valid($0.monolith), service: Self.valid($0.service))
            }
            return lanes
        } catch {
            logger.warning("\(path) cannot be read and is ignored: \(error)")
            return nil
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    private static func valid(_ cells: [Int]) -> [Int] {
        Set(cells).filter { (0..<LaneBoard.cells).contains($0) }.sorted()
    }
}
