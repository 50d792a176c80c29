/// Which fields may come behind a body.
enum TrailerFields {
    /// What a recipient acts on before the body, so that it must not come late (RFC 9110 §6.5.1): authentication,
    /// routing, modifiers of the request, and how the content is to be read. Framing is among `KnownField`'s.
    private static let refused: Set<String> = [
        "age", "cache-control", "content-disposition", "content-encoding", "content-location", "content-range",
        "content-type", "expires", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "location", "pragma", "proxy-authenticate", "proxy-authorization", "range",
        "retry-after", "set-cookie", "vary", "www-authenticate", "x-http-method-override", "x-original-url",
        "x-rewrite-url",
    ]

    /// Cold: few bodies have trailers at all.
    static func mayPass(_ name: UnsafeRawBufferPointer) -> Bool {
        if KnownField(name: name) != .other || KnownField.isImitated(by: name) { return false }
        return !refused.contains(String(decoding: name, as: UTF8.self).lowercased())
    }
}
