import Foundation
import Glibc

/// Where the server programs are. Distributions keep them off the PATH, one folder per major version.
package struct PostgresBinaries: Sendable, Hashable {
    package let directory: String
    package var initdb: String { directory + "/initdb" }
    package var postgres: String { directory + "/postgres" }

    package static let notInstalled = PostgresError(
        .notInstalled, #"PostgreSQL is not installed: run "apt-get install -y postgresql""#)

    /// The folders to look into, best first: Debian's and Red Hat's versioned ones (highest version first), a source
    /// build's, Homebrew's, then the PATH.
    package static func usualDirectories() -> [String] {
        let versioned = ["/usr/lib/postgresql/%/bin", "/usr/pgsql-%/bin", "/opt/homebrew/opt/postgresql@%/bin"]
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return versioned.flatMap(expand) + ["/usr/local/pgsql/bin", "/opt/homebrew/bin", "/usr/lib/postgresql/bin"]
            + path.split(separator: ":").map(String.init)
    }

    /// The first of `directories` that holds both `initdb` and `postgres`. With `major`, only programs of that version:
    /// a cluster can be opened by no other.
    package static func find(
        in directories: [String], major: Int? = nil
    ) throws(PostgresError) -> PostgresBinaries {
        let found = directories.map { PostgresBinaries(directory: $0) }
            .filter { access($0.initdb, X_OK) == 0 && access($0.postgres, X_OK) == 0 }
        guard let first = found.first else { throw notInstalled }
        guard let major else { return first }
        if let match = found.first(where: { version(in: $0.directory) == major }) { return match }
        // A folder that does not name its version may hold the right one; the server says so itself if not.
        if let unnamed = found.first(where: { version(in: $0.directory) == nil }) { return unnamed }
        throw PostgresError(
            .notInstalled,
            "the private database was made by PostgreSQL \(major), which is not installed any more: run "
                + #""apt-get install -y postgresql-\#(major)""#)
    }

    /// `prefix%suffix` with every number for which the folder exists, highest first.
    private static func expand(_ pattern: String) -> [String] {
        let parts = pattern.split(separator: "%", maxSplits: 1).map(String.init)
        guard parts.count == 2, let slash = parts[0].lastIndex(of: "/") else { return [] }
        let parent = String(parts[0][..<slash])
        let prefix = String(parts[0][parts[0].index(after: slash)...])
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return names.filter { $0.hasPrefix(prefix) }
            .compactMap { Int($0.dropFirst(prefix.count)) }
            .sorted(by: >)
            .map { parts[0] + String($0) + parts[1] }
    }

    private static func version(in directory: String) -> Int? {
        let parts = directory.split(separator: "/")
        guard parts.count >= 2 else { return nil }
        return Int(parts[parts.count - 2].drop { !$0.isNumber })
    }
}
