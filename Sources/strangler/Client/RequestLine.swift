import Foundation

/// One request of a file: what is asked, without who asked.
struct RequestLine: Hashable, Sendable {
    let method: String
    /// Origin form (RFC 9112 §3.2.1): path and query, percent-encoded.
    let target: String

    /// What a route goes by.
    var path: String { String(target.prefix { $0 != "?" }) }

    /// Asking for it again changes nothing (RFC 9110 §9.2.1). TRACE is for nobody.
    var isSafe: Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }

    /// Reads `GET /path?query`, a bare path, an absolute URL, or a line of a common or combined access log, where the
    /// request stands between the first two quotes. Nil for anything else.
    init?(_ line: some StringProtocol) {
        let text = line.trimmingCharacters(in: .whitespaces)
        if let request = Self.request(text) {
            self = request
        } else if let start = text.firstIndex(of: "\"") {
            let quoted = text[text.index(after: start)...].prefix { $0 != "\"" }
            guard let request = Self.request(quoted) else { return nil }
            self = request
        } else {
            return nil
        }
    }

    init(method: String, target: String) {
        self.method = method
        self.target = target
    }

    private static func request(_ text: some StringProtocol) -> RequestLine? {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard let first = words.first, words.count <= 3 else { return nil }
        if words.count == 1 { return target(String(first)).map { RequestLine(method: "GET", target: $0) } }
        if words.count == 3, !words[2].hasPrefix("HTTP/") { return nil }
        guard isMethod(first), let target = target(String(words[1])) else { return nil }
        return RequestLine(method: String(first), target: target)
    }

    /// What servers write down are tokens in capitals; anything else is rather a host's name.
    private static func isMethod(_ word: some StringProtocol) -> Bool {
        word.utf8.count <= 20 && word.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x2D }
    }

    private static func target(_ word: String) -> String? {
        var text = Substring(word)
        if let scheme = text.firstRange(of: "://"), ["http", "https"].contains(text[..<scheme.lowerBound].lowercased())
        {
            text = text[scheme.upperBound...].drop { $0 != "/" && $0 != "?" && $0 != "#" }
            if !text.hasPrefix("/") { text = "/" + text }
        }
        text = text.prefix { $0 != "#" }
        guard text.hasPrefix("/"), text.utf8.count <= 8_000 else { return nil }
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case 0...0x20, 0x7F: return nil
            // What no target may hold (RFC 3986 §2), though browsers and logs show it.
            case 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B...0x7D, 0x80...0xFF:
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            default: encoded.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return encoded
    }
}
