import AdminAPI
import Extraction
import Foundation
import Synchronization
import Testing

@testable import strangler

/// What the commands decide before anything is asked or written.
@Suite struct RequestFiles {
    @Test(arguments: [
        ("GET /a?b=1", "GET", "/a?b=1"), ("/a", "GET", "/a"), ("HEAD /a HTTP/1.1", "HEAD", "/a"),
        ("https://shop.example/a?b#c", "GET", "/a?b"), ("GET http://shop.example", "GET", "/"),
        (#"10.0.0.1 - ann [21/Nov/2026:04:00:00 +0000] "POST /a HTTP/2.0" 200 1 "http://x/" "curl 8""#, "POST", "/a"),
        (#"10.0.0.1 - - [x] "DELETE /a/b HTTP/1.0" 404 1"#, "DELETE", "/a/b"),
        ("/ä{b}|\"", "GET", "/%C3%A4%7Bb%7D%7C%22"),
        ("GET //evil.example/x", "GET", "//evil.example/x"),
    ])
    func `a line is a request`(line: String, method: String, target: String) {
        let request = RequestLine(line)
        #expect(request?.method == method && request?.target == target, "\(String(describing: request))")
    }

    @Test(arguments: [
        "", "nonsense", "get /a", "GET", "GET a", "GET /a /b", "GET /a FTP/1", "10.0.0.1 - - [x] \"-\" 400 0", "\"",
        "GET /\u{1}", "/a\u{7F}", "OPTIONS *", "CONNECT a:1", "10.0.0.1 - - \"\\x16\\x03\\x01\" 400 0",
    ])
    func `a line is none`(line: String) { #expect(RequestLine(line) == nil) }

    @Test func `a file is sorted, and each path asked about once`() async throws {
        let lines = [
            "GET /o/1?a", "GET /o/1?b", "/p/1", "POST /o", "TRACE /o/1", "rubbish", "# no", "GET /o/1?a", "/q", "/o/9",
        ]
        let asked = Mutex<[String]>([])
        var file = RequestFile()
        try await file.sort(lines[...].map { $0[...] }, of: "o", limit: 3) { (line) throws(ClientFailure) in
            asked.withLock { $0.append(line.target) }
            if line.path == "/q" { return nil }
            let name = line.path.hasPrefix("/o/") ? "o" : "p"
            return ExplainReport(
                extraction: name, endpoint: "GET /\(name)/{id}", primary: "monolith", shadow: nil, why: "")
        } progress: { _ in
        }
        #expect(file.sent.map(\.request.target) == ["/o/1?a", "/o/1?b", "/o/1?a"])
        #expect(file.different == 2 && file.sent.allSatisfy { $0.endpoint == "GET /o/{id}" })
        #expect(asked.withLock { $0 } == ["/o/1", "/p/1"])
        #expect(
            file.leftOut.mapValues(\.count) == [
                "belongs to p": 1, "may change something": 2, "not a request": 1, "beyond --count 3": 2,
            ])
    }
}

@Suite struct StoreRollbacks {
    /// A store in which somebody else is quicker, as often as the test says.
    private final class Contested: StageStore {
        struct Content {
            var state: ExtractionState
            var others: [ExtractionState]
            var applied: [StageTransition] = []
        }

        let content: Mutex<Content>

        init(_ state: ExtractionState, others: [ExtractionState]) {
            content = Mutex(Content(state: state, others: others))
        }

        func load() async throws -> [ExtractionState] { content.withLock { [$0.state] } }

        func apply(
            _ transition: StageTransition, actor: String, reason: String?, evidence: StageEvidence, at: Date
        ) async throws -> ExtractionState {
            try content.withLock { content in
                if !content.others.isEmpty { content.state = content.others.removeFirst() }
                guard content.state.version == transition.from.version else {
                    throw StageConflict(
                        name: transition.to.name, expected: transition.from.version, found: content.state.version,
                        stage: content.state.stage)
                }
                content.state = transition.to
                content.applied.append(transition)
                return transition.to
            }
        }

        func history(name: String, limit: Int) async throws -> [HistoryEntry] { [] }
    }

    private static func state(_ stage: Stage, _ hundredths: Int, version: Int64) -> ExtractionState {
        ExtractionState(
            name: "orders", stage: stage, weight: Weight(clamping: hundredths), since: SampleBackend.time,
            version: version, windowStartedAt: nil)
    }

    private let rollback = StoreRollback(name: "orders", actor: "ann", reason: nil)

    @Test func `it wins over whoever raises the weight meanwhile`() async throws {
        let store = Contested(
            Self.state(.cutover, 500, version: 7),
            others: [Self.state(.cutover, 2_500, version: 8), Self.state(.fallback, 10_000, version: 9)])
        let done = try await rollback.rollBack(on: store)
        #expect(done.written && done.version == 10)
        #expect(done.from == StagePoint(stage: .fallback, weight: .all))
        #expect(done.to == StagePoint(stage: .shadow, weight: .none))
    }

    @Test func `it does not go further back than somebody else's rollback just has`() async throws {
        let store = Contested(
            Self.state(.cutover, 500, version: 7), others: [Self.state(.shadow, 0, version: 8)])
        let done = try await rollback.rollBack(on: store)
        #expect(!done.written && done.to.stage == .shadow && done.version == 8)
        #expect(store.content.withLock { $0.applied.isEmpty })
        #expect(done.lines == ["orders was rolled back by somebody else meanwhile: it is at shadow 0%, version 8."])
    }

    @Test func `with now it says what is so already, and outdoes a rollback that waits`() async throws {
        let atOnce = StoreRollback(name: "orders", actor: "ann", reason: nil, atOnce: true)
        let waiting = Contested(Self.state(.cutover, 500, version: 7), others: [Self.state(.shadow, 0, version: 8)])
        let done = try await atOnce.rollBack(on: waiting)
        #expect(done.written && done.atOnce && done.to.stage == .shadow && done.version == 9)
        let early = Contested(Self.state(.parallel, 0, version: 8), others: [])
        let nothing = try await atOnce.rollBack(on: early)
        #expect(!nothing.written && early.content.withLock { $0.applied.isEmpty })
        #expect(
            nothing.lines == [
                "orders is at stage parallel already, where the monolith answers everything: nothing was changed"
            ])
    }

    @Test func `what cannot be rolled back, is not there or never holds still is refused`() async throws {
        let first = Contested(Self.state(.identified, 0, version: 1), others: [])
        await #expect(throws: Refusal.self) { try await rollback.rollBack(on: first) }
        let other = StoreRollback(name: "people", actor: "ann", reason: nil)
        await #expect(throws: ClientFailure.self) { try await other.rollBack(on: first) }
        let restless = Contested(
            Self.state(.cutover, 1, version: 1), others: (2...60).map { Self.state(.cutover, $0, version: Int64($0)) })
        let failure = await #expect(throws: ClientFailure.self) { try await rollback.rollBack(on: restless) }
        #expect(failure?.exit == .refused)
    }
}
