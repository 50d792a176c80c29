import Crypto
import DualWrite
import FoundationEssentials
import Glibc

/// The key that records are encrypted with: 256 bits.
///
/// AES-GCM per record, under a key that is derived for each segment (HKDF-SHA256 over the spool's id, the segment's number
/// and its salt), with a random nonce: NIST SP 800-38D allows 2^32 of those per key, and a segment holds fewer records. The
/// record's place is authenticated with it.
package struct SpoolKey: Sendable {
    private let key: SymmetricKey
    /// The first eight bytes of SHA-256 over `strangler spool key` and the key: says which key, and nothing about it.
    package let id: UInt64

    /// - Parameter bytes: 32.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        key = SymmetricKey(data: bytes)
        id = SHA256.hash(data: Array("strangler spool key".utf8) + bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads a key file: 32 bytes, or 64 hexadecimal digits and perhaps a line's end. Nobody but its owner may read it, or,
    /// if it belongs to root, its group.
    package init(file path: String) throws(SpoolError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SpoolError(SystemFailure("open", path, errno)) }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { throw SpoolError(SystemFailure("fstat", path, errno)) }
        let shared: mode_t = facts.st_uid == 0 ? 0o037 : 0o077
        guard facts.st_mode & shared == 0 else {
            let mode = String(facts.st_mode & 0o777, radix: 8)
            throw SpoolError(
                .key,
                "the key file \(path) can be read or changed by others (mode 0\(mode)): make it 0600 and, "
                    + "if anybody may have read it, make another key")
        }
        let bytes = try system { () throws(SystemFailure) in try SystemFiles().readAll(file, at: 0, count: 128) }
        guard let key = SpoolKey(bytes) ?? SpoolKey(hexadecimal: bytes) else {
            throw SpoolError(.key, "the key file \(path) has to hold 32 bytes or 64 hexadecimal digits")
        }
        self = key
    }

    private init?(hexadecimal bytes: [UInt8]) {
        var digits = bytes[...]
        while let last = digits.last, last == 0x0A || last == 0x0D { digits = digits.dropLast() }
        guard digits.count == 64, let high = SpoolID(digits.prefix(32)), let low = SpoolID(digits.suffix(32)) else {
            return nil
        }
        self.init(
            [high.high, high.low, low.high, low.low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) }
            })
    }

    func cipher(of header: SegmentHeader) -> SegmentCipher {
        var place: [UInt8] = []
        place.append(lowestFirst: header.spool.high)
        place.append(lowestFirst: header.spool.low)
        place.append(lowestFirst: header.number)
        return SegmentCipher(key: derived(salt: place + header.salt, info: "strangler spool segment"), place: place)
    }

    func derived(salt: [UInt8], info: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: salt, info: Array(info.utf8), outputByteCount: 32)
    }

    /// `0123456789abcdef`, in messages.
    static func name(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Encrypts and decrypts one segment's records: nonce, ciphertext, tag.
struct SegmentCipher: Sendable {
    static let overhead = 28

    fileprivate let key: SymmetricKey
    fileprivate let place: [UInt8]

    /// Nil only for what the library refuses, which a whole key and any bytes are not.
    func seal(_ record: [UInt8], at offset: UInt32) -> [UInt8]? {
        guard let box = try? AES.GCM.seal(record, using: key, authenticating: authenticated(offset)) else { return nil }
        return box.combined.map { Array($0) }
    }

    /// Nil: not encrypted with this key, or not here.
    func open(_ payload: [UInt8], at offset: UInt32) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: payload),
            let record = try? AES.GCM.open(box, using: key, authenticating: authenticated(offset))
        else { return nil }
        return Array(record)
    }

    private func authenticated(_ offset: UInt32) -> [UInt8] {
        var bytes = place
        bytes.append(lowestFirst: offset)
        return bytes
    }
}
