/// XXH64, a fast non-cryptographic hash of 64 bits, written from its specification (Yann Collet, "xxHash fast digest
/// algorithm", version 0.1.1, section "XXH64 algorithm description").
///
/// Chosen because it is specified down to the bit with published test values, takes a seed, and mixes short keys well.
/// The standard library's `Hasher` cannot be used: its seed differs in each process. A client that tries out cookies
/// until it lands on a side harms nobody, so no keyed cryptographic hash is needed.
package enum XXH64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var offset = 0
        var accumulator: UInt64
        if bytes.count >= 32 {
            var lanes = Lanes(seed: seed)
            offset = lanes.take(bytes)
            accumulator = lanes.merged
        } else {
            accumulator = seed &+ prime5
        }
        accumulator &+= UInt64(truncatingIfNeeded: bytes.count)
        tail(bytes, from: offset, into: &accumulator)
        return avalanche(accumulator)
    }

    /// The same hash of bytes that come in pieces. Keeps 32 bytes of them at most.
    package struct Stream: Sendable {
        private let seed: UInt64
        private var lanes: Lanes
        /// The beginning of a stripe; its first `total % 32` bytes count.
        private var rest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        private var total: UInt64 = 0

        package init(seed: UInt64) {
            self.seed = seed
            lanes = Lanes(seed: seed)
        }

        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            var bytes = bytes
            let kept = Int(total % 32)
            total &+= UInt64(bytes.count)
            if kept > 0 {
                let added = bytes.prefix(32 - kept)
                withUnsafeMutableBytes(of: &rest) { $0[kept...].copyBytes(from: added) }
                guard kept + added.count == 32 else { return }
                withUnsafeBytes(of: rest) { _ = lanes.take($0) }
                bytes = UnsafeRawBufferPointer(rebasing: bytes[added.count...])
            }
            let taken = lanes.take(bytes)
            withUnsafeMutableBytes(of: &rest) { $0.copyBytes(from: bytes[taken...]) }
        }

        /// Of everything so far.
        package var hash: UInt64 {
            var accumulator = total >= 32 ? lanes.merged : seed &+ prime5
            accumulator &+= total
            withUnsafeBytes(of: rest) {
                tail(UnsafeRawBufferPointer(rebasing: $0[..<Int(total % 32)]), from: 0, into: &accumulator)
            }
            return avalanche(accumulator)
        }
    }

    /// Four lanes over the whole 32-byte stripes.
    private struct Lanes: Sendable {
        private var lane1: UInt64
        private var lane2: UInt64
        private var lane3: UInt64
        private var lane4: UInt64

        init(seed: UInt64) {
            lane1 = seed &+ prime1 &+ prime2
            lane2 = seed &+ prime2
            lane3 = seed
            lane4 = seed &- prime1
        }

        /// - Returns: how many bytes the whole stripes were.
        mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
            var offset = 0
            while bytes.count - offset >= 32 {
                lane1 = round(lane1, word64(bytes, offset))
                lane2 = round(lane2, word64(bytes, offset + 8))
                lane3 = round(lane3, word64(bytes, offset + 16))
                lane4 = round(lane4, word64(bytes, offset + 24))
                offset += 32
            }
            return offset
        }

        var merged: UInt64 {
            var merged =
                rotate(lane1, by: 1) &+ rotate(lane2, by: 7) &+ rotate(lane3, by: 12) &+ rotate(lane4, by: 18)
            merged = merge(merged, lane1)
            merged = merge(merged, lane2)
            merged = merge(merged, lane3)
            return merge(merged, lane4)
        }
    }

    /// What is left after the stripes: words of 8, then one of 4, then single bytes.
    private static func tail(_ bytes: UnsafeRawBufferPointer, from start: Int, into accumulator: inout UInt64) {
        var offset = start
        while bytes.count - offset >= 8 {
            accumulator ^= round(0, word64(bytes, offset))
            accumulator = rotate(accumulator, by: 27) &* prime1 &+ prime4
            offset += 8
        }
        if bytes.count - offset >= 4 {
            let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            accumulator ^= UInt64(word) &* prime1
            accumulator = rotate(accumulator, by: 23) &* prime2 &+ prime3
            offset += 4
        }
        while offset < bytes.count {
            accumulator ^= UInt64(bytes[offset]) &* prime5
            accumulator = rotate(accumulator, by: 11) &* prime1
            offset += 1
        }
    }

    private static func avalanche(_ value: UInt64) -> UInt64 {
        var value = value
        value ^= value >> 33
        value &*= prime2
        value ^= value >> 29
        value &*= prime3
        return value ^ (value >> 32)
    }

    private static func round(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
        rotate(accumulator &+ lane &* prime2, by: 31) &* prime1
    }

    private static func merge(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
        (accumulator ^ round(0, lane)) &* prime1 &+ prime4
    }

    private static func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 {
        (value &<< bits) | (value &>> (64 &- bits))
    }

    private static func word64(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
