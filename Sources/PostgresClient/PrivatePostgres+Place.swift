import Foundation
import Glibc

/// The files of one private server, found or made.
///
/// ```
/// base/cluster        the data (PGDATA)      base/socket   its socket, unless the path is too long for one
/// base/postgres.log   what the server says
/// ```
struct ServerPlace: Sendable, Hashable {
    let base: String
    let account: ServerAccount
    /// Set by `openSocketDirectory`.
    var socketDirectory = ""

    var cluster: String { base + "/cluster" }
    var log: String { base + "/postgres.log" }
    var pidFile: String { cluster + "/postmaster.pid" }

    /// Bytes; sockaddr_un holds 108 with the closing NUL.
    static let longestSocketPath = 107
    static let port = 5432

    /// The base for `directory`. If the server's account cannot reach it (a home of root is closed to others), the data
    /// goes to a folder under /var/lib, whose name is kept in `directory`: who deletes `directory` starts afresh.
    ///
    /// Also returns a line for the log in that case.
    static func resolve(
        _ directory: String, _ account: ServerAccount
    ) throws(PostgresError) -> (place: ServerPlace, note: String?) {
        let directory = try absolute(directory)
        guard let obstacle = account.obstacle(on: directory) else {
            try account.makePrivateDirectory(directory)
            return (ServerPlace(base: directory, account: account), nil)
        }
        let marker = directory + "/location"
        let known = (try? String(contentsOfFile: marker, encoding: .utf8)).map { String($0.prefix { $0 != "\n" }) }
        let base: String
        if let known, known.hasPrefix(elsewhere + "/"), !known.contains("..") {
            base = known
        } else {
            base = elsewhere + "/" + UUID().uuidString.lowercased()
            do {
                try (base + "\n").write(toFile: marker, atomically: true, encoding: .utf8)
            } catch {
                throw PostgresError(.serverFailed, "cannot write \(marker): \(error.localizedDescription)")
            }
        }
        try account.makePrivateDirectory(base)
        let note =
            "user \(account.name), which runs the private Postgres, may not enter \(obstacle): its data is in \(base)"
        return (ServerPlace(base: base, account: account), note)
    }

    /// Makes the folder if need be, and follows its symbolic links.
    private static func absolute(_ directory: String) throws(PostgresError) -> String {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw PostgresError(.serverFailed, "cannot make the folder \(directory): \(error.localizedDescription)")
        }
        guard let resolved = realpath(directory, nil) else {
            throw PostgresError(
                .serverFailed, "cannot open the folder \(directory): \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static let elsewhere = "/var/lib/strangler-postgres"

    /// A folder for the socket that only the server's account and we may enter: beside the data, or a new one in the
    /// temporary folder when that path is too long for a socket.
    mutating func openSocketDirectory() throws(PostgresError) {
        let usual = base + "/socket"
        if usual.utf8.count + Self.socketName.utf8.count <= Self.longestSocketPath {
            try account.makePrivateDirectory(usual)
            socketDirectory = usual
            return
        }
        for parent in [FileManager.default.temporaryDirectory.path, "/tmp"]
        where parent.utf8.count + 18 + Self.socketName.utf8.count <= Self.longestSocketPath
            && account.obstacle(on: parent + "/x") == nil
        {
            var template = Array((parent + "/strangler-XXXXXX").utf8CString)
            guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) else {
                continue
            }
            let path = String(cString: made)
            try account.makePrivateDirectory(path)
            socketDirectory = path
            return
        }
        throw PostgresError(.serverFailed, "no folder for the private Postgres's socket: \(usual) is too long a path")
    }

    static let socketName = "/.s.PGSQL.\(port)"

    /// The major version that made the cluster, or nil if there is none yet. A cluster is renamed to its place when
    /// `initdb` is done, so one that exists is whole.
    var clusterVersion: Int? {
        (try? String(contentsOfFile: cluster + "/PG_VERSION", encoding: .utf8)).flatMap {
            Int($0.prefix { $0.isNumber })
        }
    }

    /// The last line that says why a program gave up, for an error of one line.
    func lastComplaint() -> String? {
        guard let data = FileManager.default.contents(atPath: log) else { return nil }
        let lines = String(decoding: data.suffix(8192), as: UTF8.self).split(whereSeparator: \.isNewline)
        let markers = ["FATAL:", "PANIC:", "error:", "ERROR:"]
        let last = lines.last { line in markers.contains { line.contains($0) } } ?? lines.last
        return last.map(String.init)
    }

    /// Shown in the title of every process of this server; two clusters never share it.
    var clusterName: String {
        // FNV-1a: the name has to be short and stable, not secret.
        let hash = cluster.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "strangler-" + String(hash, radix: 16)
    }

    /// Server processes, postmaster or orphaned backends, that have this cluster open. Told by their command lines,
    /// which everybody may read; their working directory root itself may not see in a container.
    func processesUsingCluster() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            var owner = stat()
            guard stat("/proc/\(pid)", &owner) == 0, owner.st_uid == account.uid,
                let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
            else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = words.first else { return false }
            return program.hasPrefix("postgres: \(clusterName):")
                || (program.hasSuffix("postgres") && words.contains(cluster))
        }
    }

    /// The first line of `postmaster.pid`: the number of the server that holds, or held, the cluster.
    var recordedPid: pid_t? {
        (try? String(contentsOfFile: pidFile, encoding: .utf8)).flatMap { pid_t($0.prefix { $0 != "\n" }) }
    }

    /// The fifth line of `postmaster.pid`: the socket folder of the run that wrote it.
    var recordedSocketDirectory: String? {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 4 && !lines[4].isEmpty ? String(lines[4]) : nil
    }

    /// Removes a socket folder that lies outside `base`, i.e. one that `openSocketDirectory` made for one run.
    func removeTemporary(socketDirectory path: String?) {
        guard let path, !path.hasPrefix(base + "/"), path.split(separator: "/").last?.hasPrefix("strangler-") == true
        else { return }
        try? FileManager.default.removeItem(atPath: path)
    }
}
