/// What the proxy knows of a client connection and adds to its requests.
package struct ForwardingFacts: Sendable {
    /// The peer's address as text.
    package var clientAddress: [UInt8]
    /// "http" or "https": how the client spoke to this proxy.
    package var scheme: StaticString
    /// The peer is a proxy of ours, so what it says of its own client is kept and appended to. For everybody else
    /// these fields are replaced: a client may not choose the address that origins see.
    package var peerIsTrusted: Bool
    /// This proxy's name in Via (RFC 9110 §7.6.3). Its own alone, so that a request that comes back is told from one that
    /// came through another instance.
    package var pseudonym: [UInt8]

    package init(
        clientAddress: [UInt8], scheme: StaticString = "http", peerIsTrusted: Bool = false,
        pseudonym: [UInt8] = Array("strangler".utf8)
    ) {
        self.clientAddress = clientAddress
        self.scheme = scheme
        self.peerIsTrusted = peerIsTrusted
        self.pseudonym = pseudonym
    }
}

/// Writes a parsed request head as it goes to an upstream: the same bytes where they may pass, without the fields of the
/// client's connection, with those that a gateway owes (RFC 9110 §7.6). Not copyable: each copy would count references
/// once per array.
package struct RequestForwarding: ~Copyable {
    package var facts: ForwardingFacts
    /// Set when normalisation changed the path; what was routed is what is sent.
    package var path: [UInt8]?
    /// Stands for a missing Host in HTTP/1.0.
    package var upstreamAuthority: [UInt8]
    /// `Strangler-Request-Id` for a request that is shadowed; empty for none.
    package var requestID: [UInt8]

    package init(
        facts: ForwardingFacts, path: [UInt8]? = nil, upstreamAuthority: [UInt8] = [], requestID: [UInt8] = []
    ) {
        self.facts = facts
        self.path = path
        self.upstreamAuthority = upstreamAuthority
        self.requestID = requestID
    }

    /// Bytes that certainly suffice for a head.
    package func capacity(for head: RequestHead) -> Int {
        // A trusted peer's X-Forwarded-For line is copied, so it is inside head.length; the host is written twice.
        head.length + (path?.count ?? 0) + 2 * (head.authorityEnd - head.authorityStart) + upstreamAuthority.count * 2
            + 2 * facts.clientAddress.count + facts.pseudonym.count + requestID.count + 320
    }

    package func write(_ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink)
    {
        let head = parser.head
        writeRequestLine(head, bytes, to: &sink)
        let authority = head.authority(in: bytes)
        if head.targetForm == .absolute || authority.isEmpty {
            sink.write("Host: ")
            if authority.isEmpty { sink.write(upstreamAuthority) } else { sink.write(authority) }
            sink.write("\r\n")
        }
        writeFields(parser, bytes, to: &sink)
        if case .chunked = head.framing { sink.write("Transfer-Encoding: chunked\r\n") }
        if head.wantsUpgrade || parser.facts.takesTrailers { writeConnection(parser, bytes, to: &sink) }
        if head.method == .options, parser.facts.maxForwards > 0 {
            sink.write("Max-Forwards: ")
            sink.write(decimal: parser.facts.maxForwards - 1)
            sink.write("\r\n")
        }
        writeForwarded(parser, bytes, authority, to: &sink)
        if !requestID.isEmpty {
            sink.write("Strangler-Request-Id: ")
            sink.write(requestID)
            sink.write("\r\n")
        }
        sink.write(head.minorVersion == 0 ? "Via: 1.0 " : "Via: 1.1 ")
        sink.write(facts.pseudonym)
        sink.write("\r\n\r\n")
    }

    /// What this hop agrees with the client on and the next hop is to agree on too: another protocol, and trailers, which
    /// pass through here.
    private func writeConnection(
        _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink
    ) {
        let takesTrailers = parser.facts.takesTrailers && parser.head.minorVersion >= 1
        if takesTrailers { sink.write("TE: trailers\r\n") }
        if parser.head.wantsUpgrade {
            sink.write("Upgrade: ")
            sink.write(parser.fields[parser.facts.upgradeIndex].value(in: bytes))
            sink.write(takesTrailers ? "\r\nConnection: upgrade, TE\r\n" : "\r\nConnection: upgrade\r\n")
        } else if takesTrailers {
            sink.write("Connection: TE\r\n")
        }
    }

    private func writeRequestLine(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink) {
        sink.write(head.methodToken(in: bytes))
        sink.write(byte: 0x20)
        if let path {
            sink.write(path)
        } else if head.pathEnd == head.pathStart {
            sink.write(byte: 0x2F)
        } else {
            sink.write(head.path(in: bytes))
        }
        sink.write(head.query(in: bytes))
        sink.write(" HTTP/1.1\r\n")
    }

    /// Lines that stay are copied in runs: most heads are two or three copies.
    private func writeFields(
        _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink
    ) {
        var runStart = -1
        var runEnd = -1
        for line in parser.fields {
            if keeps(line, parser, bytes) {
                if runStart < 0 { runStart = Int(line.nameStart) }
                runEnd = Int(line.lineEnd)
            } else if runStart >= 0 {
                sink.write(bytes.part(runStart, runEnd))
                runStart = -1
            }
        }
        if runStart >= 0 { sink.write(bytes.part(runStart, runEnd)) }
    }

    private func keeps(
        _ line: FieldLine, _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        switch line.field {
        case .other:
            return !parser.facts.nominatesFields || !parser.scanner.isNominated(line, bytes)
        // HTTP/1.0 may leave it empty, HTTP/1.1, which is what is sent, may not.
        case .host: return parser.head.targetForm != .absolute && parser.head.authorityEnd > parser.head.authorityStart
        case .strangler: return false
        case .forwardedFor: return false  // written anew, with what it held where the peer is trusted
        case .forwardedProto, .forwardedHost, .forwardedOther, .realIP: return facts.peerIsTrusted
        case .forwarded: return false  // as X-Forwarded-For
        case .maxForwards: return parser.head.method != .options
        default:
            if line.field.isHopByHop { return false }
            return line.field.isProtected || !parser.facts.nominatesFields
                || !parser.scanner.isNominated(line, bytes)
        }
    }

    private func writeForwarded(
        _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, _ authority: UnsafeRawBufferPointer,
        to sink: inout ByteSink
    ) {
        sink.write("X-Forwarded-For: ")
        var proto = false
        var host = false
        if facts.peerIsTrusted {
            for line in parser.fields {
                proto = proto || line.field == .forwardedProto
                host = host || line.field == .forwardedHost
            }
            if parser.facts.hasForwardedFor { writeEarlierHops(.forwardedFor, parser, bytes, to: &sink) }
        }
        sink.write(facts.clientAddress)
        if !proto {
            sink.write("\r\nX-Forwarded-Proto: ")
            sink.write(facts.scheme)
        }
        if !host, !authority.isEmpty {
            sink.write("\r\nX-Forwarded-Host: ")
            sink.write(authority)
        }
        sink.write("\r\n")
        if facts.peerIsTrusted, parser.fields.contains(where: { $0.field == .forwarded }) {
            writeForwardedElement(parser, bytes, to: &sink)
        }
    }

    /// RFC 7239 §4: a chain that a trusted peer has begun is gone on with.
    private func writeForwardedElement(
        _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink
    ) {
        sink.write("Forwarded: ")
        writeEarlierHops(.forwarded, parser, bytes, to: &sink)
        let isIPv6 = facts.clientAddress.contains(0x3A)
        sink.write(isIPv6 ? "for=\"[" : "for=")
        sink.write(facts.clientAddress)
        sink.write(isIPv6 ? "]\";proto=" : ";proto=")
        sink.write(facts.scheme)
        sink.write("\r\n")
    }

    private func writeEarlierHops(
        _ field: KnownField, _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer,
        to sink: inout ByteSink
    ) {
        for line in parser.fields where line.field == field {
            let value = line.value(in: bytes)
            if value.isEmpty { continue }
            sink.write(value)
            sink.write(", ")
        }
    }
}

extension HeadScanner {
    /// Whether a `Connection` field names this field, so that it ends here (RFC 9110 §7.6.1).
    func isNominated(_ line: FieldLine, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let name = line.name(in: bytes)
        var found = false
        for connection in fields where connection.field == .connection {
            connection.value(in: bytes).forEachListElement { option in
                if option.count == name.count,
                    zip(option, name).allSatisfy({ asciiLowercased($0) == asciiLowercased($1) })
                {
                    found = true
                }
            }
        }
        return found
    }
}
