package import Extraction
package import NIOCore

/// A body as the shadow side keeps it.
package enum CapturedBody: Sendable {
    /// In slices of what was read.
    case whole([ByteBuffer])
    /// It was larger than the cap.
    case hashed(BodyDigest)

    /// Empty if only the digest is known.
    package var parts: [ByteBuffer] {
        if case .whole(let parts) = self { parts } else { [] }
    }

    package var digest: BodyDigest? {
        if case .hashed(let digest) = self { digest } else { nil }
    }
}

/// Takes a body in as it is read: keeps it up to a cap, beyond which it is only hashed, up to a ceiling, beyond which it
/// is let go of.
package struct BodyCollector {
    /// Hashing goes on for so many bytes. What is larger is a download or a stream, and no answer that two systems are
    /// compared by.
    package static let defaultCeiling = 64 * 1024 * 1024

    private var parts: [ByteBuffer] = []
    private var length = 0
    private var digesting: BodyDigest.Digesting?
    /// It went beyond the ceiling, or was given up. Nothing is kept of it.
    package private(set) var isGivenUp = false
    private let cap: Int
    private let ceiling: Int

    /// - Parameters:
    ///   - cap: bytes that are kept.
    ///   - ceiling: bytes that are hashed at most; with one that is no larger than the cap, nothing is.
    package init(cap: Int, ceiling: Int = BodyCollector.defaultCeiling) {
        self.cap = cap
        self.ceiling = ceiling
    }

    package var body: CapturedBody {
        if let digesting { .hashed(digesting.digest) } else { .whole(parts) }
    }

    package mutating func append(_ bytes: ByteBuffer) {
        guard !isGivenUp else { return }
        length &+= bytes.readableBytes
        if length <= cap {
            keep(bytes)
        } else if length <= ceiling {
            if digesting == nil {
                digesting = BodyDigest.Digesting()
                for part in parts { hash(part) }
                parts = []
            }
            hash(bytes)
        } else {
            giveUp()
        }
    }

    package mutating func giveUp() {
        isGivenUp = true
        parts = []
        digesting = nil
    }

    /// A slice keeps the whole read alive that it is a part of. That is cheap for large ones; a body in small chunks would
    /// hold many times its size, so small ones are copied together.
    private mutating func keep(_ bytes: ByteBuffer) {
        guard bytes.readableBytes < 1_024, var last = parts.popLast() else {
            parts.append(bytes)
            return
        }
        last.writeImmutableBuffer(bytes)
        parts.append(last)
    }

    private mutating func hash(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { digesting?.update($0) }
    }
}
