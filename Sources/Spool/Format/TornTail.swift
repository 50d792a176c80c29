/// Whether what follows the last intact frame of the last segment is a write that was interrupted, and can be cut off, or
/// damage, which only a person may give up.
///
/// A process that is killed leaves a prefix of its last write. A machine that loses power leaves any part of its last
/// commit: what is missing there are whole sectors, which read as zeros, and what follows them may be intact. No other bytes
/// are torn: records before the last commit were on disk, and in the last one nothing but a missing sector is an excuse.
/// (etcd's WAL judges by zeroed sectors, too.)
package enum TailVerdict: Equatable {
    case torn
    /// Why not: for the report.
    case damaged(found: String)
}

extension SegmentScanner {
    package static var sector: Int { 512 }

    /// To be asked after ``next()`` has said `broken`. The scanner is of no use afterwards.
    package mutating func judge(_ broken: Broken) throws(SystemFailure) -> TailVerdict {
        if broken.fault == .short { return .torn }
        return try judge(from: broken.offset, nextCommit)
    }

    /// Of the frame that follows those gone through.
    package var nextCommit: UInt32 {
        last.map { $0.flags.contains(.endsCommit) ? ($0.commit + 1) % FrameHeader.commits : $0.commit } ?? 0
    }

    private mutating func judge(from start: Int, _ commit: UInt32) throws(SystemFailure) -> TailVerdict {
        var place = start
        while true {
            // A frame takes 16 bytes at least, so none begins in the next 15.
            let later = try firstFrame(from: place + FrameHeader.size)
            guard try hasHole(place..<(later?.offset ?? end)) else {
                let what = "bytes that do not match their checksum, and no missing sector"
                return .damaged(found: later.map { "\(what), before the intact record at \($0.offset)" } ?? what)
            }
            guard let later else { return .torn }
            skip(to: later.offset)
            frames: while true {
                switch try next() {
                case .end: return .torn
                case .broken(let broken):
                    place = broken.offset
                    if broken.fault == .short { return .torn }
                    break frames
                case .frame(let header, let offset):
                    guard header.commit == commit else {
                        return .damaged(found: "a broken record, and a later commit's intact one at \(offset)")
                    }
                }
            }
        }
    }

    /// True if a sector that begins in `range`, or the rest of the one in which it begins, is zero throughout. So short a rest
    /// that a record might end so by itself does not count, unless nothing else follows.
    private mutating func hasHole(_ range: Range<Int>) throws(SystemFailure) -> Bool {
        var place = range.lowerBound
        while place < range.upperBound {
            let next = min((place / Self.sector + 1) * Self.sector, end)
            if next - place >= FrameHeader.size || (place == range.lowerBound && next == end),
                try isZero(place..<next)
            {
                return true
            }
            place = next
        }
        return false
    }
}
