/// A few bytes that are replaced as a whole and survive a crash: a file of two blocks that are written in turn, in place, so
/// that a full disk does not stop it, and of which at most one is broken. (A new file renamed over the old one would need
/// space just when what it says, that segments may go, would give some back.)
struct SlotFile {
    private static let slot = 4096
    private static let magic: [UInt8] = Array("STRSLOT1".utf8)
    private static let header = 24
    static let capacity = slot - header

    enum Content: Equatable {
        /// Nothing has been written yet.
        case fresh
        case bytes([UInt8])
        /// Bytes, but no block of ours among them.
        case damaged
    }

    let path: String
    private let files: any SpoolFiles
    private let file: Int32
    private var sequence: UInt64 = 0
    /// What this process has brought to disk. What it only read may be in memory alone, if a sync has failed before.
    private var current: [UInt8]?
    /// Of the write or sync that failed: what is on disk is not known, and a second sync would not say.
    private(set) var failure: SystemFailure?

    /// Opens the file, or makes it with both blocks allocated. The caller syncs the directory.
    static func open(_ path: String, _ files: any SpoolFiles) throws(SystemFailure) -> (
        file: SlotFile, content: Content
    ) {
        let file = try files.open(path, .writingOrCreating)
        do throws(SystemFailure) {
            let bytes = try files.readAll(file, at: 0, count: 2 * slot)
            var opened = SlotFile(path: path, files: files, file: file)
            let content = content(of: bytes)
            if case .bytes = content.newest { opened.sequence = content.sequence }
            if bytes.count < 2 * slot, content.newest == .fresh {
                try files.writeAll(file, at: 0, [UInt8](repeating: 0, count: 2 * slot))
                try files.sync(file)
            }
            return (opened, content.newest)
        } catch {
            files.close(file)
            throw error
        }
    }

    private init(path: String, files: any SpoolFiles, file: Int32) {
        self.path = path
        self.files = files
        self.file = file
    }

    /// What a file's bytes say; for looking at one that somebody else has open.
    static func content(of bytes: [UInt8]) -> (newest: Content, sequence: UInt64) {
        guard bytes.contains(where: { $0 != 0 }) else { return (.fresh, 0) }
        // A first write that was torn leaves the other block empty: it was never said to be durable.
        let isFirst = bytes.prefix(slot).allSatisfy { $0 == 0 } || bytes.dropFirst(slot).allSatisfy { $0 == 0 }
        var newest: (newest: Content, sequence: UInt64) = (isFirst ? .fresh : .damaged, 0)
        for start in [0, slot] where bytes.count >= start + header {
            let found: (UInt64, [UInt8])? = bytes[start...].prefix(slot).withUnsafeBytes { block in
                let length = Int(block.lowestFirst(16, UInt32.self))
                guard block.prefix(8).elementsEqual(magic), length <= block.count - header else { return nil }
                var sum = CRC32C()
                sum.update(UnsafeRawBufferPointer(rebasing: block[0..<20]))
                sum.update(UnsafeRawBufferPointer(rebasing: block[header..<header + length]))
                guard sum.value == block.lowestFirst(20, UInt32.self) else { return nil }
                return (block.lowestFirst(8, UInt64.self), Array(block[header..<header + length]))
            }
            if let found, found.0 >= newest.sequence { newest = (.bytes(found.1), found.0) }
        }
        return newest
    }

    /// Replaces the content; durable when it returns. After a failure every further call fails with it.
    mutating func write(_ content: [UInt8]) throws(SystemFailure) {
        if let failure { throw failure }
        if content == current { return }
        var block = Self.magic
        block.append(lowestFirst: sequence + 1)
        block.append(lowestFirst: UInt32(content.count))
        var sum = CRC32C()
        sum.update(block)
        sum.update(content)
        block.append(lowestFirst: sum.value)
        block += content
        do throws(SystemFailure) {
            try files.writeAll(file, at: Int(sequence % 2) * Self.slot, block)
        } catch {
            // A file system that copies on write may want space even here; it can be tried again.
            if !error.isNoSpace { failure = error }
            throw error
        }
        do throws(SystemFailure) {
            try files.sync(file)
        } catch {
            failure = error
            throw error
        }
        sequence += 1
        current = content
    }

    func close() { files.close(file) }
}
