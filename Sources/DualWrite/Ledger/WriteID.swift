/// Names one dual-written exchange for ever, in both systems, in the spool and in Postgres: the 128 bits of its
/// `Strangler-Request-Id`, which is also the `Idempotency-Key` where the client sent none.
package struct WriteID: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From 32 hexadecimal digits; nil for anything else.
    package init?(_ digits: [UInt8]) {
        guard digits.count == 32, let high = Self.word(digits[..<16]), let low = Self.word(digits[16...]) else {
            return nil
        }
        (self.high, self.low) = (high, low)
    }

    private static func word(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var word: UInt64 = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x61...0x66: value = digit - 0x57
            case 0x41...0x46: value = digit - 0x37
            default: return nil
            }
            word = word << 4 | UInt64(value)
        }
        return word
    }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    package var description: String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for place in 0..<32 {
                let word = place < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (place & 15))) & 15
                digits[place] = value < 10 ? 0x30 + value : 0x57 + value
            }
            return 32
        }
    }
}
