/// Who may talk to the admin address. It is on loopback and asks for no token, so the danger is the browser on the
/// same machine: a page of any site can make it send requests here. Three things a page cannot fake keep it out:
///
/// - `Host`: with DNS rebinding a page reaches this address, but under the page's own name.
/// - `Content-Type: application/json` on changes: across origins that takes a preflight, which is never granted.
/// - `Origin`: sent with every change across origins.
struct AdminGuard: Sendable {
    /// The configured address; its name is allowed beside the loopback ones.
    let host: String

    enum Objection: Equatable {
        case foreignHost
        case foreignOrigin
        case notJSON
    }

    /// - Parameters:
    ///   - authority: the value of `Host`, nil if there was none.
    ///   - isChange: the method is not GET or HEAD.
    func objection(
        authority: String?, origin: String?, contentType: String?, isChange: Bool
    ) -> Objection? {
        guard let authority, allows(authority) else { return .foreignHost }
        // Our own console sends its very own authority; `null` and everything else is another origin.
        if let origin, isChange, origin.lowercased() != "http://" + authority.lowercased() { return .foreignOrigin }
        if isChange, !Self.isJSON(contentType) { return .notJSON }
        return nil
    }

    private func allows(_ authority: String) -> Bool {
        guard let name = Self.hostName(authority)?.lowercased() else { return false }
        return name == "localhost" || name == "::1" || Self.isLoopbackIPv4(name) || name == host.lowercased()
    }

    /// The name or address of `name`, `name:port` or `[address]:port`, without brackets; nil for anything else.
    static func hostName(_ authority: String) -> String? {
        let (name, rest): (Substring, Substring)
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            name = authority[..<colon]
            rest = authority[colon...]
        }
        guard !name.isEmpty, rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil else { return nil }
        return String(name)
    }

    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3), as four decimal numbers and in no other spelling.
    private static func isLoopbackIPv4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { UInt8($0) != nil && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        let type = contentType?.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
        return type.lowercased().split(whereSeparator: \.isWhitespace).joined() == "application/json"
    }
}
