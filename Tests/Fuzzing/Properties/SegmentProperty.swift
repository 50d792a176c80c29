internal import Spool

/// A segment that is written as the bytes say, changed as they say, and read: flipped, ended early, holed, lengthened, with one
/// frame copied over another.
func checkSegment(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    var choices = SegmentChoices(bytes)
    let changes = (0..<choices.next() % 4).map { _ in
        (kind: choices.next() % 5, place: choices.next() << 8 | choices.next(), value: UInt8(choices.next()))
    }
    let written = WrittenSegment(&choices, spool: SpoolID(high: digest(bytes), low: 1))
    var segment = written.bytes
    for change in changes { written.change(&segment, change.kind, change.place, change.value) }

    let large = try readSegment(segment, written.seal, window: 4096, step: .max)
    for (window, step) in [(16, Int.max), (64, 3), (4096, 1)] {
        let other = try readSegment(segment, written.seal, window: window, step: step)
        try demand(other == large, "other frames in a window of \(window) bytes, \(step) at a time")
    }

    // Exactly the frames that are as they were written, up to the first that is not.
    let intact = written.frames.map {
        $0.range.upperBound <= segment.count && segment[$0.range].elementsEqual(written.bytes[$0.range])
    }
    let whole = written.frames.prefix(intact.firstIndex(of: false) ?? intact.count)
    try demand(
        large.frames == whole.map(\.range.lowerBound),
        "frames at \(large.frames), written at \(whole.map(\.range.lowerBound))")
    try demand(large.payloads == whole.map { Array(segment[$0.range.dropFirst(16)]) }, "a payload that was not written")
    for looked in large.later {
        let expected = zip(written.frames, intact).first { $0.range.lowerBound >= looked.place && $1 }?.0.range
            .lowerBound
        try demand(
            looked.found == expected,
            "looked for a frame from \(looked.place) on: found \(looked.found ?? -1), not \(expected ?? -1)")
    }
    guard let broken = large.broken else {
        try demand(whole.last?.range.upperBound ?? 64 == segment.count, "the end before the end")
        return .accepted
    }
    try demand(broken == whole.last?.range.upperBound ?? 64, "broken at \(broken)")
    if large.isTorn {
        // Nothing of a later commit is given up, nor anything of an earlier one.
        let commit: UInt32? = whole.count < written.frames.count ? written.frames[whole.count].commit : nil
        let later = zip(written.frames, intact).dropFirst(whole.count).filter { $0.1 }.map { $0.0.commit }
        try demand(later.allSatisfy { $0 == commit }, "a torn tail before records of another commit")
    } else {
        try demand(!changes.allSatisfy { $0.kind == 1 }, "the end of the file was taken for damage")
    }
    return large.isTorn ? .incomplete : .refused
}

/// What reading a segment comes to.
private struct SegmentReading: Equatable {
    var frames: [Int] = []
    var payloads: [[UInt8]] = []
    var broken: Int?
    var isTorn = false
    /// From where a frame was looked for, and where one was found.
    var later: [Pair] = []

    struct Pair: Equatable {
        let place: Int
        let found: Int?
    }
}

private func readSegment(_ bytes: [UInt8], _ seal: FrameSeal, window: Int, step: Int) throws(Violation)
    -> SegmentReading
{
    var scanner = SegmentScanner(MemorySegment(bytes: bytes, step: step), seal, end: bytes.count, window: window)
    var reading = SegmentReading()
    while true {
        switch try fromMemory({ () throws(SystemFailure) in try scanner.next() }) {
        case .frame(_, let offset):
            try demand(offset >= reading.frames.last.map { $0 + 16 } ?? 64, "a frame at \(offset) behind another one")
            reading.frames.append(offset)
            reading.payloads.append(scanner.payload)
        case .end: return reading
        case .broken(let broken):
            reading.broken = broken.offset
            for place in [broken.offset, broken.offset + 16, 64] {
                var looking = scanner
                let found = try fromMemory { () throws(SystemFailure) in try looking.firstFrame(from: place)?.offset }
                reading.later.append(SegmentReading.Pair(place: place, found: found))
            }
            reading.isTorn = try fromMemory { () throws(SystemFailure) in try scanner.judge(broken) == .torn }
            return reading
        }
    }
}

private func fromMemory<Value>(_ body: () throws(SystemFailure) -> Value) throws(Violation) -> Value {
    do throws(SystemFailure) { return try body() } catch { throw Violation("\(error)") }
}

private struct MemorySegment: SegmentSource {
    let bytes: [UInt8]
    /// Bytes given at a time.
    let step: Int

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int {
        guard offset < bytes.count else { return 0 }
        let count = min(buffer.count, bytes.count - offset, step)
        buffer.copyBytes(from: bytes[offset..<offset + count])
        return count
    }
}

/// Numbers out of the input; zeros when it has ended.
private struct SegmentChoices {
    private var rest: Slice<UnsafeRawBufferPointer>
    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    mutating func next() -> Int { Int(rest.popFirst() ?? 0) }
    mutating func next(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}

private struct WrittenSegment {
    struct Frame {
        let range: Range<Int>
        let commit: UInt32
    }

    private(set) var bytes: [UInt8]
    private(set) var frames: [Frame] = []
    let seal: FrameSeal

    /// A payload of so many bytes, of which the first ones are the input's; some frames end their commit.
    init(_ choices: inout SegmentChoices, spool: SpoolID) {
        let header = SegmentHeader(spool: spool, number: 7, lengthBefore: 0)
        bytes = header.bytes
        seal = FrameSeal(spool: spool, segment: 7)
        var commit: UInt32 = 0
        while !choices.isAtEnd, frames.count < 24 {
            let choice = choices.next()
            let given = choices.next(choice >> 3 & 15)
            let payload =
                given + [UInt8](repeating: UInt8(choice | 1), count: choice & 0x80 == 0 ? 0 : 40 * (choice >> 3 & 15))
            let start = bytes.count
            let frame = FrameHeader(
                length: UInt32(payload.count), flags: choice & 1 == 1 ? .endsCommit : [], commit: commit)
            bytes += [UInt8](repeating: 0, count: 16) + payload
            bytes.withUnsafeMutableBytes {
                seal.seal(UnsafeMutableRawBufferPointer(rebasing: $0[start...]), frame, at: UInt32(start))
            }
            frames.append(Frame(range: start..<bytes.count, commit: commit))
            if choice & 1 == 1 { commit += 1 }
        }
    }

    /// Behind the header.
    func change(_ segment: inout [UInt8], _ kind: Int, _ choice: Int, _ value: UInt8) {
        let place = 64 + choice % max(1, segment.count - 64)
        switch kind {
        case 0: if place < segment.count { segment[place] ^= value | 1 }
        case 1: segment.removeLast(segment.count - min(place, segment.count))
        case 2:
            for zeroed in max(64, place & ~511)..<max(64, min(segment.count, (place | 511) + 1)) { segment[zeroed] = 0 }
        case 3: segment += [UInt8](repeating: value, count: choice & 63)
        default:
            guard !frames.isEmpty else { return }
            let (from, to) = (frames[Int(value) % frames.count].range, frames[choice % frames.count].range)
            let copy = bytes[from].prefix(max(0, segment.count - to.lowerBound))
            if to.lowerBound < segment.count {
                segment.replaceSubrange(to.lowerBound..<to.lowerBound + copy.count, with: copy)
            }
        }
    }
}

/// Of the whole input, so that no part of it can be made to look like a frame.
private func digest(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
