/// How a message's body ends (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case none
    /// Exactly so many bytes, at least 1.
    case length(Int)
    case chunked
    /// Until the connection ends: answers only.
    case untilClose
}

/// A request head as offsets into its bytes; nothing of it is copied.
package struct RequestHead: Sendable, Equatable {
    package enum TargetForm: UInt8, Sendable { case origin, absolute, asterisk }

    package internal(set) var method = Method.other
    package internal(set) var methodEnd = 0
    /// Minor version: 0 for HTTP/1.0, 1 for everything later of HTTP/1.
    package internal(set) var minorVersion = 1
    package internal(set) var targetForm = TargetForm.origin
    /// The path, from its "/". Empty in an absolute target without a path, which means "/".
    package internal(set) var pathStart = 0
    package internal(set) var pathEnd = 0
    /// End of the target; `pathEnd..<targetEnd` is "?query", or nothing.
    package internal(set) var targetEnd = 0
    /// Host with port, from the absolute target or else the Host field; empty only in HTTP/1.0.
    package internal(set) var authorityStart = 0
    package internal(set) var authorityEnd = 0
    /// Bytes of the head with its empty line.
    package internal(set) var length = 0
    package internal(set) var framing = BodyFraming.none
    /// The connection stays open after the answer, as far as the client is concerned (RFC 9112 §9.3).
    package internal(set) var keepsAlive = true
    /// It asks for another protocol on this connection, one that may be tunnelled (RFC 9110 §7.8).
    package internal(set) var wantsUpgrade = false

    package func methodToken(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer { head.part(0, methodEnd) }
    package func path(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer { head.part(pathStart, pathEnd) }
    package func query(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer { head.part(pathEnd, targetEnd) }
    package func authority(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        head.part(authorityStart, authorityEnd)
    }
}

/// Parses request heads, strictly by RFC 9112: what two readers could understand differently is refused.
package struct RequestHeadParser: Sendable {
    package private(set) var scanner = HeadScanner()
    package private(set) var head = RequestHead()
    private var hasRequestLine = false
    private let limits: HeadLimits

    package init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    package mutating func reset() {
        scanner.reset()
        head = RequestHead()
        hasRequestLine = false
    }

    package var fields: [FieldLine] { scanner.fields }
    package var facts: HeadFacts { scanner.facts }

    /// Goes on with a head. `bytes` start at the head's first byte and hold everything received since.
    /// - Returns: whether the head is complete; `head.length` says where it ends.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) -> Bool {
        if !hasRequestLine {
            guard case .line(_, let end) = try scanner.nextLine(bytes) else {
                if bytes.count > limits.field &+ 1 { throw .targetTooLong }  // one more: its CR
                // Another protocol, TLS for one, is told so at its first byte and not when time is up.
                if !ByteClass.all(bytes.part(0, 1), are: ByteClass.token) { throw .badRequestLine }
                return false
            }
            if end > limits.field { throw .targetTooLong }
            try parseRequestLine(bytes.part(0, end))
            hasRequestLine = true
        }
        guard let length = try scanner.scanFields(bytes, limits: limits) else { return false }
        head.length = length
        try judgeHost(bytes)
        try judgeFraming()
        return true
    }

    private mutating func parseRequestLine(_ line: UnsafeRawBufferPointer) throws(ParseFailure) {
        let methodEnd = line.index(of: 0x20, from: 0)
        guard methodEnd > 0, ByteClass.all(line.part(0, methodEnd), are: ByteClass.token) else {
            throw .badRequestLine
        }
        let targetStart = methodEnd + 1
        let targetEnd = line.index(of: 0x20, from: targetStart)
        guard targetEnd > targetStart else { throw .badRequestLine }
        head.methodEnd = methodEnd
        head.method = Method(bytes: line.part(0, methodEnd))
        if head.method == .other, Method.isImitated(by: line.part(0, methodEnd)) { throw .badRequestLine }
        try parseVersion(line.part(targetEnd + 1, line.count))
        try parseTarget(line, targetStart, targetEnd)
    }

    private mutating func parseVersion(_ version: UnsafeRawBufferPointer) throws(ParseFailure) {
        guard version.count == 8, version.part(0, 5).equals(lowercased: "http/"), version[0] == 0x48,
            version[5] &- 0x30 < 10, version[6] == 0x2E, version[7] &- 0x30 < 10
        else { throw .badRequestLine }
        guard version[1] == 0x54, version[2] == 0x54, version[3] == 0x50 else { throw .badRequestLine }
        guard version[5] == 0x31 else { throw .unsupportedVersion }
        head.minorVersion = version[7] == 0x30 ? 0 : 1
    }

    private mutating func parseTarget(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int) throws(ParseFailure) {
        guard ByteClass.all(line.part(start, end), are: ByteClass.target) else { throw .badTarget }
        // CONNECT would make this a tunnel into the inside; TRACE would echo credentials (RFC 9110 §9.3.6, §9.3.8).
        if head.method == .connect || head.method == .trace { throw .methodRefused }
        head.targetEnd = end
        if line[start] == 0x2F {
            head.targetForm = .origin
            head.pathStart = start
        } else if end == start + 1, line[start] == 0x2A, head.method == .options {
            head.targetForm = .asterisk
            head.pathStart = start
        } else {
            try parseAbsoluteTarget(line, start, end)
        }
        let question = line.part(0, end).index(of: 0x3F, from: head.pathStart)
        head.pathEnd = question < 0 ? end : question
    }

    private mutating func parseAbsoluteTarget(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int)
        throws(ParseFailure)
    {
        let authorityStart: Int
        if line.part(start, Swift.min(start + 7, end)).equals(lowercased: "http://") {
            authorityStart = start + 7
        } else if line.part(start, Swift.min(start + 8, end)).equals(lowercased: "https://") {
            authorityStart = start + 8
        } else {
            throw .badTarget
        }
        var authorityEnd = authorityStart
        while authorityEnd < end, line[authorityEnd] != 0x2F, line[authorityEnd] != 0x3F { authorityEnd += 1 }
        guard line.part(authorityStart, authorityEnd).isAuthority else { throw .badTarget }
        head.targetForm = .absolute
        head.authorityStart = authorityStart
        head.authorityEnd = authorityEnd
        head.pathStart = authorityEnd
    }

    private mutating func judgeHost(_ bytes: UnsafeRawBufferPointer) throws(ParseFailure) {
        if facts.hostRepeated { throw .badHost }
        guard facts.hostIndex >= 0 else {
            if head.minorVersion >= 1 { throw .missingHost }
            return
        }
        let line = fields[facts.hostIndex]
        let value = line.value(in: bytes)
        guard value.isEmpty || value.isAuthority else { throw .badHost }
        if value.isEmpty, head.minorVersion >= 1, head.targetForm != .absolute { throw .badHost }
        if head.targetForm != .absolute {
            head.authorityStart = Int(line.valueStart)
            head.authorityEnd = Int(line.valueEnd)
        }
    }

    private mutating func judgeFraming() throws(ParseFailure) {
        if facts.hasImitation { throw .imitatedField }
        if facts.expectationUnknown { throw .unknownExpectation }
        if facts.maxForwards == -2, head.method == .options { throw .badField }
        switch facts.transferCoding {
        case .none:
            head.framing = facts.contentLength > 0 ? .length(facts.contentLength) : .none
        case .invalid: throw .badTransferCoding
        case .unknown: throw .unknownTransferCoding
        case .chunked:
            if facts.contentLength >= 0 { throw .conflictingFraming }
            if head.minorVersion == 0 { throw .badTransferCoding }
            head.framing = .chunked
        }
        head.keepsAlive = head.minorVersion >= 1 ? !facts.saysClose : facts.saysKeepAlive && !facts.saysClose
        head.wantsUpgrade =
            facts.upgradeIndex >= 0 && facts.saysUpgrade && head.minorVersion >= 1 && head.framing == .none
            && head.method != .head
    }
}

extension Method {
    /// By length and first byte, then the whole token: methods are case-sensitive (RFC 9110 §9.1).
    init(bytes token: UnsafeRawBufferPointer) {
        let candidate: Method
        switch (token.count, token.first ?? 0) {
        case (3, 0x47): candidate = .get
        case (3, 0x50): candidate = .put
        case (4, 0x48): candidate = .head
        case (4, 0x50): candidate = .post
        case (5, 0x50): candidate = .patch
        case (5, 0x54): candidate = .trace
        case (6, 0x44): candidate = .delete
        case (7, 0x4F): candidate = .options
        case (7, 0x43): candidate = .connect
        default: candidate = .other
        }
        self = token.equals(candidate.token) ? candidate : .other
    }

    /// Whether a token is a known method but for its case. Methods are case-sensitive, yet some servers take `get` for
    /// GET: a route that names GET could be walked around with it.
    static func isImitated(by token: UnsafeRawBufferPointer) -> Bool {
        Method.allCases.contains { method in
            method != .other && method.name.utf8.count == token.count
                && zip(method.name.utf8, token).allSatisfy { asciiLowercased($0) == asciiLowercased($1) }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// `host[:port]` (RFC 9110 §7.2) with a host that is not empty: a name, an IPv4 address, or an IPv6 one in brackets;
    /// without userinfo and percent-encoding, which no name on the wire needs.
    var isAuthority: Bool {
        var hostEnd = ByteClass.prefix(of: self, that: ByteClass.registeredName)
        if hostEnd == 0, first == 0x5B {
            hostEnd = index(of: 0x5D, from: 1) + 1
            guard hostEnd > 2, part(1, hostEnd - 1).allSatisfy({ $0 == 0x3A || $0 == 0x2E || $0.isHexDigit }) else {
                return false
            }
        }
        guard hostEnd > 0 else { return false }
        if hostEnd == count { return true }
        guard self[hostEnd] == 0x3A, count - hostEnd <= 6 else { return false }
        var port = 0
        for byte in part(hostEnd + 1, count) {
            guard byte &- 0x30 < 10 else { return false }
            port = port * 10 + Int(byte &- 0x30)
        }
        return port <= 65_535
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { self &- 0x30 < 10 || (self | 0x20) &- 0x61 < 6 }
}
