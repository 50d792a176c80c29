import DualWrite
import Extraction
import Foundation
import Logging
import PostgresClient
import Testing

@testable import Spool
@testable import strangler

/// What the drain makes of spools that are damaged, or were.
@Suite struct LedgerDrainTests {
    private func facts(_ sequence: UInt64) -> WriteFacts {
        WriteFacts(
            id: WriteID(high: 1, low: sequence), sequence: sequence, at: 1, extraction: "orders",
            endpoint: "POST /orders",
            lane: 1, primary: .monolith)
    }

    private func appended(_ record: LedgerRecord, to spool: Spool) async throws {
        _ = try await withCheckedContinuation { continuation in
            spool.append(record.encoded, essential: true) { continuation.resume(returning: $0) }
        }.get()
    }

    @Test func `room is made behind a stretch that a repair has made void`() async throws {
        let directory = NSTemporaryDirectory() + "ledger-drain-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var options = SpoolOptions()
        options.segmentSize = 4 << 20
        let written = try Spool.open(directory: directory, options: options, logger: logger) { _, _ in }
        // More than is read at once.
        let large = [UInt8](repeating: 7, count: 2_000_000)
        try await appended(.intent(WriteIntent(facts: facts(1), requestHead: [], requestBody: large)), to: written)
        try await appended(.settled(facts(2), how: .neverSent), to: written)
        try await appended(.settled(facts(9), how: .neverSent), to: written)
        written.close()
        let path = "\(directory)/00000001.seg"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[1_000_000] ^= 0x55
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        _ = try Spool.repair(directory: directory)
        let spool = try Spool.open(directory: directory, options: options, logger: logger) { _, _ in }
        defer { spool.close() }
        let sorted = try LedgerDrain.sort(spool, before: .max, filedThrough: 5)
        #expect(sorted.end > spool.drained)
        #expect(sorted.kept == [LedgerRecord.settled(facts(2), how: .neverSent).encoded])
        #expect(sorted.shed == 1)
    }

    @Test func `a spool that cannot be read rests alone, and what Postgres has in part counts as filed`() {
        var figures = LedgerDrain.Figures()
        figures.attemptedThrough = 7
        figures.failed(PostgresError(.refused, "nobody there"), of: "own")
        #expect(figures.isFailing && figures.storeFailures == 1)
        #expect(figures.filedThrough == 0 && !figures.rests("own"))
        figures.attemptedThrough = 8
        figures.failed(PostgresError(.connectionLost, "gone"), of: "own")
        #expect(figures.filedThrough == 8)
        figures.isFailing = false
        figures.failed(SpoolError(.damaged, "at byte 7"), of: "adopted")
        #expect(!figures.isFailing && figures.storeFailures == 2 && figures.failures == 3)
        #expect(figures.rests("adopted") && !figures.rests("own"))
        figures.failed(CancellationError(), of: "own")
        #expect(!figures.isFailing && !figures.rests("own"))
    }
}
