/// Percent-encoding of single bytes, RFC 3986 §2.1.
package enum PercentEncoding {
    /// 0…15, or nil for a byte that is no hexadecimal digit.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }

    /// Appends `%XX` with upper-case digits.
    package static func append(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] { output.append(digit < 10 ? 0x30 &+ digit : 0x37 &+ digit) }
    }

    /// Decodes every valid escape and copies everything else into `output`; returns the number of bytes written, which
    /// is never more than `input.count`. `output` has to be that large.
    static func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        var read = 0
        var written = 0
        while read < input.count, written < output.count {
            if input[read] == UInt8(ascii: "%"), input.count - read > 2,
                let high = hexValue(input[read + 1]), let low = hexValue(input[read + 2])
            {
                output[written] = high << 4 | low
                read += 3
            } else {
                output[written] = input[read]
                read += 1
            }
            written += 1
        }
        return written
    }

    package static func decoded(_ input: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: input.count) { output, count in
            count = input.withUnsafeBytes { decode($0, into: UnsafeMutableRawBufferPointer(output)) }
        }
    }
}
