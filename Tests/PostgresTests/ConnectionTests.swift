import Foundation
import TestSupport
import Testing

@testable import PostgresClient

extension OnRealPostgres {
    @Suite struct ConnectionTests {
        private static let hostile = [
            "'; DROP TABLE t; --", #"\"; \\ \N \. {,} NULL"#, "tab\there\nnewline\r\nreturn", "{\"a\",NULL}", "",
            " leading and trailing ", "\u{1}\u{7F}\u{10FFFF}e\u{301}😀", "$1 %s $$ :name", "\\.", "\\N",
        ]

        @Test func `hostile text comes back as it went in, as parameter, array item and COPY cell`() async throws {
            let connection = try await TestServer.connection()
            try await connection.execute(script: "CREATE TABLE t (n int, s text)")
            for text in Self.hostile {
                let echoed = try await connection.query("SELECT $1::text AS s", [.text(text)])
                #expect(try echoed.first?.text("s") == text)
            }
            let listed = try await connection.query(
                "SELECT s FROM unnest($1::text[]) WITH ORDINALITY AS u (s, n) ORDER BY n",
                [.textArray(Self.hostile)])
            #expect(try listed.map { try $0.text("s") } == Self.hostile)
            let rows = Self.hostile.enumerated().map { [PostgresValue.int($0), .text($1)] }
            #expect(try await connection.copyIn("COPY t (n, s) FROM STDIN", rows: rows) == Self.hostile.count)
            let copied = try await connection.query("SELECT s FROM t ORDER BY n")
            #expect(try copied.map { try $0.text("s") } == Self.hostile)
        }

        @Test func `NUL, which Postgres refuses, becomes the replacement character`() async throws {
            let connection = try await TestServer.connection()
            let rows = try await connection.query(
                "SELECT $1::text AS s, ($2::text[])[1] AS a", [.text("a\0b"), .textArray(["\0"])])
            #expect(try rows.first?.text("s") == "a\u{FFFD}b")
            #expect(try rows.first?.text("a") == "\u{FFFD}")
        }

        @Test func `values of every type survive the way there and back`() async throws {
            let connection = try await TestServer.connection()
            let date = Date(timeIntervalSince1970: 1_795_234_567.123456)
            let row = try #require(
                try await connection.query(
                    """
                    SELECT $1::bigint AS i, $2::float8 AS d, $3::boolean AS b, $4::timestamptz AS t, $5::bytea AS y,
                           $6::text AS n, ($7::bigint[])[2] AS a, ($8::timestamptz[])[1] AS u
                    """,
                    [
                        .int(Int64.min), .double(0.1), .bool(false), .timestamp(date), .bytes([0, 255, 92]), .null,
                        .intArray([1, -2]), .timestampArray([date]),
                    ]
                ).first)
            #expect(try row.int64("i") == Int64.min)
            #expect(try row.double("d") == 0.1)
            #expect(try row.bool("b") == false)
            #expect(abs(try row.timestamp("t").timeIntervalSince(date)) < 0.000_001)
            #expect(try row.timestamp("u") == row.timestamp("t"))
            #expect(try row.text("y") == "\\x00ff5c")
            #expect(try row.optionalText("n") == nil)
            #expect(try row.int("a") == -2)
        }

        @Test func `a column that is absent, null or of another type is an error, not a trap`() async throws {
            let connection = try await TestServer.connection()
            let rows = try await connection.query("SELECT 'x' AS s, NULL AS n, 'infinity'::timestamptz AS t")
            let row = try #require(rows.first)
            #expect(throws: PostgresError.self) { try row.text("absent") }
            #expect(throws: PostgresError.self) { try row.text("n") }
            #expect(throws: PostgresError.self) { try row.int("s") }
            #expect(throws: PostgresError.self) { try row.timestamp("t") }
        }

        @Test func `a refused statement carries its SQLSTATE and leaves the connection usable`() async throws {
            let connection = try await TestServer.connection()
            let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1/0") }
            #expect(error?.sqlState == "22012")
            #expect(error?.description.contains("\n") == false)
            await #expect(throws: PostgresError.self) {
                try await connection.copyIn("COPY nowhere FROM STDIN", rows: [[.text("x")]])
            }
            await #expect(throws: PostgresError.self) {
                try await connection.copyIn("SELECT 1", rows: [[.text("x")]])
            }
            #expect(try await connection.query("SELECT 1").count == 1)
        }

        @Test func `a COPY with a bad row keeps none of its rows`() async throws {
            let connection = try await TestServer.connection()
            try await connection.execute(script: "CREATE TABLE t (n int)")
            let error = await #expect(throws: PostgresError.self) {
                try await connection.copyIn("COPY t (n) FROM STDIN", rows: [[.int(1)], [.text("x")]])
            }
            #expect(error?.sqlState == "22P02")
            #expect(try await connection.query("SELECT n FROM t").isEmpty)
        }

        @Test func `two hundred thousand rows go through COPY`() async throws {
            let connection = try await TestServer.connection()
            try await connection.execute(script: "CREATE TABLE t (n int, s text)")
            let rows = (0..<200_000).lazy.map { [PostgresValue.int($0), .text("row \($0)")] }
            #expect(try await connection.copyIn("COPY t (n, s) FROM STDIN", rows: Array(rows)) == 200_000)
        }

        @Test func `a transaction that throws leaves nothing, one that returns leaves everything`() async throws {
            struct Stop: Error {}
            let connection = try await TestServer.connection()
            try await connection.execute(script: "CREATE TABLE t (n int)")
            await #expect(throws: Stop.self) {
                try await connection.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (1)")
                    throw Stop()
                }
            }
            // A body that hides a failure must not be told that its work was kept.
            await #expect(throws: PostgresError.self) {
                try await connection.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (2)")
                    _ = try? connection.query("SELECT 1/0")
                }
            }
            try await connection.transaction { connection in _ = try connection.query("INSERT INTO t VALUES (3)") }
            let rows = try await connection.query("SELECT n FROM t")
            #expect(try rows.map { try $0.int("n") } == [3])
        }

        @Test func `a statement longer than its limit is ended by the server, a frozen server by us`() async throws {
            let target = try await TestServer.database()
            let connection = try await PostgresConnection.connect(
                target, options: PostgresOptions(statementTimeout: 100))
            let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT pg_sleep(30)") }
            #expect(error?.sqlState == "57014")

            let frozen = try await connection.query("SELECT pg_backend_pid() AS pid")
            let pid = try #require(try frozen.first?.int("pid"))
            kill(pid_t(pid), SIGSTOP)
            let late = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
            kill(pid_t(pid), SIGCONT)
            #expect(late?.code == .timedOut)
            #expect(await !connection.isUsable)
            let closed = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
            #expect(closed?.code == .closed)
        }

        @Test func `a backend that is ended from outside is a lost connection, and a pool replaces it`() async throws {
            let target = try await TestServer.database()
            let other = try await PostgresConnection.connect(target)
            let pool = PostgresPool(target, size: 1)
            let pid = try #require(try await pool.query("SELECT pg_backend_pid() AS pid").first?.int("pid"))
            try await pool.withConnection { connection in
                try await other.query("SELECT pg_terminate_backend($1::int)", [.int(pid)])
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.query("SELECT pg_sleep(1)")
                }
                #expect(error?.code == .connectionLost)
                #expect(error?.isRetryable == true)
            }
            let next = try #require(try await pool.query("SELECT pg_backend_pid() AS pid").first?.int("pid"))
            #expect(next != pid)
            await pool.close()
        }

        @Test func `who waits too long for a turn is told, and does not get it later`() async throws {
            let pool = PostgresPool(
                try await TestServer.database(), size: 1, options: PostgresOptions(statementTimeout: 100, grace: 50))
            let (held, holding) = AsyncStream.makeStream(of: Void.self)
            let (lent, lending) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await pool.withConnection { _ in
                    lending.finish()
                    for await _ in held {}
                }
            }
            for await _ in lent {}
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.code == .timedOut)
            // The one that gave up is not served in place of another.
            let waiting = Task { try await pool.query("SELECT 1") }
            holding.finish()
            try await holder.value
            _ = try? await waiting.value
            #expect(try await pool.query("SELECT 1").count == 1)
            await pool.close()
        }

        @Test func `a pool that closes tells who waits for a turn`() async throws {
            let pool = PostgresPool(try await TestServer.database(), size: 1)
            let (held, holding) = AsyncStream.makeStream(of: Void.self)
            let (lent, lending) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await pool.withConnection { _ in
                    lending.finish()
                    for await _ in held {}
                }
            }
            for await _ in lent {}
            let late = Task { try await pool.query("SELECT 1") }
            await pool.close()
            let closed = await #expect(throws: PostgresError.self) { try await late.value }
            #expect(closed?.code == .closed)
            holding.finish()
            try await holder.value
        }

        @Test func `what one connection shows of its server holds for the idle ones too`() async throws {
            let target = try await TestServer.database()
            let pool = PostgresPool(target, size: 3)
            func processes() async throws -> Set<Int> {
                try await withThrowingTaskGroup(of: Int?.self) { group in
                    for _ in 0..<3 {
                        group.addTask {
                            try await pool.query("SELECT pg_backend_pid() AS pid, pg_sleep(0.2)").first?.int("pid")
                        }
                    }
                    return try await group.reduce(into: []) { if let pid = $1 { $0.insert(pid) } }
                }
            }
            var first: Set<Int> = []
            #expect(
                try await eventually {
                    first = try await processes()
                    return first.count == 3
                })
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { connection in
                    try connection.query("SET TRANSACTION READ ONLY")
                    try connection.query("CREATE TABLE t (n int)")
                }
            }
            #expect(error?.sqlState == "25006" && error?.isRetryable == true)
            #expect(try await processes().isDisjoint(with: first))
            await pool.close()
        }

        @Test func `a pool lends each connection to one caller at a time`() async throws {
            let pool = PostgresPool(try await TestServer.database(), size: 3)
            try await pool.query("CREATE TABLE counter AS SELECT 0 AS n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await pool.transaction { connection in
                            _ = try connection.query("UPDATE counter SET n = n + 1")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pool.query("SELECT n FROM counter").first?.int("n") == 60)
            let used = try await pool.query(
                "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()")
            #expect(try used.first?.int("n") ?? 0 <= 3)
            await pool.close()
            await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        }
    }
}

@Suite struct ConnectionFailureTests {
    @Test(arguments: ["postgres//me:secret@host/db", "postgres://me:secret@[host/db", "password=secret 'x", ""])
    func `a connection string that cannot be used is an error that does not repeat its password`(
        text: String
    ) async throws {
        let error = await #expect(throws: PostgresError.self) {
            try await PostgresConnection.connect(text.isEmpty ? "host=/nonexistent password=secret" : text)
        }
        #expect(error?.code == (text.isEmpty ? .refused : .invalidArgument))
        #expect(error?.message.contains("secret") == false)
    }

    @Test func `nobody at the address is one line, and a pool does not ask again at once`() async throws {
        let target = "host=/nonexistent port=1 dbname=x user=y"
        let error = await #expect(throws: PostgresError.self) { try await PostgresConnection.connect(target) }
        #expect(error?.code == .refused)
        #expect(error?.description.contains("\n") == false)
        let pool = PostgresPool(target, size: 2)
        let elapsed = await ContinuousClock().measure {
            for _ in 0..<1000 { await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") } }
        }
        #expect(elapsed < .seconds(20))
    }

    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00.000000Z"), (-0.5, "1969-12-31T23:59:59.500000Z"),
        (951_782_400.000001, "2000-02-29T00:00:00.000001Z"), (4_102_444_799.999999, "2099-12-31T23:59:59.999999Z"),
        (Double.infinity, "9999-12-31T23:59:59.000000Z"), (-Double.infinity, "0001-01-01T00:00:00.000000Z"),
    ]) func `times have microseconds`(seconds: Double, text: String) {
        #expect(PostgresTimestamp.text(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `a time reads back as written, over two and a half centuries`() throws {
        var generator = SeededGenerator(seed: 20_261_121)
        for _ in 0..<2000 {
            let microseconds = Int64.random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &generator)
            let date = Date(timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000)
            let text = PostgresTimestamp.text(date)
            let read = try #require(PostgresTimestamp.date(text))
            #expect(read == date)
        }
    }

    @Test(arguments: [
        "", "infinity", "2026-13-01 00:00:00+00", "2026-01-01", "0044-03-15 12:00:00+00 BC", "2026-01-01 00:00:00.",
    ])
    func `what is no time is nil`(text: String) {
        #expect(PostgresTimestamp.date(text) == nil)
    }

    @Test func `offsets count east of Greenwich`() {
        #expect(PostgresTimestamp.date("1970-01-01 02:30:00.5+02:30") == Date(timeIntervalSince1970: 0.5))
        #expect(PostgresTimestamp.date("1969-12-31 22:00:00-02") == Date(timeIntervalSince1970: 0))
    }
}
