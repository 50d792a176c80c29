/// The PROXY protocol, versions 1 and 2 (haproxy.org, "The PROXY protocol", 2020): what a load balancer writes in front of
/// a connection's first byte to say whose connection it is.
///
/// Strict: what is not exactly one of the two forms is refused, because everybody who may write this header may choose
/// the address that origins see.
package struct ProxyProtocol: Sendable, Equatable {
    package enum Failure: Error, Sendable, Equatable {
        /// No PROXY header, or one that breaks the rules.
        case malformed
        case tooLong
    }

    /// The longest line of version 1 with its CRLF (§2.1).
    package static let longestLine = 107
    /// The longest header of version 2 that is taken: 16 bytes, addresses, and room for TLVs, which are skipped.
    package static let longestBinary = 536

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Bytes of the header.
    package let length: Int
    /// The client's 4 or 16 address bytes; empty when the balancer speaks for itself (LOCAL) or does not know (UNKNOWN,
    /// AF_UNSPEC, AF_UNIX): then the connection's own peer is meant.
    package let address: [UInt8]
    /// The client's port, 0 without an address.
    package let port: Int

    /// - Parameter bytes: from the connection's first byte on.
    /// - Returns: nil while more bytes are needed.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> ProxyProtocol? {
        guard let first = bytes.first else { return nil }
        if first == signature[0] { return try parseBinary(bytes) }
        return try parseLine(bytes)
    }

    // MARK: Version 1

    private static func parseLine(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> ProxyProtocol? {
        let start: StaticString = "PROXY "
        for index in 0..<Swift.min(bytes.count, start.utf8CodeUnitCount) where bytes[index] != start.utf8Start[index] {
            throw .malformed
        }
        let feed = bytes.index(of: 0x0A, from: 0)
        guard feed >= 0 else {
            if bytes.count >= longestLine { throw .tooLong }
            return nil
        }
        guard feed < longestLine else { throw .tooLong }
        guard feed > 6, bytes[feed - 1] == 0x0D else { throw .malformed }
        let line = bytes.part(6, feed - 1)
        // Whatever follows UNKNOWN is to be ignored (§2.1).
        if line.starts(with: "UNKNOWN".utf8), line.count == 7 || line[7] == 0x20 {
            return ProxyProtocol(length: feed + 1, address: [], port: 0)
        }
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 5 else { throw .malformed }
        let address: (Slice<UnsafeRawBufferPointer>) -> [UInt8]?
        if words[0].elementsEqual("TCP4".utf8) {
            address = { AddressText.ipv4(UnsafeRawBufferPointer(rebasing: $0)) }
        } else if words[0].elementsEqual("TCP6".utf8) {
            address = { AddressText.ipv6(UnsafeRawBufferPointer(rebasing: $0)) }
        } else {
            throw .malformed
        }
        guard let source = address(words[1]), address(words[2]) != nil, let port = port(words[3]),
            self.port(words[4]) != nil
        else { throw .malformed }
        return ProxyProtocol(length: feed + 1, address: source, port: port)
    }

    /// 0 to 65535, without leading zeros.
    private static func port(_ word: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...5).contains(word.count), word.count == 1 || word.first != 0x30 else { return nil }
        var port = 0
        for byte in word {
            guard byte &- 0x30 < 10 else { return nil }
            port = port * 10 + Int(byte &- 0x30)
        }
        return port <= 65_535 ? port : nil
    }

    // MARK: Version 2

    private static func parseBinary(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> ProxyProtocol? {
        for index in 0..<Swift.min(bytes.count, signature.count) where bytes[index] != signature[index] {
            throw .malformed
        }
        guard bytes.count >= 16 else { return nil }
        let command = bytes[12]
        guard command == 0x20 || command == 0x21 else { throw .malformed }
        let length = 16 + (Int(bytes[14]) << 8 | Int(bytes[15]))
        guard length <= longestBinary else { throw .tooLong }
        let size: Int
        switch bytes[13] {
        case 0x11: size = 4
        case 0x21: size = 16
        // Unspecified, and local sockets: nothing that could stand in X-Forwarded-For.
        case 0x00, 0x31: size = 0
        // Datagrams do not come over this listener, and other values are reserved (§2.2).
        default: throw .malformed
        }
        if command == 0x21, size > 0, length < 16 + 2 * size + 4 { throw .malformed }
        guard bytes.count >= length else { return nil }
        guard command == 0x21, size > 0 else { return ProxyProtocol(length: length, address: [], port: 0) }
        let ports = 16 + 2 * size
        return ProxyProtocol(
            length: length, address: Array(bytes.part(16, 16 + size)),
            port: Int(bytes[ports]) << 8 | Int(bytes[ports + 1]))
    }
}

/// Addresses out of their text form, strictly: one spelling per byte, no zone, no shorthand of old C libraries.
enum AddressText {
    /// Four decimal numbers without leading zeros.
    static func ipv4(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var address: [UInt8] = []
        for part in text.split(separator: 0x2E, omittingEmptySubsequences: false) {
            guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else { return nil }
            var number = 0
            for byte in part {
                guard byte &- 0x30 < 10 else { return nil }
                number = number * 10 + Int(byte &- 0x30)
            }
            guard number <= 255, address.count < 4 else { return nil }
            address.append(UInt8(truncatingIfNeeded: number))
        }
        return address.count == 4 ? address : nil
    }

    /// RFC 4291 §2.2: groups of hexadecimal digits, one `::`, perhaps an IPv4 address at the end.
    static func ipv6(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard (2...39).contains(text.count) else { return nil }
        var gap: Int?
        var address: [UInt8] = []
        let groups = text.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard groups.count >= 3 else { return nil }
        for (index, group) in groups.enumerated() {
            let isLast = index == groups.count - 1
            if group.isEmpty {
                // The empty groups beside a `::` at either end belong to it.
                if index == 0, groups[1].isEmpty { continue }
                if isLast, groups[index - 1].isEmpty { continue }
                guard gap == nil, index > 0, !isLast else { return nil }
                gap = address.count
            } else if isLast, group.contains(0x2E) {
                guard let tail = ipv4(UnsafeRawBufferPointer(rebasing: group)) else { return nil }
                address += tail
            } else {
                guard let number = hexadecimal(group) else { return nil }
                address += [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
            }
        }
        guard let gap else { return address.count == 16 ? address : nil }
        guard address.count <= 14 else { return nil }
        address.insert(contentsOf: [UInt8](repeating: 0, count: 16 - address.count), at: gap)
        return address
    }

    private static func hexadecimal(_ group: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard group.count <= 4 else { return nil }
        var number = 0
        for byte in group {
            switch byte {
            case 0x30...0x39: number = number << 4 | Int(byte - 0x30)
            case 0x41...0x46: number = number << 4 | Int(byte - 0x37)
            case 0x61...0x66: number = number << 4 | Int(byte - 0x57)
            default: return nil
            }
        }
        return number
    }
}
