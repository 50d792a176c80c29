/// What stands before each record in a segment: 16 bytes.
///
///     0 length of the payload   4 flags   5 commit (3 bytes)   8 CRC-32C of the header   12 CRC-32C of header and payload
///
/// Both sums begin with the spool's id, the segment's number and the frame's offset, so that a frame is valid in one place
/// only. The header has a sum of its own because recovery has to know a length before it can trust one, and looks for frames
/// at every byte behind damage.
package struct FrameHeader: Sendable, Equatable {
    package static let size = 16

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let encrypted = Flags(rawValue: 1)
        /// The last frame of its commit: when a later one begins, `fsync` has succeeded for this.
        package static let endsCommit = Flags(rawValue: 2)
        /// Put over damaged bytes by a repair: no record.
        package static let void = Flags(rawValue: 4)
        package static let known: Flags = [.encrypted, .endsCommit, .void]
    }

    package var length: UInt32
    package var flags: Flags
    /// Which commit of the segment's, counted from 0, the frame was written in, modulo 2^24: frames of one commit may reach the disk in any
    /// order, those of different commits only in theirs.
    package var commit: UInt32

    package static let commits: UInt32 = 1 << 24

    package init(length: UInt32, flags: Flags, commit: UInt32) {
        self.length = length
        self.flags = flags
        self.commit = commit % Self.commits
    }

    fileprivate var word: UInt32 { UInt32(flags.rawValue) | commit << 8 }
}

/// Makes and checks the sums of one segment's frames.
package struct FrameSeal: Sendable {
    private let start: CRC32C

    package init(spool: SpoolID, segment: UInt32) {
        var start = CRC32C()
        start.update(spool.high)
        start.update(spool.low)
        start.update(segment)
        self.start = start
    }

    private func sum(_ header: FrameHeader, at offset: UInt32) -> CRC32C {
        var sum = start
        sum.update(UInt64(offset) | UInt64(header.length) << 32)
        sum.update(header.word)
        return sum
    }

    /// Writes the header of a frame at `offset` of the segment into the first 16 of `bytes`, which hold the payload behind.
    package func seal(_ bytes: UnsafeMutableRawBufferPointer, _ header: FrameHeader, at offset: UInt32) {
        var sum = sum(header, at: offset)
        bytes.storeBytes(of: header.length.littleEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: header.word.littleEndian, toByteOffset: 4, as: UInt32.self)
        bytes.storeBytes(of: sum.value.littleEndian, toByteOffset: 8, as: UInt32.self)
        sum.update(UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.size...]))
        bytes.storeBytes(of: sum.value.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// The header at the beginning of `bytes` (at least 16), if its sum says that a frame begins at `offset`.
    package func header(_ bytes: UnsafeRawBufferPointer, at offset: UInt32) -> FrameHeader? {
        let word = bytes.lowestFirst(4, UInt32.self)
        let flags = FrameHeader.Flags(rawValue: UInt8(truncatingIfNeeded: word))
        guard flags.subtracting(.known).isEmpty else { return nil }
        let header = FrameHeader(length: bytes.lowestFirst(0, UInt32.self), flags: flags, commit: word >> 8)
        return sum(header, at: offset).value == bytes.lowestFirst(8, UInt32.self) ? header : nil
    }

    /// True if the payload behind `header` is what was written. `bytes` are the frame's, header included.
    package func matches(_ bytes: UnsafeRawBufferPointer, _ header: FrameHeader, at offset: UInt32) -> Bool {
        var sum = sum(header, at: offset)
        sum.update(UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.size...]))
        return sum.value == bytes.lowestFirst(12, UInt32.self)
    }
}
