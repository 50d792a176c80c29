import AdminAPI
import ArgumentParser
import Foundation

struct ReplicasCommand: AdminCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicas", abstract: "List the proxies that run on the same Postgres, and what each serves.",
        discussion: "Exit codes: 0 all are heard of and serve the newest state, 1 one is silent or behind.")

    @OptionGroup var client: ClientOptions

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        let data = try await admin.get(["replicas"])
        let replicas = try admin.shown([ReplicaReport].self, data)
        try show([ReplicaReport].self, data, admin, terminal) { replicas in
            if replicas.isEmpty { terminal.write("no replica is known") }
            for replica in replicas { Self.write(replica, now: Date(), to: terminal) }
        }
        if replicas.contains(where: { !$0.gone && ($0.silent || $0.extractions.values.contains(where: \.behind)) }) {
            throw ClientFailure(exit: .refused, message: "")
        }
    }

    private static func write(_ replica: ReplicaReport, now: Date, to terminal: Terminal) {
        let marks = [replica.current ? "answers this" : nil, replica.guarding ? "guard" : nil].compactMap(\.self)
        terminal.write(
            terminal.paint(TextLayout.cutMiddle(replica.id, to: terminal.textWidth - 34), .bold)
                + " version \(TextLayout.cut(replica.version, to: 10))"
                + (marks.isEmpty ? "" : ", " + marks.joined(separator: ", ")))
        terminal.field("running", "\(ReportText.duration(now.timeIntervalSince(replica.startedAt)))", labelWidth: 11)
        let heartbeat =
            replica.gone
            ? "not for \(ReportText.duration(replica.age)), given up"
            : replica.silent ? "silent for \(ReportText.duration(replica.age))" : ReportText.age(replica.age)
        terminal.field("heartbeat", heartbeat, labelWidth: 11, paint: replica.gone ? .dim : replica.silent ? .red : nil)
        for (number, entry) in replica.extractions.sorted(by: { $0.key < $1.key }).enumerated() {
            let (name, served) = entry
            let rest = [
                served.behind ? "BEHIND" : nil,
                served.backlog > 0 ? "\(ReportText.counted(served.backlog, "write")) to deliver" : nil,
                served.openBreakers > 0 ? "\(ReportText.counted(served.openBreakers, "circuit breaker")) open" : nil,
            ].compactMap(\.self)
            terminal.field(
                number == 0 ? "serves" : "",
                (["\(name) version \(served.version)"] + rest).joined(separator: ", "), labelWidth: 11,
                paint: served.behind ? .yellow : nil)
        }
    }
}
