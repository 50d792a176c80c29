/// Writes into memory that the caller has reserved. What does not fit is not written and says so in `overflowed`: a
/// mistaken estimate becomes an error answer, never a write outside.
package struct ByteSink {
    private let base: UnsafeMutableRawBufferPointer
    package private(set) var count = 0
    package private(set) var overflowed = false

    package init(_ base: UnsafeMutableRawBufferPointer) {
        self.base = base
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        guard let target = base.baseAddress, bytes.count <= base.count - count else {
            overflowed = true
            return
        }
        (target + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    @inline(__always)
    mutating func write(byte: UInt8) {
        guard count < base.count else {
            overflowed = true
            return
        }
        base[count] = byte
        count += 1
    }

    /// Decimal digits of a number that is not negative.
    mutating func write(decimal number: Int) {
        var divisor = 1
        let number = Swift.max(0, number)
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            write(byte: 0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
