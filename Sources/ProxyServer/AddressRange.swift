package import NIOCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A network in CIDR notation, `10.0.0.0/8` or `fd00::/8`, or a single address.
package struct AddressRange: Sendable, Equatable {
    private let network: [UInt8]
    private let prefixLength: Int

    /// Nil when `text` is not an address or network.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = try? SocketAddress(ipAddress: String(first), port: 0),
            let bytes = AddressRange.bytes(of: address)
        else { return nil }
        network = bytes
        if parts.count == 2 {
            guard let length = Int(parts[1]), length >= 0, length <= bytes.count * 8 else { return nil }
            prefixLength = length
        } else {
            prefixLength = bytes.count * 8
        }
    }

    package func contains(_ address: SocketAddress) -> Bool {
        guard var bytes = AddressRange.bytes(of: address) else { return false }
        // A socket that listens for both families shows IPv4 peers as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
        if network.count == 4, bytes.count == 16, bytes.starts(with: AddressRange.mappedPrefix) {
            bytes.removeFirst(12)
        }
        guard bytes.count == network.count else { return false }
        let whole = prefixLength / 8
        guard bytes.prefix(whole).elementsEqual(network.prefix(whole)) else { return false }
        let rest = prefixLength % 8
        guard rest > 0, whole < bytes.count else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
        return bytes[whole] & mask == network[whole] & mask
    }

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]

    /// The 4 or 16 bytes of the address, read from its text form: the C structures differ between systems.
    private static func bytes(of address: SocketAddress) -> [UInt8]? {
        guard let text = address.ipAddress else { return nil }
        let family = address.protocol == .inet ? AF_INET : AF_INET6
        var bytes = [UInt8](repeating: 0, count: address.protocol == .inet ? 4 : 16)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
