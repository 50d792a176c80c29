package import NIOCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Looks names up. Blocks, so never on an event loop.
package enum EndpointResolution {
    package typealias Resolver = @Sendable (UpstreamAddress) throws -> [SocketAddress]

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// More addresses than this of one name are not used.
    package static let maximumAddresses = 256

    /// As the system does it (getaddrinfo, RFC 3493 §6.1): the hosts file, DNS, in the order of RFC 6724.
    package static func system(_ address: UpstreamAddress) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, String(address.port), &hints, &first)
        guard code == 0 else {
            throw Failure(description: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        var found: [SocketAddress] = []
        var next = first
        while let info = next, found.count < maximumAddresses {
            if let one = socketAddress(info.pointee), !found.contains(one) { found.append(one) }
            next = info.pointee.ai_next
        }
        if found.isEmpty { throw Failure(description: "the name has no address") }
        return found
    }

    private static func socketAddress(_ info: addrinfo) -> SocketAddress? {
        guard let bytes = UnsafeRawPointer(info.ai_addr) else { return nil }
        let length = Int(info.ai_addrlen)
        if info.ai_family == AF_INET, length >= MemoryLayout<sockaddr_in>.size {
            return SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self))
        }
        if info.ai_family == AF_INET6, length >= MemoryLayout<sockaddr_in6>.size {
            return SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self))
        }
        return nil
    }
}
