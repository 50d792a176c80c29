import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file in the data folder that says that a process lives: locked for as long as it does, touched each second, and
/// removed when it has handed over all its evidence. The next process on this folder learns from what is left who ended
/// without that, and when, also where Postgres was away all the time.
struct LifeSign: Sendable {
    /// Somebody who is gone.
    struct Left: Sendable {
        let id: String
        let startedAt: Date
        /// When the file was touched last.
        let aliveAt: Date
        fileprivate let path: String

        func forget() { unlink(path) }
    }

    private struct Content: Codable {
        let id: String
        let startedAt: Date
    }

    private static let prefix = "replica-"
    private let path: String
    private let descriptor: CInt

    /// Nil if the file cannot be had: then nobody will know on this machine that the process has died.
    init?(data: DataDirectory, id: String, startedAt: Date) {
        path = data.file(Self.prefix + id.replacing("/", with: "_").replacing(":", with: "_"))
        descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0,
            let content = try? JSONEncoder().encode(Content(id: id, startedAt: startedAt)),
            content.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == content.count
        else {
            close(descriptor)
            return nil
        }
    }

    func touch() { futimens(descriptor, nil) }

    func remove() {
        unlink(path)
        close(descriptor)
    }

    /// Those that have left a file and hold no lock on it.
    static func left(in data: DataDirectory) -> [Left] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: data.path)) ?? []
        return names.filter { $0.hasPrefix(prefix) }.sorted().compactMap { name in
            let path = data.file(name)
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            // Closing lets go of the lock.
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
            var found = stat()
            guard fstat(descriptor, &found) == 0, let bytes = FileManager.default.contents(atPath: path),
                let content = try? JSONDecoder().decode(Content.self, from: bytes)
            else { return nil }
            let seconds = Double(found.st_mtim.tv_sec) + Double(found.st_mtim.tv_nsec) / 1e9
            return Left(
                id: content.id, startedAt: content.startedAt, aliveAt: Date(timeIntervalSince1970: seconds), path: path)
        }
    }
}
