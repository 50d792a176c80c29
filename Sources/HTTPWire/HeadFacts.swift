/// What the fields of one head say together: framing, persistence, and where the fields lie that routing looks at.
package struct HeadFacts: Sendable, Equatable {
    package enum TransferCoding: UInt8, Sendable { case none, chunked, unknown, invalid }

    /// Content-Length in bytes, or -1.
    package private(set) var contentLength: Int = -1
    package private(set) var transferCoding = TransferCoding.none
    package private(set) var saysClose = false
    package private(set) var saysKeepAlive = false
    /// `Connection` names fields beyond close, keep-alive, upgrade and TE: those are hop-by-hop too (RFC 9110 §7.6.1).
    package private(set) var nominatesFields = false
    package private(set) var expectsContinue = false
    package private(set) var hasDate = false
    package private(set) var hasForwardedFor = false
    package private(set) var hasIdempotencyKey = false
    package private(set) var hasVia = false
    /// `TE: trailers`: whoever sent this takes trailer fields (RFC 9110 §10.1.4).
    package private(set) var takesTrailers = false
    /// Max-Forwards (RFC 9110 §7.6.2), at most 999,999,999; -1: none, -2: one that is no number, or several.
    package private(set) var maxForwards = -1
    /// `Connection` has the option `upgrade`.
    package private(set) var saysUpgrade = false
    /// Index of the one Upgrade field whose protocols may be tunnelled; -1: none, -2: another one, or several.
    package private(set) var upgradeIndex = -1
    /// Indexes into the scanner's fields, or -1.
    package private(set) var hostIndex = -1
    package private(set) var cookieIndex = -1
    private(set) var expectationUnknown = false
    private(set) var hostRepeated = false
    /// A name that differs from a known one by `_` for `-`.
    private(set) var hasImitation = false

    mutating func imitationFound() { hasImitation = true }

    mutating func fieldFound(_ field: KnownField, index: Int, value: UnsafeRawBufferPointer) throws(ParseFailure) {
        switch field {
        case .contentLength: try contentLengthFound(value)
        case .transferEncoding: transferEncodingFound(value)
        case .connection: connectionFound(value)
        case .host:
            if hostIndex >= 0 { hostRepeated = true }
            hostIndex = index
        case .cookie: if cookieIndex < 0 { cookieIndex = index }
        case .expect:
            if value.equals(lowercased: "100-continue") { expectsContinue = true } else { expectationUnknown = true }
        case .date: hasDate = true
        case .forwardedFor: hasForwardedFor = true
        // An empty one would be the same for all.
        case .idempotencyKey: if !value.isEmpty { hasIdempotencyKey = true }
        case .via: hasVia = true
        case .te:
            value.forEachListElement { if $0.equals(lowercased: "trailers") { takesTrailers = true } }
        case .maxForwards: maxForwardsFound(value)
        case .upgrade: upgradeIndex = upgradeIndex == -1 && value.namesTunnelProtocols ? index : -2
        default: break
        }
    }

    /// Digits only and one field only: `5, 5`, `+5` and a repeated field are all read differently by somebody, so each
    /// is refused (RFC 9112 §6.3 allows it).
    private mutating func contentLengthFound(_ value: UnsafeRawBufferPointer) throws(ParseFailure) {
        guard contentLength < 0, !value.isEmpty, value.count <= 18 else { throw .badContentLength }
        var length = 0
        for byte in value {
            guard byte &- 0x30 < 10 else { throw .badContentLength }
            length = length &* 10 &+ Int(byte &- 0x30)
        }
        contentLength = length
    }

    private mutating func maxForwardsFound(_ value: UnsafeRawBufferPointer) {
        guard maxForwards == -1, !value.isEmpty, value.allSatisfy({ $0 &- 0x30 < 10 }) else {
            maxForwards = -2
            return
        }
        maxForwards = value.reduce(0) { Swift.min($0 &* 10 &+ Int($1 &- 0x30), 999_999_999) }
    }

    private mutating func transferEncodingFound(_ value: UnsafeRawBufferPointer) {
        guard transferCoding == .none else {
            transferCoding = .invalid
            return
        }
        if value.equals(lowercased: "chunked") {
            transferCoding = .chunked
            return
        }
        // A list: chunked anywhere but once and last is invalid; with other codings it is one we do not know.
        var codings = 0
        var chunkedAt = -1
        var chunkedCount = 0
        var malformed = false
        value.forEachListElement { element in
            codings += 1
            if element.equals(lowercased: "chunked") {
                chunkedCount += 1
                chunkedAt = codings
            } else if !ByteClass.all(element, are: ByteClass.token) {
                malformed = true
            }
        }
        let chunkedMisplaced = chunkedCount > 1 || (chunkedCount == 1 && chunkedAt != codings)
        // Chunked alone, but with commas around it, is read in more than one way.
        transferCoding = codings == chunkedCount || malformed || chunkedMisplaced ? .invalid : .unknown
    }

    private mutating func connectionFound(_ value: UnsafeRawBufferPointer) {
        if value.equals(lowercased: "keep-alive") {
            saysKeepAlive = true
            return
        }
        var close = false
        var keepAlive = false
        var nominates = false
        var upgrade = false
        value.forEachListElement { option in
            if option.equals(lowercased: "close") {
                close = true
            } else if option.equals(lowercased: "keep-alive") {
                keepAlive = true
            } else if option.equals(lowercased: "upgrade") {
                upgrade = true
            } else if !option.equals(lowercased: "te") {
                nominates = true
            }
        }
        saysClose = saysClose || close
        saysKeepAlive = saysKeepAlive || keepAlive
        nominatesFields = nominatesFields || nominates
        saysUpgrade = saysUpgrade || upgrade
    }
}

extension UnsafeRawBufferPointer {
    /// An Upgrade value (RFC 9110 §7.8) that names at least one protocol, and none that would carry further requests:
    /// through a tunnel of h2c, HTTP or TLS a client could ask for any path, past the routes.
    var namesTunnelProtocols: Bool {
        var isSound = true
        var count = 0
        forEachListElement { element in
            count += 1
            let slash = element.index(of: 0x2F, from: 0)
            let name = slash < 0 ? element : element.part(0, slash)
            let version = slash < 0 ? element : element.part(slash + 1, element.count)
            if name.isEmpty || version.isEmpty || !ByteClass.all(name, are: ByteClass.token)
                || !ByteClass.all(version, are: ByteClass.token) || name.equals(lowercased: "h2c")
                || name.equals(lowercased: "h2") || name.equals(lowercased: "http") || name.equals(lowercased: "tls")
            {
                isSound = false
            }
        }
        return isSound && count > 0
    }

    /// The non-empty elements of a comma-separated list (RFC 9110 §5.6.1), without white space around them.
    func forEachListElement(_ body: (UnsafeRawBufferPointer) -> Void) {
        var start = 0
        while start <= count {
            var end = index(of: 0x2C, from: start)
            if end < 0 { end = count }
            let element = part(start, end).trimmed()
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}
