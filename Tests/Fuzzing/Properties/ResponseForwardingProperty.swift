internal import HTTPWire

/// What an origin answers and the proxy passes on is one message to the client, framed as the proxy has promised.
func checkResponseForwarding(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    var outcome = Outcome.refused
    for method in [Method.get, .head] {
        var parser = ResponseHeadParser()
        do throws(ParseFailure) {
            guard try parser.parse(bytes, answering: method) else { return .incomplete }
        } catch {
            continue
        }
        outcome = .accepted
        let original = try PlainHead(bytes.slice(0, parser.head.length))
        for minorVersion in [0, 1] {
            // HTTP/1.0 knows no 1xx: the proxy sends it none.
            if parser.head.status < 200, minorVersion == 0 { continue }
            try check(parser, original, bytes, answering: method, minorVersion)
        }
    }
    return outcome
}

private func check(
    _ parser: ResponseHeadParser, _ original: PlainHead, _ bytes: UnsafeRawBufferPointer, answering method: Method,
    _ minorVersion: Int
) throws(Violation) {
    let head = parser.head
    let framing = ResponseForwarding.clientFraming(of: head.framing, clientMinorVersion: minorVersion)
    let isStreamed = head.framing == .chunked || head.framing == .untilClose
    let promised: BodyFraming = isStreamed ? (minorVersion == 0 ? .untilClose : .chunked) : head.framing
    try demand(framing == promised, "\(head.framing) goes to HTTP/1.\(minorVersion) as \(framing)")
    let forwarding = ResponseForwarding(
        framing: framing, clientMinorVersion: minorVersion, closes: framing == .untilClose,
        servedBy: Array("service".utf8), date: HTTPDate.format(secondsSince1970: 784_111_777))
    let sent = try written(forwarding.capacity(for: head)) { forwarding.write(parser, bytes, to: &$0) }
    try sent.withUnsafeBytesChecked { raw throws(Violation) in
        var second = ResponseHeadParser(limits: HeadLimits(head: 1 << 20, field: 1 << 20, fields: 1_000))
        var isWhole = false
        do throws(ParseFailure) {
            isWhole = try second.parse(raw, answering: method)
        } catch let failure {
            throw Violation("what is sent is refused: \(failure)")
        }
        try demand(isWhole, "what is sent is no whole head")
        try demand(second.head.length == raw.count, "what is sent is more than one head")
        try demand(second.head.status == head.status, "another status")
        try demand(second.head.framing == framing, "promised \(framing), sent \(second.head.framing)")
        try demand(second.head.keepsAlive != (framing == .untilClose), "the connection's life is not what is promised")
        let plain = try PlainHead(raw)
        let lengths = plain.values("content-length").count
        let codings = plain.values("transfer-encoding").count
        try demand(lengths + codings <= 1, "an answer with \(lengths) lengths and \(codings) codings")
        let expected = expectedFields(original, head, forwarding)
        try demand(plain.fields == expected, "sent \(names(plain.fields)) for \(names(expected))")
    }
}

/// Every field that has to arrive, in order.
private func expectedFields(_ original: PlainHead, _ head: ResponseHead, _ forwarding: borrowing ResponseForwarding)
    -> [PlainHead.Field]
{
    let nominated = Set(original.connectionOptions.filter { !PlainHead.isJudged($0) })
    let wouldBeChunked =
        original.values("transfer-encoding").map { PlainHead.lowercased($0[...]) } == ["chunked"]
        && forwarding.clientMinorVersion == 1 && head.status >= 200 && head.status != 204
    let isChunked = forwarding.framing == .chunked || forwarding.framing == .none && wouldBeChunked
    var fields = original.fields.filter { field in
        if PlainHead.hopByHop.contains(field.name) || nominated.contains(field.name) { return false }
        if field.name.hasPrefix("strangler-") { return false }
        // Whoever frames by chunks states no length (RFC 9112 §6.2); 1xx and 204 have none (RFC 9110 §8.6).
        if field.name == "content-length" { return head.status >= 200 && head.status != 204 && !isChunked }
        return field.name != "trailer" || forwarding.framing == .chunked
    }
    if head.isInterim { return fields }
    if head.status == 101 {
        fields += original.fields.filter { $0.name == "upgrade" }
        let ours: [PlainHead.Field] = [
            .init("strangler-served-by", forwarding.servedBy), .init("connection", Array("upgrade".utf8)),
        ]
        return fields + ours
    }
    if isChunked { fields.append(.init("transfer-encoding", Array("chunked".utf8))) }
    if !original.has("date") { fields.append(.init("date", forwarding.date)) }
    fields.append(.init("strangler-served-by", forwarding.servedBy))
    if forwarding.closes {
        fields.append(.init("connection", Array("close".utf8)))
    } else if forwarding.clientMinorVersion == 0 {
        fields.append(.init("connection", Array("keep-alive".utf8)))
    }
    return fields
}
