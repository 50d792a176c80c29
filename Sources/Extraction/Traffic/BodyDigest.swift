/// Stands for a body that is too large to be kept: two bodies of one length and one hash are taken for equal.
///
/// 64 bits: two different bodies of one length agree by accident once in 1.8 × 10¹⁹ pairs. The hash has no key, so it is
/// never shown or stored; and whoever can choose what both sides answer has nothing to gain from a collision.
package struct BodyDigest: Sendable, Equatable {
    /// In bytes.
    package let length: Int
    package let hash: UInt64

    package init(length: Int, hash: UInt64) {
        self.length = length
        self.hash = hash
    }

    package init(of bytes: some Collection<UInt8>) {
        var digesting = Digesting()
        if bytes.withContiguousStorageIfAvailable({ digesting.update(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { digesting.update($0) }
        }
        self = digesting.digest
    }

    /// A digest under way, of bytes that come in pieces. Constant memory.
    package struct Digesting: Sendable {
        private var stream = XXH64.Stream(seed: 0)
        private var length = 0

        package init() {}

        package mutating func update(_ bytes: UnsafeRawBufferPointer) {
            length &+= bytes.count
            stream.update(bytes)
        }

        package var digest: BodyDigest { BodyDigest(length: length, hash: stream.hash) }
    }
}
