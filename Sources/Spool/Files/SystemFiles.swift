import Glibc

/// The files of the machine.
package struct SystemFiles: SpoolFiles {
    package init() {}

    package func open(_ path: String, _ mode: SpoolFileMode) throws(SystemFailure) -> Int32 {
        let flags =
            switch mode {
            case .reading: O_RDONLY
            case .writing: O_RDWR
            case .creating: O_RDWR | O_CREAT | O_EXCL
            case .writingOrCreating: O_RDWR | O_CREAT
            }
        while true {
            let file = Glibc.open(path, flags | O_CLOEXEC, 0o600)
            if file >= 0 { return file }
            let number = errno
            if number != EINTR { throw SystemFailure("open", path, number) }
        }
    }

    package func close(_ file: Int32) { Glibc.close(file) }

    package func read(_ file: Int32, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure)
        -> Int
    {
        let count = bytes.baseAddress.map { pread(file, $0, bytes.count, offset) } ?? 0
        if count < 0 { throw failure("pread", file) }
        return count
    }

    package func write(_ file: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemFailure) -> Int {
        let count = bytes.baseAddress.map { pwrite(file, $0, bytes.count, offset) } ?? 0
        if count < 0 { throw failure("pwrite", file) }
        return count
    }

    package func sync(_ file: Int32) throws(SystemFailure) {
        if fdatasync(file) != 0 { throw failure("fdatasync", file) }
    }

    package func syncDirectory(_ path: String) throws(SystemFailure) {
        let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory < 0 { throw SystemFailure("open", path, errno) }
        defer { Glibc.close(directory) }
        if fsync(directory) != 0 { throw SystemFailure("fsync", path, errno) }
    }

    package func truncate(_ file: Int32, to size: Int) throws(SystemFailure) {
        while ftruncate(file, size) != 0 {
            let number = errno
            if number != EINTR { throw SystemFailure("ftruncate", Self.path(file), number) }
        }
    }

    package func allocate(_ file: Int32, to size: Int) throws(SystemFailure) {
        while true {
            let number = posix_fallocate(file, 0, size)
            if number == 0 { return }
            if number != EINTR { throw SystemFailure("posix_fallocate", Self.path(file), number) }
        }
    }

    package func size(_ file: Int32) throws(SystemFailure) -> Int {
        var facts = stat()
        if fstat(file, &facts) != 0 { throw failure("fstat", file) }
        return Int(facts.st_size)
    }

    package func rename(_ path: String, to other: String) throws(SystemFailure) {
        if Glibc.rename(path, other) != 0 { throw SystemFailure("rename", path, errno) }
    }

    package func remove(_ path: String) throws(SystemFailure) {
        if unlink(path) != 0 { throw SystemFailure("unlink", path, errno) }
    }

    package func removeDirectory(_ path: String) throws(SystemFailure) {
        if rmdir(path) != 0 { throw SystemFailure("rmdir", path, errno) }
    }

    package func makeDirectory(_ path: String) throws(SystemFailure) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        let number = errno
        var facts = stat()
        guard number == EEXIST, stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw SystemFailure("mkdir", path, number)
        }
        return false
    }

    package func names(in directory: String) throws(SystemFailure) -> [String] {
        guard let stream = opendir(directory) else { throw SystemFailure("opendir", directory, errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw SystemFailure("readdir", directory, errno) }
        return names
    }

    package func lock(_ file: Int32) throws(SystemFailure) -> Bool {
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EWOULDBLOCK { return false }
            if number != EINTR { throw SystemFailure("flock", Self.path(file), number) }
        }
        return true
    }

    package func isFile(_ file: Int32, at path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(file, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
            && opened.st_dev == named.st_dev
    }

    package func free(at path: String) throws(SystemFailure) -> Int {
        var facts = statvfs()
        if statvfs(path, &facts) != 0 { throw SystemFailure("statvfs", path, errno) }
        let (bytes, overflow) = Int(clamping: facts.f_bavail).multipliedReportingOverflow(by: Int(facts.f_frsize))
        return overflow ? .max : bytes
    }

    /// `errno` is read first: looking for the path changes it.
    private func failure(_ call: String, _ file: Int32) -> SystemFailure {
        let number = errno
        return SystemFailure(call, Self.path(file), number)
    }

    /// What an open file is called, for messages.
    private static func path(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/fd/\(file)", $0, bytes.count) } ?? 0
        }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : "file \(file)"
    }
}
