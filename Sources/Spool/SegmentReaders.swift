import DualWrite

/// Open segments for reading, a few at a time.
struct SegmentReaders {
    private static let kept = 8

    struct Opened {
        let file: Int32
        let seal: FrameSeal
        let cipher: SegmentCipher?
    }

    let paths: SpoolPaths
    let files: any SpoolFiles
    let id: SpoolID
    let key: SpoolKey?
    private var opened: [UInt32: Opened] = [:]

    init(paths: SpoolPaths, files: any SpoolFiles, id: SpoolID, key: SpoolKey?) {
        self.paths = paths
        self.files = files
        self.id = id
        self.key = key
    }

    mutating func segment(_ number: UInt32) throws(SpoolError) -> Opened {
        if let opened = opened[number] { return opened }
        if opened.count >= Self.kept, let oldest = opened.keys.min() { close { $0 == oldest } }
        let path = paths.segment(number)
        let file = try system { () throws(SystemFailure) in try files.open(path, .reading) }
        do throws(SpoolError) {
            let bytes = try system { () throws(SystemFailure) in
                try files.readAll(file, at: 0, count: SegmentHeader.size)
            }
            guard let header = bytes.withUnsafeBytes({ try? SegmentHeader($0) }), header.number == number,
                header.spool == id
            else { throw SpoolError(.damaged, "\(path) is damaged: its header has changed since it was opened") }
            guard header.key == nil || header.key == key?.id else {
                throw SpoolError(.key, "\(path) is encrypted with another key")
            }
            let reader = Opened(
                file: file, seal: FrameSeal(spool: id, segment: number),
                cipher: header.key == nil ? nil : key?.cipher(of: header))
            opened[number] = reader
            return reader
        } catch {
            files.close(file)
            throw error
        }
    }

    mutating func close(_ condition: (UInt32) -> Bool) {
        for (number, reader) in opened where condition(number) {
            files.close(reader.file)
            opened[number] = nil
        }
    }
}
