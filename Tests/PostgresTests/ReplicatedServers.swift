import Foundation
import Glibc
import Testing

@testable import PostgresClient

/// A primary and its streaming standby on TCP ports of this host, as an operator sets them up: `pg_basebackup -R`.
final class ReplicatedServers: Sendable {
    let primary: Server
    let standby: Server
    private let directory: String

    /// Both, the primary first.
    var url: String { url("&target_session_attrs=read-write") }

    func url(_ more: String = "") -> String {
        "postgres://strangler@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/postgres?sslmode=disable" + more
    }

    static func with(_ body: (ReplicatedServers) async throws -> Void) async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let servers = try await ReplicatedServers(in: directory)
        do {
            try await body(servers)
        } catch {
            servers.end()
            throw error
        }
        servers.end()
    }

    private init(in directory: String) async throws {
        self.directory = directory
        let primary = try Server(in: directory + "/primary")
        try primary.run(
            "initdb", "-D", primary.data, "-U", "strangler", "-E", "UTF8", "--locale", "C", "-A", "trust", "-N")
        self.primary = try await primary.started()
        let standby = try Server(in: directory + "/standby")
        do {
            try standby.run(
                "pg_basebackup", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", "-N", "-U", "strangler", "-h",
                "127.0.0.1", "-p", "\(primary.port)")
            self.standby = try await standby.started()
        } catch {
            self.primary.end(SIGQUIT)
            throw error
        }
    }

    private func end() {
        for server in [primary, standby] {
            server.signalAll(SIGCONT)
            server.end(SIGQUIT)
        }
    }

    /// What the primary has written by now is at the standby too.
    func waitForStandby() async throws {
        let position = try await primary.ask("SELECT pg_current_wal_flush_lsn() AS lsn").text("lsn")
        let hasArrived = try await eventually {
            try await standby.ask("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS here", [.text(position)])
                .bool("here")
        }
        try #require(hasArrived)
    }

    struct Server: Sendable {
        let port: Int
        let data: String
        private let base: String
        private let account: ServerAccount
        private let binaries: PostgresBinaries
        private let child: ChildProcess?

        fileprivate init(in base: String) throws {
            self.base = base
            data = base + "/data"
            port = try Self.freePort()
            account = try ServerAccount.current()
            binaries = try PostgresBinaries.find(in: PostgresBinaries.usualDirectories())
            child = nil
            try account.makePrivateDirectory(base)
        }

        private init(_ other: Server, _ child: ChildProcess) {
            (port, data, base) = (other.port, other.data, other.base)
            (account, binaries, self.child) = (other.account, other.binaries, child)
        }

        /// Of this server alone, whatever it is.
        var url: String { "postgres://strangler@127.0.0.1:\(port)/postgres?sslmode=disable&target_session_attrs=any" }

        func ask(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> PostgresRows.Row {
            let connection = try await PostgresConnection.connect(url)
            let rows = try await connection.query(sql, parameters)
            await connection.close()
            return try #require(rows.first)
        }

        /// Freezes or thaws every process of it.
        func signalAll(_ signal: Int32) {
            guard let child else { return }
            child.signal(signal)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
                guard let pid = pid_t(name), let line = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
                    let fields = String(decoding: line, as: UTF8.self).split(separator: ")").last?.split(
                        separator: " "),
                    fields.count > 1, pid_t(fields[1]) == child.pid
                else { continue }
                kill(pid, signal)
            }
        }

        func end(_ signal: Int32) {
            guard let child else { return }
            child.signal(signal)
            if child.waitForExit(seconds: 20) == nil { child.signal(SIGKILL) }
        }

        fileprivate func run(_ program: String, _ arguments: String...) throws {
            let child = try ChildProcess.start(command(program, arguments))
            try #require(child.waitForExit(seconds: 120) == .exited(0), "\(program) failed")
        }

        fileprivate func started() async throws -> Server {
            var arguments = ["-D", data, "-k", base, "-p", "\(port)"]
            for setting in ["listen_addresses=127.0.0.1", "wal_level=replica", "max_wal_senders=4", "fsync=off"] {
                arguments += ["-c", setting]
            }
            let server = Server(self, try ChildProcess.start(command("postgres", arguments)))
            let answers = try await eventually(within: 60) {
                (try? await server.ask("SELECT 1 AS one")) != nil
            }
            if !answers { server.end(SIGQUIT) }
            try #require(answers)
            return server
        }

        private func command(_ program: String, _ arguments: [String]) throws -> ChildProcess.Command {
            ChildProcess.Command(
                words: try account.launcher() + [binaries.directory + "/" + program] + arguments,
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"],
                workingDirectory: base, logFile: base + "/log")
        }

        /// Postgres does not choose a port by itself.
        private static func freePort() throws -> Int {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            try #require(isBound)
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
