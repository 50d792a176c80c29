/// The key that keeps one user on one side while traffic moves over.
package enum Affinity: Sendable, Hashable {
    /// The value of the cookie of this name.
    case cookie(String)
    /// The value of the header of this name; names are compared without case by whoever reads the request.
    case header(String)
    /// The segment of the path that stands where the matching route has `{name}`.
    case pathParameter(String)
    /// The address the client connects from.
    case clientAddress
}

/// Turns an affinity key into one of 10,000 buckets. A bucket under the weight is served by the service, so raising
/// the weight only ever moves more keys over, and lowering it moves only those back.
///
/// The function is XXH64 (see `XXH64`), reduced to a bucket by multiplication instead of remainder. It must never
/// change: another function would move every user at once, and replicas of two versions would disagree.
package struct AffinityHash {
    package static let buckets = 10_000

    /// The seed that a salt stands for. Computed once per snapshot, not per request. Extractions of one cohort have
    /// one salt and so agree on every key; two salts send the same user to unrelated buckets.
    package static func seed(for salt: String) -> UInt64 {
        var salt = salt
        return salt.withUTF8 { XXH64.hash(UnsafeRawBufferPointer($0), seed: 0) }
    }

    /// The bucket of a key, 0 ..< 10,000. Stable across processes, machines and versions.
    package static func bucket(salt seed: UInt64, key: UnsafeRawBufferPointer) -> Int {
        bucket(of: hash(salt: seed, key: key))
    }

    /// The whole hash of a key: its bucket comes of it, and the lane that keeps this user's requests in order.
    package static func hash(salt seed: UInt64, key: UnsafeRawBufferPointer) -> UInt64 {
        XXH64.hash(key, seed: seed)
    }

    package static func bucket(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(buckets)).high)
    }
}
