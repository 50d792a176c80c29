/// Parsers of addresses and URLs.
extension Values {
    struct HostPort: Hashable {
        /// A name or an address; an IPv6 address without its brackets.
        let host: String
        let port: Int?
    }

    /// `127.0.0.1:9901`, `[::1]:80`, `localhost:80`. Port 0 lets the system choose a free one.
    static func bindAddress(_ text: String) throws(ValueError) -> HostPort {
        let parsed = try hostPort(text, ports: 0...65_535)
        guard parsed.port != nil else {
            throw ValueError("`\(text)` has no port", fix: "expected such as 0.0.0.0:8080 or \"[::]:8080\"")
        }
        return parsed
    }

    /// `http://host`, `http://host:port`.
    static func upstreamURL(_ text: String) throws(ValueError) -> HostPort {
        let fix = "expected such as \"http://127.0.0.1:9000\""
        if text.lowercased().hasPrefix("https://") {
            throw ValueError("TLS to upstreams is not there yet", fix: "expected http://")
        }
        guard text.lowercased().hasPrefix("http://") else {
            throw ValueError("`\(text)` is no URL of a server", fix: fix)
        }
        let rest = text.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let tail = rest.dropFirst(authority.count)
        guard tail.isEmpty || tail == "/" else {
            throw ValueError(
                "`\(text)` has a path, query or fragment", fix: "requests keep their own path: end after the port")
        }
        if authority.contains("@") {
            throw ValueError("the URL holds credentials", fix: "remove them; clients' own are passed on")
        }
        return try hostPort(String(authority), ports: 1...65_535)
    }

    private static func hostPort(_ text: String, ports: ClosedRange<Int>) throws(ValueError) -> HostPort {
        var rest = text[...]
        let host: Substring
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { throw ValueError("`\(text)` lacks a `]`") }
            host = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            guard ipv6(host) != nil else { throw ValueError("`\(host)` is no IPv6 address") }
        } else {
            host = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(host.count)
            if rest.dropFirst().contains(":") {
                throw ValueError("`\(text)` is no host with port", fix: "an IPv6 address stands in brackets: [::1]:80")
            }
            guard isHostName(host) else { throw ValueError("`\(host)` is no host name or address") }
        }
        if rest.isEmpty { return HostPort(host: String(host), port: nil) }
        let digits = rest.dropFirst()
        guard rest.first == ":", (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = Int(digits), ports.contains(port)
        else {
            throw ValueError(
                "`\(text)` has no valid port", fix: "expected \(ports.lowerBound) to \(ports.upperBound) after the `:`")
        }
        return HostPort(host: String(host), port: port)
    }

    /// A DNS name (RFC 1123 §2.1; `_` is in real use inside clusters) or an IPv4 address. What ends in a number is an
    /// address and nothing else, as in the URL standard, so `300.1.1.1` is a mistake and no name.
    static func isHostName(_ text: some StringProtocol) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.last?.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) == true { return ipv4(text) != nil }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }

    /// A host of a route: a name, an address, or `*.` and a name.
    static func hostPattern(_ text: String) throws(ValueError) -> String {
        let isIPv6 = text.hasPrefix("[") && text.hasSuffix("]") && ipv6(text.dropFirst().dropLast()) != nil
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        guard isIPv6 || isHostName(name) && (name.count == text.count || ipv4(name) == nil) else {
            throw ValueError(
                "`\(text)` is no host", fix: "expected such as shop.example.com or \"*.example.com\", without a port")
        }
        return text.lowercased()
    }

    /// An address, or a network as address and prefix length (RFC 4632, RFC 4291 §2.3), with the length written out.
    static func network(_ text: String) throws(ValueError) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let address = parts.first ?? ""
        let bits = ipv4(address) != nil ? 32 : ipv6(address) != nil ? 128 : 0
        guard bits > 0, parts.count <= 2 else {
            throw ValueError("`\(text)` is no network", fix: "expected such as 10.0.0.0/8 or \"fd00::/8\"")
        }
        guard parts.count == 2 else { return "\(address)/\(bits)" }
        let length = try number(0...bits)(String(parts[1]))
        return "\(address)/\(length)"
    }

    /// Four decimal octets without leading zeros, which some programs read as octal.
    static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let octets = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), part == "0" || part.first != "0" else {
                return nil
            }
            return UInt8(part)
        }
        return octets.count == 4 ? octets : nil
    }

    /// RFC 4291 §2.2, without a zone.
    static func ipv6(_ text: some StringProtocol) -> [UInt16]? {
        let halves = text.components(separatedByDoubleColon: ())
        guard (1...2).contains(halves.count) else { return nil }
        var groups: [[UInt16]] = []
        for (index, half) in halves.enumerated() {
            guard let parsed = ipv6Groups(half, mayEndInIPv4: index == halves.count - 1) else { return nil }
            groups.append(parsed)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        if halves.count == 1 { return count == 8 ? groups[0] : nil }
        guard count < 8 else { return nil }
        return groups[0] + Array(repeating: 0, count: 8 - count) + groups[1]
    }

    private static func ipv6Groups(_ text: String, mayEndInIPv4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, let octets = ipv4(part) {
                groups.append(UInt16(octets[0]) << 8 | UInt16(octets[1]))
                groups.append(UInt16(octets[2]) << 8 | UInt16(octets[3]))
                continue
            }
            guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups.count <= 8 ? groups : nil
    }
}

extension StringProtocol {
    /// What stands around `::`; more than two parts if there are several.
    fileprivate func components(separatedByDoubleColon: Void) -> [String] {
        var parts: [String] = [""]
        var rest = self[...]
        while let character = rest.first {
            if rest.hasPrefix("::") {
                parts.append("")
                rest = rest.dropFirst(2)
            } else {
                parts[parts.count - 1].append(character)
                rest = rest.dropFirst()
            }
        }
        return parts
    }
}
