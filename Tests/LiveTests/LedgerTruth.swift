import DualWrite
import Foundation
import PostgresClient
import Testing

/// What clients, both systems and Postgres know of every single write, held against each other by name and id, when nothing
/// is under way any more. The monolith is primary and takes whatever it gets.
///
/// 1. What a client was told is done is at the service, or its id is listed as uncertain. So is all else that the monolith
///    has, whether its client heard of it or not.
/// 2. In each lane the service got things in the order in which their client made them, and has of what was
///    acknowledged just what is not uncertain.
/// 3. Nothing is uncertain or dead that the service has. There is no exception where the disk holds and the service answers:
///    a delivery begins when its outcome is on disk, and of what has an outcome on disk nothing is uncertain. The
///    monolith may have what is uncertain, or not: its intent was on disk before.
/// 4. The service has nothing that the monolith has not, and nothing that a client was refused.
/// 5. A write has one id, with both and in Postgres, and comes with one key however often it comes: its client's, or that id.
/// 6. Postgres says of each that it is settled, and only of what the service has; nothing is open there.
struct LedgerTruth {
    /// Of `strangler.writes`.
    struct Row {
        let state: String
        let reason: String?
        /// By its payload, of a dead or uncertain one.
        let write: WriteName?
    }

    private let clients: [String: WritingClients.Lane]
    private let monolith: WrittenOrigin.Record
    private let service: WrittenOrigin.Record
    /// By id.
    let rows: [String: Row]
    private let ids: (monolith: [WriteName: String], service: [WriteName: String])
    /// What does not hold.
    private(set) var faults: [String] = []
    private(set) var acknowledged = 0
    /// Acknowledged, and uncertain all the same.
    private(set) var lostTrackOf = 0
    /// The monolith has them, and Postgres has never heard of them.
    private(set) var unfiled = 0

    /// - Parameter mayBeUnfiled: Postgres was away for longer than there was room for.
    init(_ scene: LedgerScene, _ clients: WritingClients, mayBeUnfiled: Bool = false) async throws {
        self.clients = clients.lanes
        monolith = scene.monolith.record
        service = scene.service.record
        rows = try await Self.rows(scene.database)
        ids = (monolith.ids.compactMapValues(\.first), service.ids.compactMapValues(\.first))
        judgeLanes()
        judgeIdentities()
        judgeRows(mayBeUnfiled: mayBeUnfiled)
    }

    private static func rows(_ database: String) async throws -> [String: Row] {
        let connection = try await PostgresConnection.connect(database)
        let found = try await connection.query(
            """
            SELECT id, state, reason, CASE WHEN payload IS NOT NULL THEN encode(payload, 'base64') END AS payload
            FROM strangler.writes WHERE extraction = 'orders'
            """)
        await connection.close()
        var rows: [String: Row] = [:]
        for row in found {
            let payload = try row.optionalText("payload").flatMap {
                Data(base64Encoded: $0, options: .ignoreUnknownCharacters)
            }
            var write: WriteName?
            if let payload, case .carried(let open)? = LedgerRecord([UInt8](payload)) {
                write = WriteName(body: open.intent.requestBody)
            }
            rows[try row.text("id")] = Row(
                state: try row.text("state"), reason: try row.optionalText("reason"), write: write)
        }
        return rows
    }

    /// Ids of those in this state.
    func ids(_ state: String) -> Set<String> { Set(rows.filter { $0.value.state == state }.keys) }

    private func isUncertain(_ write: WriteName) -> Bool {
        guard let id = ids.monolith[write], let row = rows[id] else { return false }
        return row.state == "uncertain" && row.write == write
    }

    private func told(_ write: WriteName) -> String {
        guard let id = ids.monolith[write] else { return "\(write), which the monolith never got," }
        return "\(write) (\(id), \(rows[id].map { "\($0.state) \($0.reason ?? "")" } ?? "not listed"))"
    }

    private mutating func judgeLanes() {
        for (name, lane) in clients {
            acknowledged += lane.acknowledged.count
            var expected: [Int] = []
            for number in lane.acknowledged {
                let write = WriteName(lane: name, number: number)
                if isUncertain(write) {
                    lostTrackOf += 1
                } else {
                    expected.append(number)
                    if ids.service[write] == nil { faults.append("\(told(write)) is acknowledged and lost") }
                }
            }
            let delivered = service.written.filter { $0.lane == name }.map(\.number)
            if !zip(delivered, delivered.dropFirst()).allSatisfy(<) { faults.append("\(name) came out of order") }
            let known = Set(lane.acknowledged)
            if delivered.filter(known.contains) != expected {
                faults.append("\(name) is not what was acknowledged, in its order")
            }
            for number in lane.refused.keys {
                let write = WriteName(lane: name, number: number)
                if ids.monolith[write] != nil || ids.service[write] != nil {
                    faults.append("\(told(write)) was refused, and is there")
                }
            }
        }
        for (write, id) in ids.monolith where ids.service[write] == nil && !isUncertain(write) {
            faults.append("the monolith alone has \(told(write)), \(id)")
        }
    }

    private mutating func judgeIdentities() {
        for (write, known) in monolith.ids where known.count != 1 {
            faults.append("\(write) came to the monolith as \(known)")
        }
        for (write, known) in service.ids {
            if known != monolith.ids[write] { faults.append("the service got \(told(write)) as \(known)") }
            let key = WritingClients.ownKey(of: write) ?? ids.service[write]
            if service.keys[write] != Set([key].compactMap(\.self)) {
                faults.append("\(told(write)) came with the keys \(service.keys[write] ?? [])")
            }
        }
        faults += service.written.filter { !$0.isShadowed }.map { "\($0.write) came to the service unmarked" }
    }

    private mutating func judgeRows(mayBeUnfiled: Bool) {
        let atService = Dictionary(ids.service.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let atMonolith = Dictionary(ids.monolith.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (id, row) in rows {
            switch row.state {
            case "settled":
                if atService[id] == nil { faults.append("\(id) is settled, and the service never got it") }
            case "uncertain":
                guard let write = row.write else {
                    faults.append("\(id) is uncertain, without a payload of a client's")
                    continue
                }
                if atService[id] != nil { faults.append("\(told(write)) is uncertain, and the service has it") }
                if let other = atMonolith[id], other != write { faults.append("\(id) is \(write) and \(other)") }
                if write.number > clients[write.lane]?.sent ?? 0 { faults.append("nobody ever sent \(write)") }
            case "refused":
                if let write = atMonolith[id] { faults.append("\(told(write)) is refused, and the monolith has it") }
            default:
                faults.append("\(atMonolith[id].map { told($0) } ?? id) stands as \(row.state) (\(row.reason ?? ""))")
            }
        }
        for (id, write) in atMonolith where rows[id] == nil {
            unfiled += 1
            if !mayBeUnfiled { faults.append("Postgres does not know \(told(write))") }
        }
        for (id, write) in atService where (rows[id]?.state ?? "settled") != "settled" {
            faults.append("the service has \(told(write)), \(id)")
        }
    }

    /// Fails the test for what does not hold.
    func expectWhole(_ context: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            faults.count == 0, "\(context) \(faults.count) faults: \(faults.prefix(20).joined(separator: "\n"))",
            sourceLocation: sourceLocation)
    }
}
