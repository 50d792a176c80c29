import AdminAPI
import Extraction
import Foundation

/// What sending a file's requests came to, for people and as JSON.
struct ReplayedRequests: Encodable {
    struct Endpoint: Encodable, Equatable {
        var endpoint: String
        var sent: Int
        var different: Int
        /// Comparisons that came of it, as far as they have been counted.
        var compared: Int
        /// What the gate says about it now; empty where the next gate does not ask.
        var requirements: [Requirement]
    }

    struct LeftOut: Encodable, Equatable {
        var reason: String
        var count: Int
        var example: String
    }

    var extraction: String
    /// Requests that were sent, answered or not.
    var sent: Int
    var different: Int
    /// It was stopped before the last.
    var interrupted: Bool
    var seconds: Double
    var byStatus: [String: Int]
    var failures: [String: Int]
    var leftOut: [LeftOut]
    var endpoints: [Endpoint]
    /// Requests of the extraction that the asked proxy itself has counted meanwhile.
    var counted: Int

    init(
        _ file: RequestFile, _ outcome: RequestReplay.Outcome, seconds: Double, before: ExtractionReport,
        after: ExtractionReport
    ) {
        extraction = after.extraction
        let done = file.sent.enumerated().filter { outcome.statuses[$0.offset] != nil }.map(\.element)
        sent = done.count
        different = Set(done.map(\.request)).count
        interrupted = sent < file.sent.count
        self.seconds = (seconds * 10).rounded() / 10
        byStatus = outcome.statuses.values.reduce(into: [:]) { counts, status in
            if let status { counts["\(status)", default: 0] += 1 }
        }
        failures = outcome.failures
        leftOut = file.leftOut.map { LeftOut(reason: $0.key, count: $0.value.count, example: $0.value.example) }
            .sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
        counted =
            after.traffic.monolith + after.traffic.service - before.traffic.monolith - before.traffic.service
        let compared = { (report: ExtractionReport, name: String) in
            report.endpoints?.first { $0.endpoint == name }?.verdicts.compared ?? 0
        }
        endpoints = Dictionary(grouping: done, by: \.endpoint).sorted { $0.key < $1.key }.map { name, requests in
            Endpoint(
                endpoint: name, sent: requests.count, different: Set(requests.map(\.request)).count,
                compared: max(0, compared(after, name) - compared(before, name)),
                requirements: after.gate.checklist.filter { $0.said.hasPrefix(name + ":") })
        }
    }

    func write(to terminal: Terminal) {
        let stopped = interrupted ? ", stopped before the end" : ""
        terminal.text(
            "\(ReportText.counted(sent, "request")) sent in \(ReportText.duration(max(1, seconds))), "
                + "\(ReportText.count(different)) of them different\(stopped)", paint: .bold)
        let statuses = byStatus.sorted { $0.key < $1.key }.map { "\($0.key) \(ReportText.count($0.value))" }
        if !statuses.isEmpty { terminal.field("by status", statuses.joined(separator: ", "), labelWidth: 11) }
        for (number, failure) in failures.sorted(by: { $0.key < $1.key }).enumerated() {
            terminal.field(
                number == 0 ? "no answer" : "", "\(failure.key) \(ReportText.count(failure.value))", labelWidth: 11,
                paint: .red)
        }
        for (number, left) in leftOut.enumerated() {
            terminal.field(
                number == 0 ? "left out" : "",
                "\(ReportText.count(left.count)) \(left.reason): \(TextLayout.cutMiddle(left.example, to: 50))",
                labelWidth: 11)
        }
        for endpoint in endpoints { write(endpoint, to: terminal) }
        if sent >= 20, different * 2 < sent {
            terminal.text(
                "Most were sent more than once: the same request over and over proves little beyond its first answers.",
                paint: .yellow)
        }
        if counted < sent - failures.values.reduce(0, +) {
            terminal.text(
                "The proxy that was asked has counted only \(ReportText.count(max(0, counted))) of them itself: is "
                    + "--through one of another?", paint: .yellow)
        }
    }

    private func write(_ endpoint: Endpoint, to terminal: Terminal) {
        terminal.text(endpoint.endpoint, paint: .bold)
        terminal.text(
            "\(ReportText.count(endpoint.sent)) sent (\(ReportText.count(endpoint.different)) different), "
                + "\(ReportText.count(endpoint.compared)) compared so far", indent: 2)
        for requirement in endpoint.requirements { StatusText.write(requirement, to: terminal) }
    }
}
