/// An open segment as a source of bytes.
struct SegmentFile: SegmentSource {
    let files: any SpoolFiles
    let file: Int32

    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int {
        try files.readAll(file, at: offset, into: bytes)
    }
}

/// The segment that is written to.
struct ActiveSegment {
    let file: Int32
    let number: UInt32
    let seal: FrameSeal
    /// Of its key; nil: not encrypted.
    let key: UInt64?
    let cipher: SegmentCipher?
    /// Where the next frame goes.
    var end: Int
}

/// Where a spool's files are.
struct SpoolPaths: Sendable {
    let directory: String

    var lock: String { "\(directory)/lock" }
    var id: String { "\(directory)/id" }
    var cursor: String { "\(directory)/cursor" }
    var gaps: String { "\(directory)/gaps" }
    var reserve: String { "\(directory)/reserve" }
    func segment(_ number: UInt32) -> String { "\(directory)/\(SegmentHeader.fileName(number))" }

    /// The directory that `path` is in.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
