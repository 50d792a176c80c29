import DualWrite
import Spool
import Synchronization
import Testing

@Suite struct AppendTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `what was appended is read back, drained and found again after a restart`() throws {
        let records = someRecords(100)
        let (spool, before, _) = try opened(directory.path)
        #expect(before.isEmpty)
        let positions = try spool.appended(records).map { try $0.get() }
        #expect(positions == positions.sorted())
        for (record, position) in zip(records, positions) { #expect(try spool.readBack(position) == .success(record)) }
        #expect(try spool.drainable() == records)
        spool.close()
        #expect(try spool.appended([1]) == .failure(.closed))

        let (again, found, places) = try opened(directory.path)
        #expect(found == records)
        #expect(places == positions)
        #expect(again.id == spool.id)
        #expect(again.recovery.records == 100 && again.recovery.cut == nil)
        let more = someRecords(10, from: 100)
        _ = try again.appended(more).map { try $0.get() }
        #expect(try again.drainable() == records + more)
        again.close()
    }

    @Test func `an empty record is a record`() throws {
        let (spool, _, _) = try opened(directory.path)
        let position = try spool.appended([]).get()
        #expect(try spool.readBack(position) == .success([]))
        spool.close()
        let (again, found, _) = try opened(directory.path)
        #expect(found == [[]])
        again.close()
    }

    @Test func `segments follow each other, and a record larger than one has its own`() throws {
        var options = SpoolOptions.small
        options.segmentSize = 4096
        let (spool, _, _) = try opened(directory.path, options)
        let records = someRecords(50, size: 900) + [[UInt8](repeating: 7, count: 10_000)] + someRecords(5)
        for record in records { _ = try spool.appended(record).get() }
        #expect(spool.usage.segments > 3)
        #expect(try spool.drainable() == records)
        spool.close()
        let (again, found, _) = try opened(directory.path, options)
        #expect(found == records)
        again.close()
    }

    @Test func `a record above the limit is refused`() throws {
        var options = SpoolOptions.small
        options.recordLimit = 100
        let (spool, _, _) = try opened(directory.path, options)
        #expect(try spool.appended([UInt8](repeating: 1, count: 101)) == .failure(.tooLarge))
        #expect(throws: Never.self) { try spool.appended([UInt8](repeating: 1, count: 100)).get() }
        spool.close()
    }

    @Test func `threads that append at once are all answered, each in its order`() async throws {
        let (spool, _, _) = try opened(directory.path)
        let answers = (0..<8).map { _ in Answers() }
        await withTaskGroup(of: Void.self) { group in
            for (thread, answers) in answers.enumerated() {
                group.addTask {
                    for number in 0..<200 {
                        spool.append(Array("\(thread) \(number)".utf8), essential: false, answers.add)
                    }
                }
            }
        }
        for (thread, answers) in answers.enumerated() {
            let positions = try answers.wait(for: 200).map { try $0.get() }
            #expect(positions == positions.sorted())
            for (number, position) in positions.enumerated() where number % 20 == 0 {
                #expect(try spool.readBack(position) == .success(Array("\(thread) \(number)".utf8)))
            }
        }
        #expect(spool.usage.figures.appendedRecords == 1600)
        #expect(spool.usage.figures.commits < 1600)
        spool.close()
    }

    @Test func `a second process cannot have the spool, and is told who has it`() throws {
        let (spool, _, _) = try opened(directory.path)
        let error = #expect(throws: SpoolError.self) { try opened(directory.path) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("process ") == true)
        spool.close()
        let (again, _, _) = try opened(directory.path)
        again.close()
    }

    @Test func `files are for their owner only`() throws {
        let (spool, _, _) = try opened(directory.path + "/spool")
        _ = try spool.appended([1]).get()
        #expect(mode(directory.path + "/spool") == 0o700)
        for name in ["00000001.seg", "cursor", "gaps", "id", "lock"] {
            #expect(mode("\(directory.path)/spool/\(name)") == 0o600)
        }
        spool.close()
    }
}
