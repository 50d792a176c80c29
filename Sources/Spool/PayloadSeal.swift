import Crypto
package import DualWrite

/// What is kept of a write outside of a spool, encrypted with the spool's key, because a person has to decide about it.
///
/// AES-GCM with a random nonce, under a key of the write's own: HKDF-SHA256 with the write's id as salt, so that what was
/// stored of one write says nothing in the place of another's.
///
///     0 STRSEAL1   8 key (8, lowest byte first)   16 nonce, ciphertext, tag
///
/// A record of the ledger begins with its version, a small number, so the two cannot be mistaken for each other.
package enum PayloadSeal {
    private static let mark = Array("STRSEAL1".utf8)
    private static let headSize = 16

    /// Why something encrypted cannot be read, or cannot be made.
    package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// The names of keys, as the log of the spool says them.
        case noKey(needed: String)
        case otherKey(needed: String, given: String)
        case damaged
        case notSealed

        package var description: String {
            switch self {
            case .noKey(let needed):
                "what is kept of it is encrypted with the key \(needed), and this proxy has no `spool.key-file`"
            case .otherKey(let needed, let given):
                "what is kept of it is encrypted with the key \(needed), and `spool.key-file` holds the key \(given)"
            case .damaged:
                "what is kept of it is encrypted, and the key does not open it: it was changed, or is another write's"
            case .notSealed: "it cannot be encrypted"
            }
        }
    }

    package static func isSealed(_ bytes: [UInt8]) -> Bool { bytes.count >= headSize && bytes.starts(with: mark) }

    /// - Throws: `notSealed`, for what the library refuses.
    package static func seal(_ payload: [UInt8], of write: WriteID, with key: SpoolKey) throws(Problem) -> [UInt8] {
        var bytes = mark
        bytes.append(lowestFirst: key.id)
        guard
            let box = try? AES.GCM.seal(payload, using: key.payloadKey(of: write), authenticating: bytes).combined
        else { throw .notSealed }
        return bytes + box
    }

    /// What was not encrypted is handed back as it is.
    package static func open(_ stored: [UInt8], of write: WriteID, with key: SpoolKey?) throws(Problem) -> [UInt8] {
        guard isSealed(stored) else { return stored }
        let needed = stored.withUnsafeBytes { $0.lowestFirst(mark.count, UInt64.self) }
        guard let key else { throw .noKey(needed: SpoolKey.name(needed)) }
        guard key.id == needed else {
            throw .otherKey(needed: SpoolKey.name(needed), given: SpoolKey.name(key.id))
        }
        guard let box = try? AES.GCM.SealedBox(combined: stored[headSize...]),
            let payload = try? AES.GCM.open(
                box, using: key.payloadKey(of: write), authenticating: stored[..<headSize])
        else { throw .damaged }
        return Array(payload)
    }
}

extension SpoolKey {
    fileprivate func payloadKey(of write: WriteID) -> SymmetricKey {
        var salt: [UInt8] = []
        salt.append(lowestFirst: write.high)
        salt.append(lowestFirst: write.low)
        return derived(salt: salt, info: "strangler write payload")
    }
}
