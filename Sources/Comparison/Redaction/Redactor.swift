import Crypto

/// Replaces secrets by keyed hashes: equal values give equal tokens, so that they still compare equal, and
/// without the key nobody can try values until one fits.
package struct Redactor: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: of any length; 32 random bytes that stay the same as long as stored tokens are
    ///   to be compared.
    package init(key: [UInt8]) {
        self.key = SymmetricKey(data: key)
    }

    /// `redacted:` and the first 12 hexadecimal digits of the value's HMAC-SHA256.
    package func token(_ bytes: some Sequence<UInt8>) -> String { "redacted:" + digest(bytes) }

    /// Stands for bytes that are too many or too opaque to be shown: equal digests, equal bytes.
    func digest(_ bytes: some Sequence<UInt8>) -> String {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(bytes))
        return Hexadecimal.text(of: code.finalize().prefix(6))
    }

    /// Fields that carry credentials, whatever a rule file says. Names are matched as parts, because every
    /// company has an `X-Acme-Session-Token` of its own.
    static func isCredential(header name: String) -> Bool {
        let name = name.lowercased()
        return credentialParts.contains { name.contains($0) }
    }

    private static let credentialParts = [
        "authorization", "cookie", "token", "secret", "password", "passwd", "api-key", "apikey", "credential",
        "session", "csrf", "xsrf", "signature", "x-auth", "jwt",
    ]

    /// Query parameters that carry credentials by convention (RFC 6750 §2.3 and common practice), lower-case.
    static let credentialParameters: Set<String> = [
        "access_token", "refresh_token", "id_token", "token", "api_key", "apikey", "api-key", "client_secret",
        "password", "secret", "signature", "sig", "x-amz-signature", "x-amz-security-token", "x-amz-credential",
    ]

    /// Fields whose value is a URI, with a query of its own.
    static let uriHeaders: Set<String> = ["location", "content-location", "referer", "link", "refresh"]
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// 32 digits of a hash that anybody can compute: of names, not of secrets.
    static func sha256(of bytes: [UInt8]) -> String { text(of: SHA256.hash(data: bytes).prefix(16)) }
}
