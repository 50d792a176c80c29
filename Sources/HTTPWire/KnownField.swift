/// The fields that a proxy has to know by name. Every other field is `.other` and passes as it came, byte for byte.
package enum KnownField: UInt8, Sendable {
    case other
    case host, contentLength, transferEncoding, connection
    case keepAlive, proxyConnection, te, trailer, upgrade
    case expect, via, date, cookie, authorization
    case forwarded, forwardedFor, forwardedProto, forwardedHost, realIP
    /// Any further `X-Forwarded-…`, such as -Port or -Prefix: not for a client to choose either.
    case forwardedOther
    case maxForwards, idempotencyKey
    /// `Strangler-…`: ours. A client may not set them, or it could pose as a shadow.
    case strangler

    /// Recognised by length first: most names of a request end here after one comparison.
    init(name: UnsafeRawBufferPointer) {
        self = KnownField.recognise(name)
    }

    private static func recognise(_ name: UnsafeRawBufferPointer) -> KnownField {
        if name.count >= 10, asciiLowercased(name[0]) == 0x73, name.part(0, 10).equals(lowercased: "strangler-") {
            return .strangler
        }
        switch name.count {
        case 2: if name.equals(lowercased: "te") { return .te }
        case 3: if name.equals(lowercased: "via") { return .via }
        case 4:
            if name.equals(lowercased: "host") { return .host }
            if name.equals(lowercased: "date") { return .date }
        case 6:
            if name.equals(lowercased: "cookie") { return .cookie }
            if name.equals(lowercased: "expect") { return .expect }
        case 7:
            if name.equals(lowercased: "upgrade") { return .upgrade }
            if name.equals(lowercased: "trailer") { return .trailer }
        case 9:
            if name.equals(lowercased: "x-real-ip") { return .realIP }
            if name.equals(lowercased: "forwarded") { return .forwarded }
        case 10:
            if name.equals(lowercased: "connection") { return .connection }
            if name.equals(lowercased: "keep-alive") { return .keepAlive }
        case 12: if name.equals(lowercased: "max-forwards") { return .maxForwards }
        case 13: if name.equals(lowercased: "authorization") { return .authorization }
        case 14: if name.equals(lowercased: "content-length") { return .contentLength }
        case 15:
            if name.equals(lowercased: "x-forwarded-for") { return .forwardedFor }
            if name.equals(lowercased: "idempotency-key") { return .idempotencyKey }
        case 16:
            if name.equals(lowercased: "proxy-connection") { return .proxyConnection }
            if name.equals(lowercased: "x-forwarded-host") { return .forwardedHost }
        case 17:
            if name.equals(lowercased: "transfer-encoding") { return .transferEncoding }
            if name.equals(lowercased: "x-forwarded-proto") { return .forwardedProto }
        default: break
        }
        if name.count >= 12, asciiLowercased(name[0]) == 0x78, name.part(0, 12).equals(lowercased: "x-forwarded-") {
            return .forwardedOther
        }
        return .other
    }

    /// Whether a name is one of these once `_` is read as `-`, which is how CGI, WSGI and Rack servers read names
    /// (RFC 3875 §4.1.18): `Content_Length` would reach them past all that was checked here.
    static func isImitated(by name: UnsafeRawBufferPointer) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Swift.max(name.count, 1), alignment: 1) { folded in
            for (index, byte) in name.enumerated() { folded[index] = byte == 0x5F ? 0x2D : byte }
            return KnownField(name: UnsafeRawBufferPointer(folded).part(0, name.count)) != .other
        }
    }

    /// Fields of one connection only, never forwarded (RFC 9110 §7.6.1). Framing is written anew for each side.
    var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .transferEncoding: true
        default: false
        }
    }

    /// Fields that a `Connection` option cannot remove: a client would otherwise strip what routing, framing and
    /// authentication rest on.
    var isProtected: Bool {
        switch self {
        case .host, .contentLength, .authorization, .cookie, .forwarded, .forwardedFor, .forwardedProto,
            .forwardedHost, .forwardedOther, .realIP, .via, .date, .maxForwards, .strangler:
            true
        default: false
        }
    }
}

/// Where one field line lies within its head: offsets from the head's first byte.
package struct FieldLine: Sendable, Equatable {
    package let nameStart: UInt32
    package let nameEnd: UInt32
    package let valueStart: UInt32
    package let valueEnd: UInt32
    /// First byte after the line's CRLF.
    package let lineEnd: UInt32
    package let field: KnownField

    package func name(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        head.part(Int(nameStart), Int(nameEnd))
    }

    package func value(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        head.part(Int(valueStart), Int(valueEnd))
    }
}
