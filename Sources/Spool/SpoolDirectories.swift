package import DualWrite
package import Logging

/// The spools of one machine, each in a numbered directory of its own under one root: a process has one, and takes over
/// those of processes that are gone. A process that succeeds another while that still drains makes its own beside.
package struct SpoolDirectories: Sendable {
    package let root: String
    private let files: any SpoolFiles
    private let logger: Logger

    package init(root: String, files: any SpoolFiles = SystemFiles(), logger: Logger = Logger(label: "spool")) {
        self.root = root
        self.files = files
        self.logger = logger
    }

    /// Opens the spool that this process appends to: the first that nobody has, or a new one. As ``Spool/open(directory:options:files:logger:visit:)``.
    package func claim(
        options: SpoolOptions = SpoolOptions(), visit: (LogPosition, [UInt8]) throws -> Void = { _, _ in }
    ) throws -> Spool {
        try makeRoot()
        // What `visit` throws is not to be taken for a lock.
        for number in try numbers() {
            if let spool = try open(number, options, visit) { return spool }
        }
        // Others may be making theirs at the same time.
        for _ in 0..<1000 {
            let number = (try numbers().last ?? 0) + 1
            let isNew = try system { () throws(SystemFailure) in try files.makeDirectory(path(number)) }
            if isNew, let spool = try open(number, options, visit) { return spool }
        }
        throw SpoolError(.locked, "no spool could be made in \(root): others take every new directory")
    }

    /// Directories whose process is gone, the oldest first. Somebody else may take them at the same time.
    package func orphans() throws(SpoolError) -> [String] {
        try numbers().map(path).filter { directory in
            guard let lock = try? files.open(SpoolPaths(directory: directory).lock, .writing) else { return true }
            defer { files.close(lock) }
            return (try? files.lock(lock)) ?? false
        }
    }

    /// Spools that are not this process's: of processes that live, or have ended since somebody looked for orphans.
    /// - Parameter own: this process's, those that it has adopted among them.
    package func others(than own: [Spool]) throws(SpoolError) -> [String] {
        let known = Set(own.map(\.directory))
        return try numbers().map(path).filter { !known.contains($0) }
    }

    /// Opens an orphan, to be drained and removed.
    /// - Returns: nil if another process has it now, or it is gone.
    package func adopt(
        _ directory: String, options: SpoolOptions = SpoolOptions(),
        visit: (LogPosition, [UInt8]) throws -> Void = { _, _ in }
    ) throws -> Spool? {
        guard let number = directory.split(separator: "/").last.flatMap({ UInt32($0) }), path(number) == directory,
            try numbers().contains(number)
        else { return nil }
        return try open(number, options, visit)
    }

    /// The spools under the root, whoever has them; the root itself, if it is one.
    package func spools() throws(SpoolError) -> [String] {
        let numbers = try numbers()
        if !numbers.isEmpty { return numbers.map(path) }
        let names = try system { () throws(SystemFailure) in try files.names(in: root) }
        guard names.contains("cursor") || names.contains(where: { SegmentHeader.number(inFileName: $0) != nil }) else {
            throw SpoolError(.system, "\(root) holds no spool")
        }
        return [root]
    }

    /// Nil: somebody else has it, or has removed it.
    private func open(
        _ number: UInt32, _ options: SpoolOptions, _ visit: (LogPosition, [UInt8]) throws -> Void
    ) throws -> Spool? {
        do {
            return try Spool.open(directory: path(number), options: options, files: files, logger: logger, visit: visit)
        } catch let error as SpoolError where error.code == .locked || error.failure?.isAbsent == true {
            return nil
        }
    }

    private func path(_ number: UInt32) -> String { "\(root)/\(number)" }

    private func numbers() throws(SpoolError) -> [UInt32] {
        try system { () throws(SystemFailure) in
            try files.names(in: root).compactMap { name in UInt32(name).flatMap { String($0) == name ? $0 : nil } }
                .sorted()
        }
    }

    private func makeRoot() throws(SpoolError) {
        try system { () throws(SystemFailure) in
            guard try files.makeDirectory(root) else { return }
            try files.syncDirectory(SpoolPaths.parent(of: root))
        }
    }
}
