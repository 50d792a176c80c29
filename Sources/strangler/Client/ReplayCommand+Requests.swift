import AdminAPI
import Extraction
import Foundation
import UnixSignals

// Evidence for endpoints that are asked too seldom: requests of a file, sent through the proxy.
extension ReplayCommand {
    private static let listener = "http://127.0.0.1:8080"
    /// Stages at which answers are compared.
    private static let comparing: [Stage] = [.shadow, .cutover, .fallback]

    func sendRequests(
        of file: String, _ admin: AdminClient, _ terminal: Terminal
    ) async throws(ClientFailure) {
        let before = try await report(admin)
        guard Self.comparing.contains(before.stage) else {
            throw ClientFailure(
                exit: .refused,
                message: "\(signature) is at stage \(before.stage.rawValue), where nothing is compared: "
                    + "advance it to shadow first")
        }
        let lines = try RequestFile.lines(of: file)
        // Ctrl-C ends the sending, and the summary of what was sent still comes.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let sending = Task { await work(lines, admin, terminal) }
        let ending = Task {
            for await _ in signals {
                sending.cancel()
                return
            }
        }
        let result = await sending.value
        ending.cancel()
        terminal.endProgress()
        let (sorted, outcome, seconds) = try result.get()
        guard !sorted.sent.isEmpty, !outcome.statuses.isEmpty else { throw nothing(sorted) }
        if outcome.answered == 0 {
            throw ClientFailure(
                exit: .unreachable, message: "nobody answers at \(base)",
                reasons: outcome.failures.keys.sorted())
        }
        let after = try await settled(admin, expecting: before.decided + outcome.answered, terminal)
        let replayed = ReplayedRequests(sorted, outcome, seconds: seconds, before: before, after: after)
        if client.json {
            guard let data = try? AdminJSON.data(replayed) else { return }
            terminal.write(String(decoding: data, as: UTF8.self))
        } else {
            replayed.write(to: terminal)
        }
        if replayed.interrupted || !replayed.failures.isEmpty { throw ClientFailure(exit: .refused, message: "") }
    }

    private var base: String { through?.text ?? Self.listener }

    private typealias Work = (sorted: RequestFile, outcome: RequestReplay.Outcome, seconds: Double)

    private func work(
        _ lines: [Substring], _ admin: AdminClient, _ terminal: Terminal
    ) async -> Result<Work, ClientFailure> {
        var sorted = RequestFile()
        do throws(ClientFailure) {
            try await sorted.sort(lines, of: signature, limit: count ?? 10_000) { (line) throws(ClientFailure) in
                try await explain(line, admin)
            } progress: { number in
                // A line is nothing; a bar that is drawn for each is.
                if number % 100 == 0 { terminal.progress(number, of: lines.count, "lines sorted") }
            }
        } catch {
            return .failure(error)
        }
        let requests = sorted.sent.map(\.request)
        let replay = RequestReplay(base: base, rate: rate ?? 50, headers: headers)
        let began = ContinuousClock.now
        let outcome = await replay.send(requests) { done in
            if requests.count < 200 || done % 10 == 0 { terminal.progress(done, of: requests.count, "requests sent") }
        }
        return .success((sorted, outcome, (ContinuousClock.now - began).inSeconds))
    }

    /// Nil for a path that the proxy answers 400 to.
    private func explain(_ line: RequestLine, _ admin: AdminClient) async throws(ClientFailure) -> ExplainReport? {
        // Routes may go by the host too.
        let host = headers.last { $0.name.lowercased() == "host" }?.value
        let url = (host.map { "http://\($0)" } ?? "") + line.path
        do throws(ClientFailure) {
            let data = try await admin.get(["explain"], query: [("method", line.method), ("url", url)])
            return try admin.shown(ExplainReport.self, data)
        } catch {
            if error.exit == .refused { return nil }
            throw error
        }
    }

    private func report(_ admin: AdminClient) async throws(ClientFailure) -> ExtractionReport {
        try admin.shown(ExtractionReport.self, try await admin.get(["extractions", signature]))
    }

    /// Comparing goes on after the last answer: waits until all are decided, or nothing more is for two seconds.
    private func settled(
        _ admin: AdminClient, expecting decided: Int, _ terminal: Terminal
    ) async throws(ClientFailure) -> ExtractionReport {
        var last = try await report(admin)
        var idle = 0
        while last.decided < decided, idle < 8, (try? await Task.sleep(for: .milliseconds(250))) != nil {
            let next = try await report(admin)
            idle = next.decided > last.decided ? 0 : idle + 1
            last = next
        }
        return last
    }

    private func nothing(_ sorted: RequestFile) -> ClientFailure {
        let reasons = sorted.leftOut.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map {
            "\(ReportText.count($0.value.count)) \($0.key): \(TextLayout.cutMiddle($0.value.example, to: 50))"
        }
        return ClientFailure(
            exit: .refused, message: "no request of the file could be sent for \(signature)", reasons: reasons)
    }
}

extension ExtractionReport {
    /// Requests of which a verdict was given, or which `sample` left out.
    fileprivate var decided: Int { shadow.seen + shadow.notSampled }
}
