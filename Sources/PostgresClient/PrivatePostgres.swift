import Foundation
import Glibc
package import Logging

/// A Postgres server of our own, for who has none: made on first use, reachable only through a unix socket in a folder
/// that only we may enter, stopped with us.
///
/// ```
/// stopped ──start()──▶ running ──stop()──▶ stopped
///                        │  ▲
///               it dies  ▼  │ monitor()
///                       down
/// ```
/// Answers for: the cluster's files, the server's life, orphans of a run that was killed. Two processes cannot use one
/// directory at a time: a file lock refuses the second.
package actor PrivatePostgres {
    enum Phase {
        case stopped
        /// `start()` is at work.
        case starting
        case running(ChildProcess)
        /// The server has died and `monitor()` is restarting it, after this error if the last try failed.
        case down
    }

    package nonisolated let directory: String
    nonisolated let logger: Logger
    private let binaryDirectories: [String]?
    private let executor = BlockingExecutor(label: "strangler.postgres.server")

    var phase = Phase.stopped
    var place: ServerPlace?
    var binaries: PostgresBinaries?
    private var lockDescriptor: Int32 = -1

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// `directory` is made if it does not exist; everything of the server lies in it. `binaryDirectories` replaces the
    /// usual places to look for the server programs.
    package init(directory: String, binaryDirectories: [String]? = nil, logger: Logger) {
        self.directory = directory
        self.binaryDirectories = binaryDirectories
        self.logger = logger
    }

    /// The user and the database that every private server has.
    package static let owner = "strangler"

    /// Starts the server, makes the cluster and the database `strangler` first if need be, and returns when it answers.
    /// The result is the connection string of that database.
    @discardableResult
    package func start() async throws(PostgresError) -> String {
        guard case .stopped = phase else {
            throw PostgresError(.serverFailed, "the private Postgres in \(directory) is already started")
        }
        phase = .starting
        do throws(PostgresError) {
            let isNew = try prepare()
            phase = .running(try launch())
            if isNew { try await createDatabase(Self.owner) }
            return try connectionString()
        } catch {
            stop()
            throw error
        }
    }

    /// Fast shutdown: open transactions are rolled back, everything is written, the socket goes. Blocks at most about
    /// 20 seconds. A later `start()` reuses the data.
    package func stop() {
        let last = phase
        phase = .stopped
        if case .running(let child) = last { end(child) }
        place?.removeTemporary(socketDirectory: place?.socketDirectory)
        if lockDescriptor >= 0 {
            Glibc.close(lockDescriptor)
            lockDescriptor = -1
        }
    }

    /// What libpq needs to reach `database`. Stays the same over restarts by `monitor()`.
    package func connectionString(database: String = owner) throws(PostgresError) -> String {
        guard let place, !place.socketDirectory.isEmpty else {
            throw PostgresError(.serverFailed, "the private Postgres in \(directory) is not started")
        }
        return connectionString(place.socketDirectory, database)
    }

    private func connectionString(_ socketDirectory: String, _ database: String) -> String {
        "host=\(Self.quoted(socketDirectory)) port=\(ServerPlace.port) dbname=\(Self.quoted(database)) user=\(Self.owner)"
    }

    /// How to reach the server that another process keeps in this directory; it lasts as long as that process.
    package func connectionStringOfKeeper(database: String = owner) throws(PostgresError) -> String {
        let place = try ServerPlace.resolve(directory, try ServerAccount.current()).place
        guard let socketDirectory = place.recordedSocketDirectory else {
            throw PostgresError(.serverFailed, "nobody keeps the private Postgres in \(directory)")
        }
        return connectionString(socketDirectory, database)
    }

    /// Makes a database if it is not there yet. The name is lower-case letters, digits and underscores.
    package func createDatabase(_ name: String) async throws(PostgresError) {
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        guard isPlain, (1...63).contains(name.utf8.count), name.first?.isNumber == false else {
            throw PostgresError(.invalidArgument, "not a usable database name: \(name)")
        }
        let connection = try await PostgresConnection.connect(try connectionString(database: "postgres"))
        let known = try await connection.query("SELECT 1 FROM pg_database WHERE datname = $1", [.text(name)])
        if known.isEmpty {
            // A name cannot be a parameter; this one was checked above.
            try await connection.query("CREATE DATABASE \"\(name)\"")
        }
        await connection.close()
    }

    /// Finds programs and files, takes the lock, ends what a killed run left, and makes the cluster if there is none.
    /// True if it was made.
    private func prepare() throws(PostgresError) -> Bool {
        let account = try ServerAccount.current()
        let candidates = binaryDirectories ?? PostgresBinaries.usualDirectories()
        _ = try PostgresBinaries.find(in: candidates)
        var (place, note) = try ServerPlace.resolve(directory, account)
        if let note { logger.notice("\(note)") }
        try lock(place)
        let binaries = try PostgresBinaries.find(in: candidates, major: place.clusterVersion)
        self.binaries = binaries
        try endOrphans(in: place)
        let isNew = place.clusterVersion == nil
        if isNew { try initialise(place, binaries) }
        try place.openSocketDirectory()
        self.place = place
        return isNew
    }

    private func lock(_ place: ServerPlace) throws(PostgresError) {
        let path = place.base + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw PostgresError(.serverFailed, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            throw PostgresError(.serverFailed, "the private Postgres in \(place.base) is in use by another strangler")
        }
        lockDescriptor = descriptor
    }

    /// A value of a connection string: quoted, with quotes and backslashes escaped (PostgreSQL manual 34.1.1.1).
    private static func quoted(_ value: String) -> String {
        let escaped = value.reduce(into: "") { result, character in
            if character == "'" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return "'\(escaped)'"
    }
}
