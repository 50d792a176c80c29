#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Character classes of RFC 9110 §5.6.2 and RFC 9112, as one table look-up per byte.
enum ByteClass {
    static let token: UInt8 = 1
    /// HTAB, SP, VCHAR and obs-text: what a field value may hold (RFC 9110 §5.5).
    static let fieldValue: UInt8 = 2
    /// Visible ASCII without "#" and "\": what a request target may hold. Fragments are never sent (RFC 9110 §7.1), and
    /// a backslash is read as "/" by some origins, so a route could be walked around with it.
    static let target: UInt8 = 4
    /// reg-name and IPv4 characters (RFC 3986 §3.2.2), without percent-encoding, which no name on the wire needs.
    static let registeredName: UInt8 = 8
    /// Token characters without `_`: names of nothing else need no second look, see `KnownField.isImitated`.
    static let plainToken: UInt8 = 16

    /// Made once; readers take its buffer once per run of bytes, so that the lazy check is not paid per byte.
    static let table: [UInt8] = makeTable()

    private static func makeTable() -> [UInt8] {
        var table = [UInt8](repeating: 0, count: 256)
        for byte in 0..<256 {
            var classes: UInt8 = 0
            let isAlphanumeric =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(UInt8(byte)) { classes |= token }
            if classes & token != 0, byte != 0x5F { classes |= plainToken }
            if byte == 0x09 || (0x20...0x7E).contains(byte) || byte >= 0x80 { classes |= fieldValue }
            if (0x21...0x7E).contains(byte), byte != 0x23, byte != 0x5C { classes |= target }
            if isAlphanumeric || "-._~!$&'()*+,;=".utf8.contains(UInt8(byte)) { classes |= registeredName }
            table[byte] = classes
        }
        return table
    }

    /// How many bytes from the first on are of `wanted`.
    @inline(__always)
    static func prefix(of bytes: UnsafeRawBufferPointer, that wanted: UInt8) -> Int {
        table.withUnsafeBufferPointer { table in
            var length = 0
            while length < bytes.count, table[Int(bytes[length])] & wanted != 0 { length &+= 1 }
            return length
        }
    }

    /// Whether every byte may stand in a field value. Eight at a time: a word without a byte below 0x20 and without DEL
    /// holds none that is refused; one that has such a byte is looked at again, for it may be a tab.
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 8 else { return all(bytes, are: fieldValue) }
        var offset = 0
        while offset &+ 8 < bytes.count {
            guard isFieldWord(bytes, offset) else { return false }
            offset &+= 8
        }
        // The last word ends with the value, and may have begun within the one before it.
        return isFieldWord(bytes, bytes.count &- 8)
    }

    @inline(__always)
    private static func isFieldWord(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let deletes = word ^ (ones &* 0x7F)
        let suspects = ((word &- ones &* 0x20) & ~word | (deletes &- ones) & ~deletes) & (ones << 7)
        return suspects == 0 || all(bytes.part(offset, offset &+ 8), are: fieldValue)
    }

    /// Whether every byte of `bytes` is of `wanted`; true for no bytes.
    @inline(__always)
    static func all(_ bytes: UnsafeRawBufferPointer, are wanted: UInt8) -> Bool {
        table.withUnsafeBufferPointer { table in
            for byte in bytes where table[Int(byte)] & wanted == 0 { return false }
            return true
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The part `start..<end`; both bounds are the caller's own results over this buffer, clamped all the same, so that
    /// no arithmetic slip can read outside of it.
    @inline(__always)
    func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        guard let baseAddress, start >= 0, end <= count, start < end else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: baseAddress + start, count: end - start)
    }

    /// Index of the first `byte` at or after `start`, or -1.
    @inline(__always)
    func index(of byte: UInt8, from start: Int) -> Int {
        guard let baseAddress, start < count else { return -1 }
        guard let found = memchr(baseAddress + start, Int32(byte), count - start) else { return -1 }
        return UnsafeRawPointer(found) - baseAddress
    }

    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, let baseAddress else { return false }
        return memcmp(baseAddress, text.utf8Start, count) == 0
    }

    /// Equality with an ASCII name, upper and lower case alike. `lowercased` must be lower case.
    @inline(__always)
    func equals(lowercased name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount, let baseAddress else { return false }
        let other = name.utf8Start
        for i in 0..<count where asciiLowercased(baseAddress.load(fromByteOffset: i, as: UInt8.self)) != other[i] {
            return false
        }
        return true
    }

    /// Without leading and trailing SP and HTAB (OWS, RFC 9110 §5.6.3).
    func trimmed() -> UnsafeRawBufferPointer {
        var start = 0
        var end = count
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return part(start, end)
    }
}

@inline(__always)
func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}
