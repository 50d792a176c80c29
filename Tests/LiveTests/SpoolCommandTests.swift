import ArgumentParser
import Dispatch
import Foundation
import Spool
import Synchronization
import Testing

@testable import strangler

struct SpoolCommandTests {
    @Test func `damage is named by check, mended by repair, and the rest is there`() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "spool-command-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        var options = SpoolOptions()
        options.freeFloor = 0
        let directories = SpoolDirectories(root: root.path)
        let spool = try directories.claim(options: options)
        for number in 0..<3 {
            let answered = DispatchSemaphore(value: 0)
            spool.append([UInt8](repeating: UInt8(number), count: 100), essential: false) { _ in answered.signal() }
            answered.wait()
        }
        spool.close()
        #expect(run("check", root.path).code == 0)

        let segment = root.appending(path: "1/00000001.seg")
        var bytes = try Data(contentsOf: segment)
        bytes[bytes.startIndex + 64 + 116 + 50] ^= 1
        try bytes.write(to: segment)
        let found = run("check", root.path + "/1")
        #expect(found.code == 1 && found.text.contains("damaged: byte 180, 116 bytes"))
        let mended = run("repair", root.path)
        #expect(mended.code == 0 && mended.text.contains("1 place given up before"))
        #expect(run("check", root.path).code == 0)
        var records = 0
        try directories.claim(options: options) { _, _ in records += 1 }.close()
        #expect(records == 2)
        #expect(run("check", root.path + "/x").code == 1)
    }

    private func run(_ arguments: String...) -> (code: Int32, text: String) {
        let text = Mutex("")
        let add: @Sendable (String) -> Void = { line in text.withLock { $0 += line } }
        let terminal = Terminal(isColoured: false, output: add, complaints: add)
        let command = try? SpoolCommand.parseAsRoot(arguments)
        let code =
            switch command {
            case let check as SpoolCommand.Check: check.exitCode(on: terminal)
            case let repair as SpoolCommand.Repair: repair.exitCode(on: terminal)
            default: Int32(2)
            }
        return (code, text.withLock { $0 })
    }
}
