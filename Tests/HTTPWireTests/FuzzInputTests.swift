import Foundation
import FuzzProperties
import Testing

/// The fuzzer's seeds, and every input that once broke a property, against the properties that the fuzzer checks.
struct FuzzInputTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzzing")

    private static func inputs(_ kind: String, of target: FuzzTarget) throws -> [URL] {
        let place = folder.appending(path: kind).appending(path: target.rawValue)
        guard FileManager.default.fileExists(atPath: place.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            .filter { !$0.lastPathComponent.hasPrefix(".") }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `every seed holds the properties, and seeds reach more than one end`(target: FuzzTarget) throws {
        var ends: [Outcome] = []
        for file in try FuzzInputTests.inputs("corpus", of: target) { ends.append(try replay(file, target)) }
        #expect(ends.contains(.accepted))
        if target != .requestForwarding, target != .responseForwarding { #expect(ends.contains(.refused)) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `what the fuzzer has found stays fixed`(target: FuzzTarget) throws {
        for file in try FuzzInputTests.inputs("findings", of: target) { try replay(file, target) }
    }

    @Test func `findings are where they are looked for`() throws {
        let found = try FuzzTarget.allCases.flatMap { try FuzzInputTests.inputs("findings", of: $0) }
        #expect(found.count >= 6)
    }

    @discardableResult
    private func replay(_ file: URL, _ target: FuzzTarget) throws -> Outcome {
        let bytes = try [UInt8](Data(contentsOf: file))
        return try #require(check(bytes, target), "\(target.rawValue)/\(file.lastPathComponent)")
    }
}

/// What became of the bytes; a broken property is an issue, and nil.
func check(_ bytes: [UInt8], _ target: FuzzTarget) -> Outcome? {
    do {
        return try bytes.withUnsafeBytes { try target.check($0) }
    } catch {
        Issue.record("\(target.rawValue): \(error): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        return nil
    }
}
