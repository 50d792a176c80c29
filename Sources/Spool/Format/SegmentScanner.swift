/// Bytes of a segment, from a file or from memory.
package protocol SegmentSource {
    /// Reads at `offset`; fewer bytes than there is room for, none at the end.
    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int
}

/// Goes through a segment's frames in large reads, in as much memory as a window or the largest record takes.
package struct SegmentScanner<Source: SegmentSource> {
    package enum Step: Equatable {
        /// An intact frame: its header, and where it begins.
        case frame(FrameHeader, offset: Int)
        case end
        case broken(Broken)
    }

    /// A place at which a frame has to begin, and none does.
    package struct Broken: Error, Equatable {
        package enum Fault: Equatable {
            /// The file ends within the frame's header, or within what an intact header announces.
            case short
            /// The header does not match its sum.
            case header
            /// The header does, the payload does not.
            case payload(FrameHeader)
        }
        package let offset: Int
        package let fault: Fault
    }

    let source: Source
    let seal: FrameSeal
    /// Where the scan ends.
    package let end: Int
    /// Where the next frame has to begin.
    package private(set) var offset: Int
    /// Of the frames gone through: the last one's header, and where its commit begins.
    package private(set) var last: FrameHeader?
    package private(set) var commitStart: Int

    private var window: [UInt8]
    private var windowStart = 0
    private var windowFilled = 0
    private var frame = 0..<0

    package init(
        _ source: Source, _ seal: FrameSeal, from offset: Int = SegmentHeader.size, end: Int, window: Int = 1 << 20
    ) {
        self.source = source
        self.seal = seal
        self.end = end
        self.offset = offset
        commitStart = offset
        self.window = [UInt8](repeating: 0, count: max(window, FrameHeader.size))
    }

    /// The next frame. After `broken` and `end` it is that again.
    package mutating func next() throws(SystemFailure) -> Step {
        guard offset < end else { return .end }
        switch try look(at: offset) {
        case .success(let header):
            let start = offset
            if last.map({ $0.flags.contains(.endsCommit) || $0.commit != header.commit }) ?? true {
                commitStart = start
            }
            last = header
            offset = start + FrameHeader.size + Int(header.length)
            return .frame(header, offset: start)
        case .failure(let broken): return .broken(broken)
        }
    }

    /// The payload of the frame that `next` has returned.
    package var payload: [UInt8] { Array(window[frame.dropFirst(FrameHeader.size)]) }

    package func withPayload<Value>(_ body: (ArraySlice<UInt8>) -> Value) -> Value {
        body(window[frame.dropFirst(FrameHeader.size)])
    }

    /// Whether a frame is intact at `offset`.
    private mutating func look(at offset: Int) throws(SystemFailure) -> Result<FrameHeader, Broken> {
        guard let place = UInt32(exactly: offset), let begin = try load(offset, FrameHeader.size) else {
            return .failure(Broken(offset: offset, fault: .short))
        }
        let seal = seal
        guard let header = window.withUnsafeBytes({ seal.header(.init(rebasing: $0[begin...]), at: place) }) else {
            return .failure(Broken(offset: offset, fault: .header))
        }
        let size = FrameHeader.size + Int(header.length)
        guard let begin = try load(offset, size) else { return .failure(Broken(offset: offset, fault: .short)) }
        let frame = begin..<begin + size
        guard window.withUnsafeBytes({ seal.matches(.init(rebasing: $0[frame]), header, at: place) }) else {
            return .failure(Broken(offset: offset, fault: .payload(header)))
        }
        self.frame = frame
        return .success(header)
    }

    /// Where in the window `count` bytes from `offset` on are; nil: the segment ends before.
    private mutating func load(_ offset: Int, _ count: Int) throws(SystemFailure) -> Int? {
        if offset >= windowStart, offset + count <= windowStart + windowFilled { return offset - windowStart }
        guard count <= end - offset else { return nil }
        let wanted = min(max(count, window.count), end - offset)
        if window.count < wanted { window = [UInt8](repeating: 0, count: wanted) }
        (windowStart, windowFilled) = (offset, 0)
        let source = source
        while windowFilled < wanted {
            let at = windowFilled
            let read: Result<Int, SystemFailure> = window.withUnsafeMutableBytes { bytes in
                Result { () throws(SystemFailure) in
                    try source.read(at: offset + at, into: UnsafeMutableRawBufferPointer(rebasing: bytes[at..<wanted]))
                }
            }
            let count = try read.get()
            guard count > 0 else { break }
            windowFilled += count
        }
        return windowFilled >= count ? 0 : nil
    }

    // MARK: Behind a broken frame

    /// The first intact frame at or after `start`, looked for at every byte.
    package mutating func firstFrame(from start: Int) throws(SystemFailure) -> (offset: Int, header: FrameHeader)? {
        var offset = start
        while offset + FrameHeader.size <= end {
            guard let begin = try load(offset, FrameHeader.size) else { return nil }
            // As far as the window goes, without a call per byte.
            let count = windowFilled - begin - FrameHeader.size + 1
            let (seal, end) = (seal, end)
            let found = window.withUnsafeBytes { bytes in
                (0..<count).first { step in
                    let place = begin + step
                    guard Int(bytes.lowestFirst(place, UInt32.self)) <= end - offset - step - FrameHeader.size,
                        let at = UInt32(exactly: offset + step)
                    else { return false }
                    return seal.header(.init(rebasing: bytes[place...]), at: at) != nil
                }
            }
            guard let found else {
                offset += count
                continue
            }
            offset += found
            if case .success(let header) = try look(at: offset) { return (offset, header) }
            offset += 1
        }
        return nil
    }

    /// True if all bytes of `range` are zero.
    mutating func isZero(_ range: Range<Int>) throws(SystemFailure) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard let begin = try load(offset, 1) else { return false }
            let count = min(windowFilled - begin, range.upperBound - offset)
            guard window[begin..<begin + count].allSatisfy({ $0 == 0 }) else { return false }
            offset += count
        }
        return true
    }

    /// Goes on at `offset`, which ``firstFrame(from:)`` has found.
    mutating func skip(to offset: Int) {
        self.offset = offset
        last = nil
        commitStart = offset
    }
}
