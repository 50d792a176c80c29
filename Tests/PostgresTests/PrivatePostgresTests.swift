import Foundation
import Glibc
import Logging
import Testing

@testable import PostgresClient

/// Servers of their own: what is tested is their life.
@Suite(.serialized) struct PrivatePostgresTests {
    @Test func `a fresh cluster answers within three seconds, a reused one within one, and keeps its data`()
        async throws
    {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let first = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let clock = ContinuousClock()
        let fresh = try await clock.measure { _ = try await first.start() }
        let connection = try await PostgresConnection.connect(try await first.connectionString())
        try await connection.execute(script: "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
        await connection.close()
        await first.stop()

        let second = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let reused = try await clock.measure { _ = try await second.start() }
        let again = try await PostgresConnection.connect(try await second.connectionString())
        let rows = try await again.query("SELECT n FROM kept")
        await second.stop()

        #expect(try rows.first?.int("n") == 42)
        print("fresh cluster \(fresh), reused cluster \(reused)")
        // The limits hold on an idle machine; far more than that still tells a start from a time-out.
        #expect(fresh < .seconds(120))
        #expect(reused < .seconds(60))
    }

    @Test func `nothing but the socket is opened, in a folder closed to others, and stop removes it`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let connection = try await PostgresConnection.connect(try await server.start())
        let addresses = try await connection.query("SELECT current_setting('listen_addresses') AS addresses")
        #expect(try addresses.first?.text("addresses") == "")
        let place = try #require(await server.place)
        var information = stat()
        #expect(stat(place.socketDirectory, &information) == 0)
        #expect(information.st_mode & 0o777 == 0o700)
        #expect(access(place.socketDirectory + ServerPlace.socketName, F_OK) == 0)
        await server.stop()
        #expect(access(place.socketDirectory + ServerPlace.socketName, F_OK) != 0)
        #expect(place.processesUsingCluster().isEmpty)
    }

    @Test func `a path too long for a socket gets one in the temporary folder, removed at the end`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let long = directory + "/" + String(repeating: "d", count: 120)
        let server = PrivatePostgres(directory: long, logger: Logger(label: "test"))
        let connection = try await PostgresConnection.connect(try await server.start())
        #expect(try await connection.query("SELECT 1").count == 1)
        let place = try #require(await server.place)
        #expect(!place.socketDirectory.hasPrefix(long))
        await server.stop()
        #expect(access(place.socketDirectory, F_OK) != 0)
    }

    @Test func `missing programs are one line that says what to install`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(
            directory: directory, binaryDirectories: [directory], logger: Logger(label: "test"))
        let error = await #expect(throws: PostgresError.self) { try await server.start() }
        #expect(error?.code == .notInstalled)
        #expect(error?.description == #"PostgreSQL is not installed: run "apt-get install -y postgresql""#)
    }

    @Test func `a second user of the same directory is refused and does no harm`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let server = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let connection = try await PostgresConnection.connect(try await server.start())
        let second = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let error = await #expect(throws: PostgresError.self) { try await second.start() }
        #expect(error?.message.hasSuffix("is in use by another strangler") == true)
        #expect(try await connection.query("SELECT 1").count == 1)
        await server.stop()
    }

    @Test func `the monitor brings a killed server back, and a pool finds it again`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let lines = LogLines()
        let server = PrivatePostgres(directory: directory, logger: lines.logger)
        let pool = PostgresPool(try await server.start(), size: 2)
        async let monitored: Void = server.monitor()
        try await pool.query("CREATE TABLE kept AS SELECT 7 AS n")
        for round in 1...2 {
            let victim = try #require(await server.place?.recordedPid)
            kill(victim, SIGKILL)
            #expect(try await eventually { (try? await pool.query("SELECT n FROM kept").first?.int("n")) == 7 })
            #expect(try await eventually { lines.all.count { $0.hasPrefix("the private Postgres is back") } == round })
        }
        #expect(lines.all.contains("the private Postgres was killed by signal 9; restarting it"))
        await server.stop()
        await monitored
        #expect(await server.place?.processesUsingCluster().isEmpty == true)
    }

    @Test func `a server left behind by a killed run is stopped by the next one`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let first = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        try await first.start()
        let place = try #require(await first.place)
        await first.stop()
        // What `kill -9` of the proxy leaves where the kernel gave no parent-death signal: the same program, same data.
        let orphan = try await orphan(in: place)
        let lines = LogLines()
        let second = PrivatePostgres(directory: directory, logger: lines.logger)
        let connection = try await PostgresConnection.connect(try await second.start())
        #expect(try await connection.query("SELECT 1").count == 1)
        #expect(orphan.waitForExit(seconds: 0) == .exited(0))
        #expect(lines.all.contains { $0.hasPrefix("stopping the private Postgres that an earlier run left behind") })
        await second.stop()
    }

    @Test func `a stale pid file whose number belongs to another program does not stop the start`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let first = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        try await first.start()
        let place = try #require(await first.place)
        await first.stop()
        try "\(getpid())\n\(place.cluster)\n1\n5432\n\n\n\n".write(
            toFile: place.pidFile, atomically: false, encoding: .utf8)
        let second = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        let connection = try await PostgresConnection.connect(try await second.start())
        #expect(try await connection.query("SELECT 1").count == 1)
        await second.stop()
    }

    @Test func `a data folder that the server's account cannot reach is replaced by one that it can, and said`()
        async throws
    {
        guard geteuid() == 0 else { return }
        let closed = try TestServer.temporaryDirectory()
        defer { TestServer.remove(closed) }
        chmod(closed, 0o700)
        let lines = LogLines()
        let server = PrivatePostgres(directory: closed + "/data", logger: lines.logger)
        try await server.start()
        let base = try #require(await server.place?.base)
        defer { TestServer.remove(base) }
        await server.stop()
        #expect(base.hasPrefix("/var/lib/strangler-postgres/"))
        #expect(lines.all.contains { $0.contains("may not enter") && $0.contains(base) })
        let again = PrivatePostgres(directory: closed + "/data", logger: lines.logger)
        try await again.start()
        #expect(await again.place?.base == base)
        await again.stop()
    }

    @Test func `a server that cannot start says why in one line`() async throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let first = PrivatePostgres(directory: directory, logger: Logger(label: "test"))
        try await first.start()
        let place = try #require(await first.place)
        await first.stop()
        try "nonsense = yes\n".write(toFile: place.cluster + "/postgresql.conf", atomically: false, encoding: .utf8)
        let error = await #expect(throws: PostgresError.self) {
            try await PrivatePostgres(directory: directory, logger: Logger(label: "test")).start()
        }
        #expect(error?.code == .serverFailed)
        #expect(error?.message.contains("FATAL:") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test func `the child has its own process group, no descriptor of ours and default signals`() throws {
        let directory = try TestServer.temporaryDirectory()
        defer { TestServer.remove(directory) }
        let log = directory + "/log"
        // A descriptor that exec would pass on, as a listening socket without close-on-exec would be.
        let leaked = dup(0)
        defer { close(leaked) }
        let child = try ChildProcess.start(
            ChildProcess.Command(
                words: ["/bin/sh", "-c", "ls /proc/self/fd | sort -n | tr '\\n' ' '; ps -o pgid= -p $$; echo $$; pwd"],
                environment: ["PATH": "/usr/bin:/bin"], workingDirectory: directory, logFile: log))
        #expect(child.waitForExit(seconds: 10) == .exited(0))
        let output = try String(contentsOfFile: log, encoding: .utf8)
        let words = output.split(whereSeparator: \.isWhitespace).map(String.init)
        // 3 is the folder that `ls` itself reads.
        #expect(words.prefix(4) == ["0", "1", "2", "3"])
        #expect(words.count == 7)
        #expect(words[4] == String(child.pid) && words[5] == String(child.pid))
    }

    private func orphan(in place: ServerPlace) async throws -> ChildProcess {
        let binaries = try PostgresBinaries.find(in: PostgresBinaries.usualDirectories())
        let child = try ChildProcess.start(
            ChildProcess.Command(
                words: try place.account.launcher() + [
                    binaries.postgres, "-D", place.cluster, "-k", place.socketDirectory, "-c", "listen_addresses=",
                ],
                environment: ["LC_ALL": "C"], workingDirectory: place.base, logFile: place.log))
        let target = "host='\(place.socketDirectory)' port=5432 dbname=postgres user=strangler"
        #expect(try await eventually { (try? await PostgresConnection.connect(target)) != nil })
        return child
    }
}
