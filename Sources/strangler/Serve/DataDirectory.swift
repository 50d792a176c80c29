import Foundation

/// The folder `data`: private Postgres, cached stages, the key for redaction. Only the proxy's own user may enter.
struct DataDirectory: Sendable {
    let path: String

    init(path: String) throws(StartError) {
        self.path = path
        do {
            // 0711: the private Postgres may run as another user and has to pass through; it can list nothing.
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        } catch {
            throw StartError(description: "cannot make the data folder \(path): \(error.localizedDescription)")
        }
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// The key that makes redacted values comparable and not guessable: 32 random bytes, made at the first start.
    /// Replicas that shall agree on redacted values need a copy of this file.
    func redactionKey() throws(StartError) -> [UInt8] {
        let file = file("redaction.key")
        if let key = FileManager.default.contents(atPath: file), key.count >= 16 { return Array(key) }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        guard
            FileManager.default.createFile(
                atPath: file, contents: Data(key), attributes: [.posixPermissions: 0o600])
        else { throw StartError(description: "cannot write \(file)") }
        return key
    }
}
