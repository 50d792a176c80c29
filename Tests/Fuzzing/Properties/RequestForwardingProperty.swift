internal import HTTPWire
internal import Routing

/// What is accepted and forwarded is one message to the next reader too: the same method, path, host and framing, and of
/// the fields exactly those that may pass.
func checkRequestForwarding(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    var parser = RequestHeadParser()
    do throws(ParseFailure) {
        guard try parser.parse(bytes) else { return .incomplete }
    } catch {
        return .refused
    }
    guard let path = routedPath(parser.head, bytes) else { return .refused }
    // Answered by the proxy itself.
    if parser.head.method == .options, parser.facts.maxForwards == 0 { return .refused }
    let original = try PlainHead(bytes.slice(0, parser.head.length))
    for peerIsTrusted in [false, true] {
        let facts = ForwardingFacts(
            clientAddress: Array("192.0.2.7".utf8), scheme: "https", peerIsTrusted: peerIsTrusted)
        let forwarding = RequestForwarding(
            facts: facts, path: path.changed, upstreamAuthority: Array("origin:8080".utf8),
            requestID: peerIsTrusted ? Array("0af7651916cd43dd".utf8) : [])
        let sent = try written(forwarding.capacity(for: parser.head)) { forwarding.write(parser, bytes, to: &$0) }
        try sent.withUnsafeBytesChecked { raw throws(Violation) in
            try checkSent(raw, parser.head, bytes, path.sent, upstreamAuthority: forwarding.upstreamAuthority)
            let expected = expectedFields(original, parser.head, bytes, forwarding)
            let fields = try PlainHead(raw).fields
            try demand(fields == expected, "sent \(names(fields)) for \(names(expected))")
            // A tunnel is one conversation with one side.
            if !parser.head.wantsUpgrade { try checkShadow(of: sent, raw) }
        }
    }
    return .accepted
}

private struct RoutedPath {
    let changed: [UInt8]?
    let sent: [UInt8]
}

/// As the proxy does it; nil where it refuses.
private func routedPath(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> RoutedPath? {
    let path = head.path(in: bytes)
    if head.targetForm == .asterisk { return RoutedPath(changed: nil, sent: Array(path)) }
    switch PathNormalization.normalize(path: path) {
    case .unchanged: return RoutedPath(changed: nil, sent: Array(path))
    case .changed(let normal): return RoutedPath(changed: normal, sent: normal)
    case .refused: return nil
    }
}

func written(_ capacity: Int, _ write: (inout ByteSink) -> Void) throws(Violation) -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
    defer { memory.deallocate() }
    var sink = ByteSink(memory)
    write(&sink)
    try demand(!sink.overflowed, "the estimate of \(capacity) bytes is too small")
    return Array(UnsafeRawBufferPointer(memory).prefix(sink.count))
}

func parsedRequest(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> RequestHeadParser {
    var parser = RequestHeadParser(limits: HeadLimits(head: 1 << 20, field: 1 << 20, fields: 1_000))
    var isWhole = false
    do throws(ParseFailure) {
        isWhole = try parser.parse(bytes)
    } catch let failure {
        throw Violation("what is sent is refused: \(failure)")
    }
    try demand(isWhole, "what is sent is no whole head")
    try demand(parser.head.length == bytes.count, "what is sent is more than one head")
    return parser
}

private func checkSent(
    _ sent: UnsafeRawBufferPointer, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ path: [UInt8],
    upstreamAuthority: [UInt8]
) throws(Violation) {
    let parser = try parsedRequest(sent)
    let second = parser.head
    try demand(second.wantsUpgrade == head.wantsUpgrade, "an upgrade is asked for on one side only")
    try demand(parser.hasPassed(through: Array("strangler".utf8), sent), "a loop would not be seen")
    try demand(second.framing == head.framing, "framed \(head.framing), sent on as \(second.framing)")
    try demand(second.minorVersion == 1 && second.keepsAlive, "not HTTP/1.1 that stays open")
    try demand(second.targetForm != .absolute, "sent in absolute form")
    try demand(second.methodToken(in: sent).elementsEqual(head.methodToken(in: bytes)), "another method")
    try demand(second.path(in: sent).elementsEqual(path), "another path")
    try demand(second.query(in: sent).elementsEqual(head.query(in: bytes)), "another query")
    let authority = Array(head.authority(in: bytes))
    let expected = authority.isEmpty ? upstreamAuthority : authority
    try demand(second.authority(in: sent).elementsEqual(expected), "another host")
}

/// Every field that has to arrive, in order.
private func expectedFields(
    _ original: PlainHead, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer,
    _ forwarding: borrowing RequestForwarding
) -> [PlainHead.Field] {
    let facts = forwarding.facts
    let authority = Array(head.authority(in: bytes))
    let writesHost = head.targetForm == .absolute || authority.isEmpty
    let nominated = Set(original.connectionOptions.filter { !isProtected($0) })
    var fields: [PlainHead.Field] = []
    if writesHost { fields.append(.init("host", authority.isEmpty ? forwarding.upstreamAuthority : authority)) }
    for field in original.fields {
        if PlainHead.hopByHop.contains(field.name) || nominated.contains(field.name) { continue }
        if field.name.hasPrefix("strangler-") || rewritten.contains(field.name) { continue }
        if field.name == "host", writesHost { continue }
        if field.name == "max-forwards", head.method == .options { continue }
        if !facts.peerIsTrusted, isAboutTheClient(field.name) { continue }
        fields.append(field)
    }
    if original.has("transfer-encoding") { fields.append(.init("transfer-encoding", Array("chunked".utf8))) }
    fields += connectionFields(original, head)
    if head.method == .options, original.maxForwards > 0 {
        fields.append(.init("max-forwards", Array(String(original.maxForwards - 1).utf8)))
    }
    let hops = facts.peerIsTrusted ? original.values("x-forwarded-for").filter { !$0.isEmpty } : []
    fields.append(.init("x-forwarded-for", Array((hops + [facts.clientAddress]).joined(separator: ", ".utf8))))
    if !facts.peerIsTrusted || !original.has("x-forwarded-proto") {
        fields.append(.init("x-forwarded-proto", Array("https".utf8)))
    }
    if !authority.isEmpty, !facts.peerIsTrusted || !original.has("x-forwarded-host") {
        fields.append(.init("x-forwarded-host", authority))
    }
    if facts.peerIsTrusted, original.has("forwarded") {
        let elements = original.values("forwarded").filter { !$0.isEmpty } + [Array("for=192.0.2.7;proto=https".utf8)]
        fields.append(.init("forwarded", Array(elements.joined(separator: ", ".utf8))))
    }
    if !forwarding.requestID.isEmpty { fields.append(.init("strangler-request-id", forwarding.requestID)) }
    fields.append(.init("via", Array((head.minorVersion == 0 ? "1.0 strangler" : "1.1 strangler").utf8)))
    return fields
}

/// What this hop may agree on with the next: trailers, which pass, and a protocol that carries no requests.
private func connectionFields(_ original: PlainHead, _ head: RequestHead) -> [PlainHead.Field] {
    var fields: [PlainHead.Field] = []
    var options: [String] = []
    if head.wantsUpgrade, let protocols = original.tunnelProtocols {
        fields.append(.init("upgrade", protocols))
        options.append("upgrade")
    }
    if original.elements("te").contains("trailers"), head.minorVersion == 1 {
        fields.insert(.init("te", Array("trailers".utf8)), at: 0)
        options.append("TE")
    }
    if options.isEmpty { return [] }
    return fields + [.init("connection", Array(options.joined(separator: ", ").utf8))]
}

/// Written anew, with what they held where the peer is trusted.
private let rewritten: Set<String> = ["x-forwarded-for", "forwarded"]

/// What an untrusted client may not say of itself.
private func isAboutTheClient(_ name: String) -> Bool {
    name.hasPrefix("x-forwarded-") || name == "forwarded" || name == "x-real-ip"
}

/// What `Connection` cannot strip.
private func isProtected(_ name: String) -> Bool {
    isAboutTheClient(name)
        || ["host", "content-length", "authorization", "cookie", "via", "date", "max-forwards"].contains(name)
}

/// The shadow's request is the same one, whole, with a length in place of whatever framed it.
private func checkShadow(of sent: [UInt8], _ raw: UnsafeRawBufferPointer) throws(Violation) {
    let first = try parsedRequest(raw)
    // An answer's body is as untrusted as a request: of what is adopted from it nothing may end a line.
    let value = String(decoding: raw.dropFirst(5).prefix(20 + raw.count % 40), as: UTF8.self)
    let adopted = [("X-Adopted", value), ("X-Evil\r\nX-Adopted", "1")]
    let shadow = ShadowForwarding(bodyBytes: 7, requestID: Array("id".utf8), isWrite: true, adopted: adopted)
    guard let copy = shadow.head(from: sent) else { throw Violation("a forwarded head cannot be shadowed") }
    try copy.withUnsafeBytesChecked { bytes throws(Violation) in
        let second = try parsedRequest(bytes)
        try demand(second.head.framing == .length(7), "the shadow's body is framed \(second.head.framing)")
        try demand(
            second.head.methodToken(in: bytes).elementsEqual(first.head.methodToken(in: raw))
                && second.head.path(in: bytes).elementsEqual(first.head.path(in: raw))
                && second.head.query(in: bytes).elementsEqual(first.head.query(in: raw))
                && second.head.authority(in: bytes).elementsEqual(first.head.authority(in: raw)),
            "the shadow is asked for something else")
        let plain = try PlainHead(bytes)
        try demand(plain.values("strangler-shadow") == [[0x31]], "not marked once as a shadow")
        let isOneLine = value.utf8.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
        try demand(plain.values("x-adopted").count == (isOneLine ? 1 : 0), "what is adopted: \(value.debugDescription)")
    }
}

func names(_ fields: [PlainHead.Field]) -> String {
    fields.map { "\($0.name): \(String(decoding: $0.value, as: UTF8.self))" }.joined(separator: " | ")
}
