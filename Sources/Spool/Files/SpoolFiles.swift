/// The system calls that a spool makes, one by one, so that tests can let each of them fail, or stop there.
package protocol SpoolFiles: Sendable {
    /// The descriptor is closed on exec. A file that is made is readable for its owner only.
    func open(_ path: String, _ mode: SpoolFileMode) throws(SystemFailure) -> Int32
    func close(_ file: Int32)
    /// pread(2); may read less.
    func read(_ file: Int32, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int
    /// pwrite(2); may write less.
    func write(_ file: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemFailure) -> Int
    /// fdatasync(2).
    func sync(_ file: Int32) throws(SystemFailure)
    /// fsync(2) of a directory: its names are durable.
    func syncDirectory(_ path: String) throws(SystemFailure)
    func truncate(_ file: Int32, to size: Int) throws(SystemFailure)
    /// posix_fallocate(3): the file has at least so many bytes, and room on the disk for each.
    func allocate(_ file: Int32, to size: Int) throws(SystemFailure)
    func size(_ file: Int32) throws(SystemFailure) -> Int
    func rename(_ path: String, to other: String) throws(SystemFailure)
    func remove(_ path: String) throws(SystemFailure)
    func removeDirectory(_ path: String) throws(SystemFailure)
    /// For its owner only. False if it is there already.
    func makeDirectory(_ path: String) throws(SystemFailure) -> Bool
    /// In no order.
    func names(in directory: String) throws(SystemFailure) -> [String]
    /// flock(2), exclusive; false if another open file has it. Held until `close`, by the death of the process, too.
    func lock(_ file: Int32) throws(SystemFailure) -> Bool
    /// True if `path` names the open file, and not another one, or none.
    func isFile(_ file: Int32, at path: String) -> Bool
    /// Bytes that this user may still write on the file system of `path`.
    func free(at path: String) throws(SystemFailure) -> Int
}

package enum SpoolFileMode: Sendable {
    case reading, writing
    /// It must not be there.
    case creating
    case writingOrCreating
}

extension SpoolFiles {
    /// Fills `bytes` from `offset` on, as far as the file goes.
    func readAll(_ file: Int32, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int
    {
        var done = 0
        while done < bytes.count {
            let count = try uninterrupted { () throws(SystemFailure) in
                try read(file, at: offset + done, into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
            }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    func readAll(_ file: Int32, at offset: Int, count: Int) throws(SystemFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = bytes.withUnsafeMutableBytes { into in
            Result { () throws(SystemFailure) in try readAll(file, at: offset, into: into) }
        }
        bytes.removeLast(count - (try read.get()))
        return bytes
    }

    func writeAll(_ file: Int32, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemFailure) {
        var done = 0
        while done < bytes.count {
            let count = try uninterrupted { () throws(SystemFailure) in
                try write(file, at: offset + done, UnsafeRawBufferPointer(rebasing: bytes[done...]))
            }
            // Not for a file, by POSIX; going on would be an endless loop.
            guard count > 0 else { throw SystemFailure("pwrite", "", SystemFailure.nothingWritten) }
            done += count
        }
    }

    func writeAll(_ file: Int32, at offset: Int, _ bytes: [UInt8]) throws(SystemFailure) {
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemFailure) in try writeAll(file, at: offset, bytes) }
        }
        .get()
    }

    private func uninterrupted(_ call: () throws(SystemFailure) -> Int) throws(SystemFailure) -> Int {
        while true {
            do throws(SystemFailure) {
                return try call()
            } catch  where error.isInterrupted {}
        }
    }
}
