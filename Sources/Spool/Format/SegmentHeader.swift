/// The first 64 bytes of a segment. Numbers have their lowest byte first.
///
///     0 STRSPOOL   8 version   12 segment   16 spool (16)   32 flags   36 length of the segment before
///     40 key (8)   48 salt (12)   60 CRC-32C of bytes 0 to 59
package struct SegmentHeader: Sendable, Equatable {
    package static let size = 64
    package static let magic: [UInt8] = Array("STRSPOOL".utf8)
    package static let version: UInt32 = 1

    package var spool: SpoolID
    package var number: UInt32
    /// Where the segment before ended, all of it on disk: what is missing there is damage, not a torn tail. 0: unknown,
    /// or there is none.
    package var lengthBefore: UInt32
    /// Of the key that the records are encrypted with.
    package var key: UInt64?
    /// Makes the segment's own key out of that one.
    package var salt: [UInt8]

    private static let isEncrypted: UInt32 = 1
    private static let saltSize = 12

    package init(spool: SpoolID, number: UInt32, lengthBefore: UInt32, key: UInt64? = nil) {
        self.spool = spool
        self.number = number
        self.lengthBefore = lengthBefore
        self.key = key
        salt = (0..<Self.saltSize).map { _ in .random(in: 0 ... .max) }
    }

    package var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(lowestFirst: Self.version)
        bytes.append(lowestFirst: number)
        bytes.append(lowestFirst: spool.high)
        bytes.append(lowestFirst: spool.low)
        bytes.append(lowestFirst: key == nil ? 0 : Self.isEncrypted)
        bytes.append(lowestFirst: lengthBefore)
        bytes.append(lowestFirst: key ?? 0)
        bytes += salt
        var sum = CRC32C()
        sum.update(bytes)
        bytes.append(lowestFirst: sum.value)
        return bytes
    }

    /// What is wrong with a header, in the words of a report: `expected … , found …`.
    package struct Fault: Error, Sendable, Equatable {
        package let expected: String
        package let found: String
    }

    /// - Parameter bytes: at least ``size``.
    package init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        guard bytes.count >= Self.size, bytes.prefix(8).elementsEqual(Self.magic) else {
            throw Fault(expected: "a segment, which begins with STRSPOOL", found: "other bytes")
        }
        var sum = CRC32C()
        sum.update(UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
        guard sum.value == bytes.lowestFirst(60, UInt32.self) else {
            throw Fault(expected: "a header that matches its checksum", found: "one that does not")
        }
        let version = bytes.lowestFirst(8, UInt32.self)
        let flags = bytes.lowestFirst(32, UInt32.self)
        guard version == Self.version, flags & ~Self.isEncrypted == 0 else {
            throw Fault(expected: "format \(Self.version)", found: "format \(version), flags \(flags)")
        }
        number = bytes.lowestFirst(12, UInt32.self)
        spool = SpoolID(high: bytes.lowestFirst(16, UInt64.self), low: bytes.lowestFirst(24, UInt64.self))
        lengthBefore = bytes.lowestFirst(36, UInt32.self)
        key = flags & Self.isEncrypted == 0 ? nil : bytes.lowestFirst(40, UInt64.self)
        salt = Array(bytes[48..<60])
    }

    /// `00000001.seg`.
    package static func fileName(_ number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".seg"
    }

    /// The number in a segment's file name; nil for any other name.
    package static func number(inFileName name: String) -> UInt32? {
        guard name.hasSuffix(".seg"), let number = UInt32(name.dropLast(4)), fileName(number) == name else {
            return nil
        }
        return number
    }
}

extension [UInt8] {
    mutating func append(lowestFirst number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// The caller has made sure that the bytes are there.
    func lowestFirst<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
