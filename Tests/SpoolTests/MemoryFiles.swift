import Glibc
import Spool
import Synchronization
import TestSupport

/// A file system in memory that knows what is on disk and what is in its cache only: it can lose power, refuse any call, be
/// full, write less than it was given, and forget what a failed `fsync` was to write, as Linux does.
final class MemoryFiles: SpoolFiles {
    /// What becomes of one call.
    enum Fault {
        case fail(Int32)
        /// The process dies: of a write, some first part is done, and no call succeeds any more.
        case crash
        case shortWrite
    }

    private struct Node {
        var cache: [UInt8] = []
        var disk: [UInt8] = []
        /// Sectors that are in the cache and not on disk.
        var dirty: Set<Int> = []
        var syncHasFailed = false
    }

    private enum Entry { case link(String, Int), unlink(String), rename(String, String) }

    private struct State {
        var nodes: [Int: Node] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        /// Changes of directories that are not on disk.
        var entries: [Entry] = []
        var directories: Set<String> = ["", "/"]
        var open: [Int32: (node: Int, path: String)] = [:]
        var locks: [Int: Int32] = [:]
        var next = 3
        var calls = 0
        var faults: [Int: Fault] = [:]
        var isDead = false
        var capacity = Int.max
        var violations: [String] = []
        var refuse: (@Sendable (_ call: String, _ path: String) -> Int32?)?

        /// Bytes of files that have a name or are open. Others may come back when power is lost.
        var used: Int {
            Set(names.values).union(open.values.map(\.node)).reduce(0) { $0 + (nodes[$1]?.cache.count ?? 0) }
        }
    }

    private let state: Mutex<State>
    static let sector = 512

    init(faults: [Int: Fault] = [:]) {
        var state = State()
        state.faults = faults
        self.state = Mutex(state)
    }

    private init(_ state: State) { self.state = Mutex(state) }

    /// Calls so far.
    var calls: Int { state.withLock { $0.calls } }
    var isDead: Bool { state.withLock { $0.isDead } }
    /// What no caller may do: a second `fsync` after a failed one.
    var violations: [String] { state.withLock { $0.violations } }
    /// Bytes of all files together.
    var capacity: Int {
        get { state.withLock { $0.capacity } }
        set { state.withLock { $0.capacity = newValue } }
    }
    /// Calls that fail, with what `errno`.
    func refuse(_ calls: (@Sendable (_ call: String, _ path: String) -> Int32?)?) {
        state.withLock { $0.refuse = calls }
    }
    func exists(_ path: String) -> Bool { state.withLock { $0.names[path] != nil } }

    /// The process is dead, and everything it wrote is there.
    func afterExit(faults: [Int: Fault] = [:]) -> MemoryFiles {
        var after = state.withLock { $0 }
        (after.open, after.locks, after.calls, after.isDead) = ([:], [:], 0, false)
        (after.faults, after.refuse) = (faults, nil)
        for number in after.nodes.keys { after.nodes[number]?.syncHasFailed = false }
        return MemoryFiles(after)
    }

    /// The machine lost its power: of what was not synced, any part is on disk, in sectors; of changes of directories any first
    /// part.
    func afterPowerLoss(_ chance: inout SeededGenerator) -> MemoryFiles {
        let before = state.withLock { $0 }
        var after = State()
        (after.directories, after.names, after.next) = (before.directories, before.durableNames, before.next)
        for entry in before.entries.prefix(Int.random(in: 0...before.entries.count, using: &chance)) {
            Self.apply(entry, to: &after.names)
        }
        after.durableNames = after.names
        for number in Set(after.names.values) {
            guard let node = before.nodes[number] else { continue }
            var disk = node.disk
            let kept = node.dirty.sorted().filter { _ in Bool.random(using: &chance) }
            if Bool.random(using: &chance) {
                disk += [UInt8](repeating: 0, count: max(0, node.cache.count - disk.count))
                disk.removeLast(disk.count - node.cache.count)
            }
            for sector in kept {
                let range = sector * Self.sector..<min((sector + 1) * Self.sector, node.cache.count)
                disk += [UInt8](repeating: 0, count: max(0, range.upperBound - disk.count))
                disk.replaceSubrange(range, with: node.cache[range])
            }
            after.nodes[number] = Node(cache: disk, disk: disk)
        }
        return MemoryFiles(after)
    }

    private static func apply(_ entry: Entry, to names: inout [String: Int]) {
        switch entry {
        case .link(let path, let node): names[path] = node
        case .unlink(let path): names[path] = nil
        case .rename(let from, let to): names[to] = names.removeValue(forKey: from)
        }
    }

    /// Counts the call and finds out whether it fails.
    private static func begin(_ call: String, _ path: String, _ state: inout State) throws(SystemFailure) -> Fault? {
        state.calls += 1
        if state.isDead { throw SystemFailure(call, path, EIO) }
        if let number = state.refuse?(call, path) { throw SystemFailure(call, path, number) }
        let fault = state.faults[state.calls]
        switch fault {
        case .fail(let number): throw SystemFailure(call, path, number)
        case .crash:
            state.isDead = true
            if call != "pwrite" { throw SystemFailure(call, path, EIO) }
            return fault
        case .shortWrite, nil: return fault
        }
    }

    private func call<Value: Sendable>(
        _ call: String, _ path: String, _ body: (inout State, Fault?) throws(SystemFailure) -> Value
    ) throws(SystemFailure) -> Value {
        let result: Result<Value, SystemFailure> = state.withLock { state in
            do throws(SystemFailure) {
                return .success(try body(&state, try Self.begin(call, path, &state)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func path(_ file: Int32) -> String { state.withLock { $0.open[file]?.path ?? "?" } }

    // MARK: SpoolFiles

    func open(_ path: String, _ mode: SpoolFileMode) throws(SystemFailure) -> Int32 {
        try call("open", path) { state, _ throws(SystemFailure) in
            if let node = state.names[path] {
                if mode == .creating { throw SystemFailure("open", path, EEXIST) }
                return Self.open(node, path, &state)
            }
            guard mode == .creating || mode == .writingOrCreating,
                state.directories.contains(SpoolTestPaths.parent(of: path))
            else { throw SystemFailure("open", path, ENOENT) }
            state.next += 1
            let node = state.next
            state.nodes[node] = Node()
            state.names[path] = node
            state.entries.append(.link(path, node))
            return Self.open(node, path, &state)
        }
    }

    private static func open(_ node: Int, _ path: String, _ state: inout State) -> Int32 {
        state.next += 1
        let file = Int32(state.next)
        state.open[file] = (node, path)
        return file
    }

    func close(_ file: Int32) {
        state.withLock { state in
            guard let node = state.open.removeValue(forKey: file)?.node else { return }
            if state.locks[node] == file { state.locks[node] = nil }
        }
    }

    func read(_ file: Int32, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int {
        try call("pread", path(file)) { state, _ in
            guard let node = state.open[file].flatMap({ state.nodes[$0.node] }), offset < node.cache.count else {
                return 0
            }
            let count = min(bytes.count, node.cache.count - offset)
            bytes.copyBytes(from: node.cache[offset..<offset + count])
            return count
        }
    }

    func write(_ file: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemFailure) -> Int {
        try call("pwrite", path(file)) { state, fault throws(SystemFailure) in
            guard let number = state.open[file]?.node, var node = state.nodes[number] else {
                throw SystemFailure("pwrite", "", EBADF)
            }
            let used = state.used
            let grows = max(0, offset + bytes.count - node.cache.count)
            var count = bytes.count - max(0, grows - max(0, state.capacity - used))
            if fault != nil { count = min(count, bytes.count / 2) }
            if count > 0 {
                node.cache += [UInt8](repeating: 0, count: max(0, offset + count - node.cache.count))
                node.cache.replaceSubrange(offset..<offset + count, with: bytes.prefix(count))
                node.dirty.formUnion(offset / Self.sector...(offset + count - 1) / Self.sector)
                state.nodes[number] = node
            }
            if state.isDead { throw SystemFailure("pwrite", "", EIO) }
            if count <= 0, !bytes.isEmpty {
                guard fault == nil else { throw SystemFailure("pwrite", "", EINTR) }
                throw SystemFailure("pwrite", "", ENOSPC)
            }
            return count
        }
    }

    func sync(_ file: Int32) throws(SystemFailure) {
        let path = path(file)
        let result: Result<Void, SystemFailure> = state.withLock { state in
            Result { () throws(SystemFailure) in
                guard let number = state.open[file]?.node else { throw SystemFailure("fdatasync", path, EBADF) }
                if state.nodes[number]?.syncHasFailed == true, !state.isDead {
                    state.violations.append("a second fsync of \(path)")
                }
                do throws(SystemFailure) {
                    _ = try Self.begin("fdatasync", path, &state)
                } catch {
                    // The pages are marked clean although they were not written.
                    if !state.isDead {
                        state.nodes[number]?.dirty = []
                        state.nodes[number]?.syncHasFailed = true
                    }
                    throw error
                }
                guard var node = state.nodes[number] else { return }
                node.disk += [UInt8](repeating: 0, count: max(0, node.cache.count - node.disk.count))
                node.disk.removeLast(node.disk.count - node.cache.count)
                for sector in node.dirty {
                    let range = sector * Self.sector..<min((sector + 1) * Self.sector, node.cache.count)
                    if !range.isEmpty { node.disk.replaceSubrange(range, with: node.cache[range]) }
                }
                node.dirty = []
                state.nodes[number] = node
            }
        }
        try result.get()
    }

    func syncDirectory(_ path: String) throws(SystemFailure) {
        try call("fsync", path) { state, _ in
            for entry in state.entries { Self.apply(entry, to: &state.durableNames) }
            state.entries = []
        }
    }

    func truncate(_ file: Int32, to size: Int) throws(SystemFailure) {
        try call("ftruncate", path(file)) { state, _ throws(SystemFailure) in
            guard let number = state.open[file]?.node, var node = state.nodes[number] else {
                throw SystemFailure("ftruncate", "", EBADF)
            }
            node.cache += [UInt8](repeating: 0, count: max(0, size - node.cache.count))
            node.cache.removeLast(node.cache.count - size)
            node.dirty = node.dirty.filter { $0 * Self.sector < size }
            state.nodes[number] = node
        }
    }

    func allocate(_ file: Int32, to size: Int) throws(SystemFailure) {
        try call("posix_fallocate", path(file)) { state, _ throws(SystemFailure) in
            guard let number = state.open[file]?.node, var node = state.nodes[number] else {
                throw SystemFailure("posix_fallocate", "", EBADF)
            }
            let more = max(0, size - node.cache.count)
            guard state.used + more <= state.capacity else { throw SystemFailure("posix_fallocate", "", ENOSPC) }
            node.cache += [UInt8](repeating: 0, count: more)
            state.nodes[number] = node
        }
    }

    func size(_ file: Int32) throws(SystemFailure) -> Int {
        try call("fstat", path(file)) { state, _ in
            state.open[file].flatMap { state.nodes[$0.node] }?.cache.count ?? 0
        }
    }

    func rename(_ path: String, to other: String) throws(SystemFailure) {
        try call("rename", path) { state, _ throws(SystemFailure) in
            guard let node = state.names.removeValue(forKey: path) else { throw SystemFailure("rename", path, ENOENT) }
            state.names[other] = node
            state.entries.append(.rename(path, other))
        }
    }

    func remove(_ path: String) throws(SystemFailure) {
        try call("unlink", path) { state, _ throws(SystemFailure) in
            guard state.names.removeValue(forKey: path) != nil else { throw SystemFailure("unlink", path, ENOENT) }
            state.entries.append(.unlink(path))
        }
    }

    func removeDirectory(_ path: String) throws(SystemFailure) {
        try call("rmdir", path) { state, _ throws(SystemFailure) in
            guard !state.names.keys.contains(where: { $0.hasPrefix(path + "/") }) else {
                throw SystemFailure("rmdir", path, ENOTEMPTY)
            }
            state.directories.remove(path)
        }
    }

    func makeDirectory(_ path: String) throws(SystemFailure) -> Bool {
        try call("mkdir", path) { state, _ in state.directories.insert(path).inserted }
    }

    func names(in directory: String) throws(SystemFailure) -> [String] {
        try call("readdir", directory) { state, _ in
            (Array(state.names.keys) + state.directories)
                .filter { $0 != directory && SpoolTestPaths.parent(of: $0) == directory }
                .map { String($0.dropFirst(directory.count + 1)) }
        }
    }

    func lock(_ file: Int32) throws(SystemFailure) -> Bool {
        try call("flock", path(file)) { state, _ in
            guard let node = state.open[file]?.node, state.locks[node] == nil || state.locks[node] == file else {
                return false
            }
            state.locks[node] = file
            return true
        }
    }

    func isFile(_ file: Int32, at path: String) -> Bool {
        state.withLock { $0.open[file]?.node == $0.names[path] && $0.names[path] != nil }
    }

    func free(at path: String) throws(SystemFailure) -> Int {
        try call("statvfs", path) { state, _ in
            state.capacity == .max ? .max : max(0, state.capacity - state.used)
        }
    }
}

enum SpoolTestPaths {
    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
