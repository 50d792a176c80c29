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
    /// Indexes into the scanner's fields, or -1.
    package private(set) var hostIndex = -1
    package private(set) var cookieIndex = -1
    private(set) var expectationUnknown = false
    private(set) var hostRepeated = false

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
        case .idempotencyKey: hasIdempotencyKey = true
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
        transferCoding = codings == 0 || malformed || chunkedMisplaced ? .invalid : .unknown
    }

    private mutating func connectionFound(_ value: UnsafeRawBufferPointer) {
        if value.equals(lowercased: "keep-alive") {
            saysKeepAlive = true
            return
        }
        var close = false
        var keepAlive = false
        var nominates = false
        value.forEachListElement { option in
            if option.equals(lowercased: "close") {
                close = true
            } else if option.equals(lowercased: "keep-alive") {
                keepAlive = true
            } else if !option.equals(lowercased: "upgrade"), !option.equals(lowercased: "te") {
                nominates = true
            }
        }
        saysClose = saysClose || close
        saysKeepAlive = saysKeepAlive || keepAlive
        nominatesFields = nominatesFields || nominates
    }
}

extension UnsafeRawBufferPointer {
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
