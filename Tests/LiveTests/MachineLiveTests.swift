import AsyncHTTPClient
import Extraction
import Foundation
import Glibc
import Logging
import NIOCore
import PostgresClient
import PostgresStore
import Synchronization
import Testing

@testable import strangler

/// The commands against running proxies and a real Postgres.
@Suite(.serialized) struct MachineLiveTests {
    static func orders(_ service: Int) -> String {
        """
        extraction: orders
        problem: "Releases wait."
        because: [scale-variance, team-size]
        match: [{path: "/orders/**"}]
        service: {url: "http://127.0.0.1:\(service)", health: {path: /}}
        """
    }

    private func untilConnected(_ proxy: RunningProxy) async throws {
        try await eventually("the store is there") {
            try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output.contains(
                #""storeConnected":true"#)
        }
    }

    private func state(_ proxy: RunningProxy) async throws -> (stage: String?, weight: JSONTree?) {
        let status = try JSONTree(
            try await Program.run("status", "orders", "--json", "--admin", proxy.admin).output)
        return (status["stage"]?.text, status["weight"])
    }

    @Test func `a rollback goes straight to Postgres, and a running proxy follows; also one that starts later`()
        async throws
    {
        let folder = NSTemporaryDirectory() + "strangler-store-" + UUID().uuidString.prefix(8)
        let postgres = PrivatePostgres(directory: folder, logger: Logger(label: "test"))
        let keywords = try await postgres.start()
        let host = try #require(keywords.firstMatch(of: #/host='([^']*)'/#)?.1)
        let encoded = host.replacing("/", with: "%2F")
        let url = "postgres://strangler@/strangler?host=\(encoded)&port=5432"
        let origin = try await Origin()
        let nothing = try await Program.run("rollback", "orders", "--store", url)
        #expect(nothing.status == 1 && nothing.error.contains("no schema of Strangler"), "\(nothing)")

        let files = [
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port, store: "store: {url: \"\(url)\"}"),
            "Routes/orders.yaml": Self.orders(origin.port),
        ]
        let deployment = try Deployment(files)
        let proxy = try await RunningProxy(deployment)
        try await untilConnected(proxy)
        for arguments in [["advance", "orders", "--to", "cutover"], ["cutover", "orders", "--to", "25%"]] {
            let done = try await Program.run(
                arguments + (arguments[0] == "advance" ? ["--force"] : []) + ["--reason", "r", "--admin", proxy.admin])
            #expect(done.status == 0, "\(done)")
        }
        let unknown = try await Program.run("rollback", "people", "--store", url)
        #expect(unknown.status == 1 && unknown.error.contains("known: orders"), "\(unknown)")

        let done = try await Program.run("rollback", "orders", "--store", url, "--reason", "at night")
        #expect(done.status == 0 && done.output.contains("orders: cutover 25% → shadow 0%, written"), "\(done)")
        try await eventually(pause: 20, "the proxy follows") { try await state(proxy).stage == "shadow" }
        let history = try await Program.run("history", "orders", "--json", "--admin", proxy.admin)
        #expect(history.output.contains(#""action":"rollback""#) && history.output.contains(#""reason":"at night""#))

        #expect(await proxy.stop().status == 0)
        let stopped = try await Program.run("rollback", "orders", "--store", url, "--json")
        #expect(stopped.status == 0, "\(stopped)")
        #expect(try JSONTree(stopped.output)["to"]?["stage"] == .string("parallel"))
        let later = try await RunningProxy(deployment)
        try await untilConnected(later)
        try await eventually("it begins there") { try await state(later).stage == "parallel" }
        #expect(await later.stop().status == 0)

        await postgres.stop()
        let away = try await Program.run("rollback", "orders", "--store", url)
        #expect(away.status == 3 && away.error.hasPrefix("strangler: Postgres cannot be reached: "), "\(away)")
        #expect(away.error.split(separator: "\n").count == 1)
        await origin.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    @Test func `a proxy's own Postgres is reached by its data folder`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
            "Routes/orders.yaml": Self.orders(origin.port),
        ])
        let proxy = try await RunningProxy(deployment)
        try await untilConnected(proxy)
        let advanced = try await Program.run(
            "advance", "orders", "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin)
        #expect(advanced.status == 0, "\(advanced)")
        let data = deployment.folder + "/data"
        let done = try await Program.run("rollback", "orders", "--store", data)
        #expect(done.status == 0, "\(done)")
        try await eventually("the proxy follows") { try await state(proxy).stage == "parallel" }
        #expect(await proxy.stop().status == 0)
        let away = try await Program.run("rollback", "orders", "--store", data)
        #expect(away.status == 3 && away.error.split(separator: "\n").count == 1, "\(away)")
        await origin.close()
    }

    @Test func `waivers, ramp, pause and metrics of a real proxy`() async throws {
        let origin = try await Origin()
        let proxy = try await RunningProxy(
            Deployment([
                "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
                "Routes/orders.yaml": Self.orders(origin.port),
            ]))
        try await untilConnected(proxy)
        let run = { (arguments: [String]) in try await Program.run(arguments + ["--admin", proxy.admin]) }
        #expect(try await run(["advance", "orders", "--to", "shadow", "--force", "--reason", "r"]).status == 0)
        try await eventually("an endpoint is known") {
            for path in ["/orders/1", "/orders/2"] {
                let answer = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "http://127.0.0.1:\(proxy.port)\(path)"), timeout: .seconds(30))
                _ = try await answer.body.collect(upTo: 1 << 20)
            }
            return try await run(["status", "orders"]).output.contains("needs 2995 clean comparisons")
        }
        let status = try JSONTree(try await run(["status", "orders", "--json"]).output)
        let said = try #require(
            (status["gate"]?["requirements"]?.elements ?? []).first { $0["name"] == .string("mismatch") }?["said"]?.text
        )
        let endpoint = String(said.prefix { $0 != ":" })
        let wrong = try await run(["waive", "orders", endpoint + "x", "--reason", "r"])
        #expect(wrong.status == 1 && wrong.error.contains("did you mean \(endpoint)"), "\(wrong)")
        let waived = try await run(["waive", "orders", endpoint, "--reason", "nobody asks"])
        #expect(waived.status == 0 && waived.output.contains("nobody asks"), "\(waived)")
        let checklist = try await run(["status", "orders"])
        #expect(checklist.output.contains("\(endpoint): waived by "), "\(checklist)")
        // It has told the others of its present state by its next heartbeat.
        try await eventually("no replica is behind") {
            let replicas = try await run(["replicas"])
            return replicas.status == 0 && replicas.output.contains("answers this")
        }
        let heard = try await run(["status", "orders"])
        #expect(heard.output.contains("  replica   "), "\(heard)")
        #expect(try await run(["waive", "orders", endpoint, "--reason", "again"]).status == 1)
        #expect(try await run(["unwaive", "orders", endpoint]).status == 0)
        let again = try await run(["unwaive", "orders", endpoint])
        #expect(again.status == 1 && again.error.contains("has no waiver"), "\(again)")

        let ramp = try await run(["cutover", "orders", "--ramp", "--force", "--reason", "trial"])
        #expect(ramp.status == 0 && ramp.output.contains("ramp      runs"), "\(ramp)")
        let paused = try await run(["pause", "orders", "--reason", "freeze"])
        #expect(paused.status == 0 && paused.output.contains("held      paused by "), "\(paused)")
        let metrics = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: proxy.admin + "/metrics"), timeout: .seconds(20))
        let text = String(buffer: try await metrics.body.collect(upTo: 1 << 20))
        for line in [
            #"strangler_extraction_weight{extraction="orders",kind="writes"} "#,
            #"strangler_ramp_held{extraction="orders"} 1"#, #"strangler_gate_open{extraction="orders"} 0"#,
            #"strangler_guard_breached{extraction="orders"} 0"#, "# HELP strangler_replica_heartbeat_age_seconds ",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        #expect(try await run(["resume", "orders"]).status == 0)
        let refused = try await run(["resume", "orders"])
        #expect(refused.status == 1 && refused.error.contains("nothing holds"), "\(refused)")
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }

    @Test func `requests of a file become evidence, those that belong elsewhere are left out`() async throws {
        let origin = try await Origin()
        let deployment = try Deployment([
            "Routes/proxy.yaml": Deployment.proxyFile(monolith: origin.port),
            "Routes/orders.yaml": Self.orders(origin.port),
        ])
        let proxy = try await RunningProxy(deployment)
        try await untilConnected(proxy)
        try deployment.write(
            "requests.txt",
            """
            # of last night
            GET /orders/1
            /orders/2?page=1
            127.0.0.1 - - [21/Nov/2026:04:00:00 +0000] "GET /orders/3 HTTP/1.1" 200 12 "-" "curl"

            POST /orders
            /people/1
            /orders/../%00
            nonsense
            /orders/1
            """)
        let file = deployment.folder + "/requests.txt"
        let arguments = [
            "replay", "orders", "--requests", file, "--through", "http://127.0.0.1:\(proxy.port)", "--admin",
            proxy.admin,
        ]
        let early = try await Program.run(arguments)
        #expect(early.status == 1 && early.error.contains("where nothing is compared"), "\(early)")
        let advanced = try await Program.run(
            "advance", "orders", "--to", "shadow", "--force", "--reason", "r", "--admin", proxy.admin)
        #expect(advanced.status == 0, "\(advanced)")
        let sent = try await Program.run(arguments + ["--json"])
        #expect(sent.status == 0, "\(sent)")
        let summary = try JSONTree(sent.output)
        #expect(summary["sent"] == .number(4) && summary["different"] == .number(3), "\(sent.output)")
        #expect(summary["byStatus"] == .object(["200": .number(4)]))
        #expect(summary["counted"] == .number(4))
        let compared = (summary["endpoints"]?.elements ?? []).compactMap { endpoint -> Double? in
            if case .number(let number)? = endpoint["compared"] { number } else { nil }
        }
        #expect(compared.reduce(0, +) == 4, "\(sent.output)")
        let reasons = (summary["leftOut"]?.elements ?? []).compactMap { $0["reason"]?.text }
        #expect(
            Set(reasons) == [
                "may change something", "no extraction takes it", "not a request", "the proxy refuses the path",
            ])
        let text = try await Program.run(arguments)
        #expect(text.output.contains("4 requests sent in 1 s, 3 of them different"), "\(text)")
        #expect(text.output.contains("needs 2995 clean comparisons, has "))
        let nowhere = try await Program.run(
            "replay", "orders", "--requests", file, "--through", "http://127.0.0.1:1", "--admin", proxy.admin)
        #expect(nowhere.status == 3 && nowhere.error.contains("nobody answers at http://127.0.0.1:1"), "\(nowhere)")
        #expect(await proxy.stop().status == 0)
        await origin.close()
    }

    @Test func `watched on a terminal it is drawn in place, and Ctrl-C leaves the terminal as it was`() async throws {
        try await withAdmin { admin in
            let terminal = try PseudoTerminal(columns: 60, rows: 20)
            let before = terminal.mode
            let process = Program.make(
                ["status", "orders", "--watch", "--admin", "http://127.0.0.1:\(admin.port)"], in: nil)
            process.environment = ProcessInfo.processInfo.environment.merging(["TERM": "xterm"]) { $1 }
            process.environment?["COLUMNS"] = nil
            process.standardOutput = terminal.child
            process.standardError = terminal.child
            try process.run()
            try await eventually("two looks are drawn") {
                terminal.text.components(separatedBy: "\u{1B}[H").count >= 3
            }
            kill(process.processIdentifier, SIGINT)
            try await eventually("it has ended") { !process.isRunning }
            #expect(process.terminationStatus == 0)
            try await eventually("the colours are off") { terminal.text.hasSuffix("\u{1B}[0m") }
            #expect(terminal.mode == before)
            for line in terminal.text.components(separatedBy: "\r\n") {
                let bare = line.replacing(#/\x1B\[[0-9;]*[A-Za-z]/#, with: "")
                #expect(TextLayout.columns(of: bare) <= 60, "\(bare)")
            }
            terminal.close()
        }
    }
}

/// A terminal whose other end is a test.
private final class PseudoTerminal: Sendable {
    let child: FileHandle
    private let master: CInt
    private let received = Mutex("")

    init(columns: UInt16, rows: UInt16) throws {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        self.master = master
        // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2).
        var lock: CInt = 0
        var number: CUnsignedInt = 0
        try #require(master >= 0 && ioctl(master, 0x4004_5431, &lock) == 0)
        try #require(ioctl(master, 0x8004_5430, &number) == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(slave, UInt(TIOCSWINSZ), &size) == 0)
        child = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
        Thread.detachNewThread { [self] in
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &bytes, bytes.count)
                guard count > 0 else { return }
                let text = String(decoding: bytes.prefix(count), as: UTF8.self)
                received.withLock { $0 += text }
            }
        }
    }

    var text: String { received.withLock { $0 } }

    /// The flags that a program may have changed.
    var mode: [UInt32] {
        var mode = termios()
        guard tcgetattr(child.fileDescriptor, &mode) == 0 else { return [] }
        return [mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag]
    }

    func close() {
        try? child.close()
        _ = Glibc.close(master)
    }
}
