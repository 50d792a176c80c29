import Foundation
import Glibc

/// The account that the private server runs as. Postgres refuses to run as root, so a proxy that was started by root
/// hands its server to `postgres`, or `nobody` where that does not exist.
struct ServerAccount: Sendable, Hashable {
    let name: String
    let uid: uid_t
    let gid: gid_t
    /// True if it is another account than ours, so that files must be given to it and programs started as it.
    let isOther: Bool

    static func current() throws(PostgresError) -> ServerAccount {
        guard geteuid() == 0 else {
            return ServerAccount(name: "", uid: geteuid(), gid: getegid(), isOther: false)
        }
        for name in ["postgres", "nobody"] {
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: 16_384)
            if getpwnam_r(name, &entry, &buffer, buffer.count, &result) == 0, result != nil {
                return ServerAccount(name: name, uid: entry.pw_uid, gid: entry.pw_gid, isOther: true)
            }
        }
        throw PostgresError(
            .serverFailed, "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
    }

    /// The words that start a program as this account and have the kernel interrupt it when we die without stopping it
    /// (SIGINT is Postgres's "fast shutdown"). `setpriv` replaces itself by the program, so the process number stays.
    func launcher() throws(PostgresError) -> [String] {
        let usual: [String] = ["/usr/bin/setpriv", "/bin/setpriv"]
        let setpriv = usual.first { access($0, X_OK) == 0 }
        guard let setpriv else {
            guard isOther else { return [] }
            throw PostgresError(
                .serverFailed,
                #"running the private Postgres from root needs setpriv: run "apt-get install -y util-linux""#)
        }
        guard isOther else { return [setpriv, "--pdeathsig", "INT", "--"] }
        return [setpriv, "--reuid", String(uid), "--regid", String(gid), "--clear-groups", "--pdeathsig", "INT", "--"]
    }

    /// The first folder on the way to `path` (an absolute path that exists) that this account may not pass, or nil.
    func obstacle(on path: String) -> String? {
        guard isOther else { return nil }
        var folder = ""
        for part in path.split(separator: "/") {
            if let closed = closedFolder(folder.isEmpty ? "/" : folder) { return closed }
            folder += "/" + part
        }
        return nil
    }

    private func closedFolder(_ folder: String) -> String? {
        var information = stat()
        guard stat(folder, &information) == 0 else { return folder }
        let needed: mode_t =
            information.st_uid == uid ? S_IXUSR : information.st_gid == gid ? S_IXGRP : S_IXOTH
        return information.st_mode & needed != 0 ? nil : folder
    }

    /// Makes `path` a folder that this account owns and nobody else may enter.
    func makePrivateDirectory(_ path: String) throws(PostgresError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PostgresError(.serverFailed, "cannot make the folder \(path): \(error.localizedDescription)")
        }
        guard chmod(path, 0o700) == 0, !isOther || chown(path, uid, gid) == 0 else {
            throw PostgresError(.serverFailed, "cannot make \(path) private: \(String(cString: strerror(errno)))")
        }
    }
}
