/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a time by tables. A running sum: what is behind it can be
/// continued by different bytes.
package struct CRC32C: Sendable, Equatable {
    private var state: UInt32 = .max

    package init() {}

    package var value: UInt32 { ~state }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let sum = state
        state = Self.tables.withUnsafeBufferPointer { Self.sum(bytes, from: sum, $0) }
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The number's bytes, lowest first.
    package mutating func update(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { update($0) }
    }

    private static func sum(
        _ bytes: UnsafeRawBufferPointer, from start: UInt32, _ tables: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        var sum = start
        var place = 0
        let eights = bytes.count & ~7
        while place < eights {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)) ^ UInt64(sum)
            sum = tables[1792 &+ Int(word & 0xFF)] ^ tables[1536 &+ Int(word >> 8 & 0xFF)]
            sum ^= tables[1280 &+ Int(word >> 16 & 0xFF)] ^ tables[1024 &+ Int(word >> 24 & 0xFF)]
            sum ^= tables[768 &+ Int(word >> 32 & 0xFF)] ^ tables[512 &+ Int(word >> 40 & 0xFF)]
            sum ^= tables[256 &+ Int(word >> 48 & 0xFF)] ^ tables[Int(word >> 56)]
            place &+= 8
        }
        while place < bytes.count {
            sum = tables[Int((sum ^ UInt32(bytes[place])) & 0xFF)] ^ sum >> 8
            place &+= 1
        }
        return sum
    }

    /// Eight tables of 256: the n-th says what a byte does to the sum when n zero bytes follow it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var sum = UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
            tables[byte] = sum
        }
        for place in 256..<tables.count {
            let before = tables[place - 256]
            tables[place] = tables[Int(before & 0xFF)] ^ before >> 8
        }
        return tables
    }()
}
