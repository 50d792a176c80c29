import CLibPQ
import Foundation
import Glibc
import Logging

// The server's process: made ready, started, ended. Everything here blocks, on the actor's own thread.
extension PrivatePostgres {
    /// Fits beside a proxy on one machine: the store writes small batches and keeps little.
    private static let settings = [
        "listen_addresses=", "unix_socket_permissions=0700", "shared_buffers=32MB", "max_connections=50",
        // No replicas, so the log that would feed them is not written.
        "wal_level=minimal", "max_wal_senders=0",
        "max_parallel_workers_per_gather=0", "jit=off", "huge_pages=off", "log_checkpoints=off",
        "logging_collector=off", "log_destination=stderr",
    ]

    /// Starts `postgres` on the prepared place and returns when it accepts connections.
    func launch() throws(PostgresError) -> ChildProcess {
        guard let place, let binaries else { throw PostgresError(.serverFailed, "the private Postgres is not set up") }
        shortenLog(place)
        var words = [
            binaries.postgres, "-D", place.cluster, "-k", place.socketDirectory, "-p", String(ServerPlace.port),
        ]
        for setting in Self.settings + ["cluster_name=\(place.clusterName)"] { words += ["-c", setting] }
        let child = try ChildProcess.start(try command(words, place))
        do throws(PostgresError) {
            try waitUntilAnswering(child, place)
            return child
        } catch {
            end(child)
            throw error
        }
    }

    /// SIGINT, Postgres's fast shutdown; SIGQUIT if that takes longer than ten seconds; SIGKILL at the very last, since
    /// a server left behind would hold the data against the next run.
    func end(_ child: ChildProcess) {
        for (signal, seconds) in [(SIGINT, 10.0), (SIGQUIT, 5), (SIGKILL, 5)] {
            child.signal(signal)
            if child.waitForExit(seconds: seconds) != nil { return }
        }
        logger.error("the private Postgres (process \(child.pid)) cannot be ended")
    }

    /// `initdb` beside the final place, then a rename: an interrupted run leaves nothing that looks like a cluster.
    func initialise(_ place: ServerPlace, _ binaries: PostgresBinaries) throws(PostgresError) {
        let unfinished = place.cluster + ".new"
        try? FileManager.default.removeItem(atPath: unfinished)
        let words = [
            binaries.initdb, "-D", unfinished, "--username", Self.owner, "--encoding", "UTF8", "--locale", "C",
            "--auth", "trust", "--no-sync", "--no-instructions",
        ]
        let child = try ChildProcess.start(try command(words, place))
        guard let status = child.waitForExit(seconds: 120) else {
            end(child)
            throw PostgresError(.serverFailed, "initdb did not finish within 120 seconds (see \(place.log))")
        }
        guard status == .exited(0) else {
            throw PostgresError(
                .serverFailed, "initdb \(status): \(place.lastComplaint() ?? "no message") (see \(place.log))")
        }
        guard rename(unfinished, place.cluster) == 0 else {
            throw PostgresError(.serverFailed, "cannot rename \(unfinished): \(String(cString: strerror(errno)))")
        }
    }

    /// Ends what a killed run left behind: its server if that is still alive, else the backends that have not noticed.
    func endOrphans(in place: ServerPlace) throws(PostgresError) {
        guard let recorded = place.recordedPid else { return }
        if !place.processesUsingCluster().isEmpty {
            logger.notice("stopping the private Postgres that an earlier run left behind (process \(recorded))")
            // Backends whose server is gone end by themselves, so the server is what gets the signal first.
            var isGone = false
            for (signal, seconds) in [(SIGINT, 10.0), (SIGQUIT, 5), (SIGKILL, 5)] where !isGone {
                for pid in place.processesUsingCluster() where pid == recorded || signal != SIGINT { kill(pid, signal) }
                isGone = wait(seconds: seconds) { place.processesUsingCluster().isEmpty }
            }
            guard isGone else {
                throw PostgresError(.serverFailed, "an old server (process \(recorded)) holds \(place.cluster)")
            }
        }
        place.removeTemporary(socketDirectory: place.recordedSocketDirectory)
        // Nobody has the cluster open. Left in place, the file would stop the server if its number has meanwhile been
        // given to another program.
        unlink(place.pidFile)
    }

    private func waitUntilAnswering(_ child: ChildProcess, _ place: ServerPlace) throws(PostgresError) {
        let target = try connectionString(database: "postgres") + " connect_timeout=2"
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while ContinuousClock.now < deadline {
            if PQping(target) == PQPING_OK { return }
            if let status = child.waitForExit(seconds: 0.01) {
                throw PostgresError(
                    .serverFailed,
                    "the private Postgres \(status): \(place.lastComplaint() ?? "no message") (see \(place.log))")
            }
        }
        throw PostgresError(.serverFailed, "the private Postgres did not answer within 60 seconds (see \(place.log))")
    }

    private func wait(seconds: Double, until isDone: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        while !isDone() {
            guard ContinuousClock.now < deadline else { return false }
            usleep(10_000)
        }
        return true
    }

    private func command(_ words: [String], _ place: ServerPlace) throws(PostgresError) -> ChildProcess.Command {
        // A fixed environment: the caller's PG… variables would change the server, and a set TZ spares initdb a search
        // through every time zone of the machine.
        ChildProcess.Command(
            words: try place.account.launcher() + words,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"],
            workingDirectory: place.base,
            logFile: place.log)
    }

    /// Starts the server's log over when it has passed a megabyte.
    private func shortenLog(_ place: ServerPlace) {
        var information = stat()
        if lstat(place.log, &information) == 0, information.st_size > 1 << 20 { unlink(place.log) }
    }
}
