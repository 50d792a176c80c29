import Extraction
import Foundation
import Logging
import Testing

@testable import strangler

/// The file by which a process tells its successor which lanes wait.
@Suite struct HandedLanesTests {
    private func inFolder(_ body: (HandedLanesFile, String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/lanes-" + UUID().uuidString.prefix(8)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        try body(HandedLanesFile(data: try DataDirectory(path: folder), logger: logger), folder + "/lanes.json")
    }

    private func lanes(_ monolith: [Int] = [], _ service: [Int] = []) -> HandedLanes {
        HandedLanes(
            process: 7, sides: [.initial(name: "orders", now: Date(timeIntervalSince1970: 1_795_233_600))],
            owed: ["orders": .init(monolith: monolith, service: service)])
    }

    @Test func `every cell of a board comes through, and the file can go`() throws {
        try inFolder { file, path in
            #expect(file.load() == nil)
            let all = lanes(Array(0..<LaneBoard.cells), [3])
            file.save(all)
            #expect(file.load() == all)
            file.save(lanes([1]))
            #expect(file.load() == lanes([1]))
            file.remove()
            #expect(file.load() == nil && !FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `what is no cell, or named twice, is left out`() throws {
        try inFolder { file, _ in
            file.save(lanes([5, 5, -1, LaneBoard.cells, 2], [.max]))
            #expect(file.load() == lanes([2, 5]))
        }
    }

    @Test func `of a later version, cut short or too large, it counts as missing`() throws {
        try inFolder { file, path in
            var later = lanes()
            later.version += 1
            file.save(later)
            #expect(file.load() == nil)
            file.save(lanes([1, 2, 3]))
            let whole = try Data(contentsOf: URL(filePath: path))
            try whole.dropLast().write(to: URL(filePath: path))
            #expect(file.load() == nil)
            #expect(truncate(path, 1 << 30) == 0)
            #expect(file.load() == nil)
        }
    }
}
