import DualWrite

/// Names one spool directory for ever: 128 random bits. It names the spool in Postgres, and it is in every checksum, so
/// that no bytes of another spool, or of a client's body, are taken for a record of this one.
package struct SpoolID: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func random() -> SpoolID { SpoolID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }

    /// From 32 hexadecimal digits; nil for anything else.
    package init?(_ digits: some Collection<UInt8>) {
        guard let bits = WriteID(Array(digits)) else { return nil }
        self.init(high: bits.high, low: bits.low)
    }

    package var description: String { WriteID(high: high, low: low).description }
}
