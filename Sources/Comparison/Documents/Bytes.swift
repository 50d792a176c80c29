/// Comparing and hashing bytes eight at a time.
enum Bytes {
    /// Whether two regions hold the same bytes.
    static func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, count: Int) -> Bool {
        let (left, right) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
        var position = 0
        while position &+ 32 <= count {
            let difference =
                (word(left, position) ^ word(right, position))
                | (word(left, position &+ 8) ^ word(right, position &+ 8))
                | (word(left, position &+ 16) ^ word(right, position &+ 16))
                | (word(left, position &+ 24) ^ word(right, position &+ 24))
            guard difference == 0 else { return false }
            position &+= 32
        }
        while position &+ 8 <= count {
            guard word(left, position) == word(right, position) else { return false }
            position &+= 8
        }
        return tail(left, position, count) == tail(right, position, count)
    }

    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBufferPointer { one in
            right.withUnsafeBufferPointer { other in
                guard let first = one.baseAddress, let second = other.baseAddress else { return true }
                return first == second || equal(first, second, count: one.count)
            }
        }
    }

    /// Differs from process to process, so that nobody can make up names that all collide: for tables only, never
    /// for anything that is shown or decided.
    static let tableSeed = UInt64.random(in: 1 ... .max) | 1

    /// The same everywhere and always.
    static let fixedSeed: UInt64 = 0xA076_1D64_78BD_642F

    /// A 64-bit hash by multiplication and folding (in the manner of wyhash).
    static func hash(_ bytes: UnsafePointer<UInt8>, count: Int, seed: UInt64) -> UInt64 {
        let bytes = UnsafeRawPointer(bytes)
        var hash = seed ^ UInt64(truncatingIfNeeded: count)
        var position = 0
        while position &+ 8 <= count {
            hash = mixed(hash ^ word(bytes, position), seed)
            position &+= 8
        }
        return mixed(hash ^ tail(bytes, position, count), 0xE703_7ED1_A0B4_28DB ^ seed)
    }

    static func mixed(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// The last 0...7 bytes as one number.
    @inline(__always)
    private static func tail(_ bytes: UnsafeRawPointer, _ position: Int, _ count: Int) -> UInt64 {
        let rest = count &- position
        if count >= 8 {
            return rest == 0 ? 0 : word(bytes, count &- 8) >> UInt64(64 &- 8 &* rest)
        }
        var value: UInt64 = 0
        for index in position..<count {
            value |= UInt64(bytes.load(fromByteOffset: index, as: UInt8.self)) << UInt64(8 &* (index &- position))
        }
        return value
    }
}
