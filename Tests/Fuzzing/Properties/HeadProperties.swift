internal import HTTPWire

/// Limits so near that the fuzzer meets them often.
private let nearLimits = HeadLimits(head: 160, field: 48, fields: 5)

func checkRequestHead(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let whole = try checkReads(bytes, RequestHeadParser())
    let bounded = try checkReads(bytes, RequestHeadParser(limits: nearLimits))
    if bounded.outcome == .accepted {
        try checkLimits(bounded.reader, startLine: bytes.firstIndex(of: 0x0D) ?? 0)
        try demand(bounded.reader.head == whole.reader.head, "limits change what a head means")
    }
    guard whole.outcome == .accepted else { return whole.outcome }
    let head = whole.reader.head
    let plain = try PlainHead(bytes.slice(0, head.length))
    try checkFacts(whole.reader, plain, bytes)
    try checkRequestLine(head, plain, bytes)

    try demand(head.framing == (try plain.statedFraming() ?? .none), "the framing is not what the fields say")
    if head.framing == .chunked { try demand(head.minorVersion == 1, "HTTP/1.0 is chunked") }
    for field in plain.fields {
        try demand(!PlainHead.imitates(field.name), "the name \(field.name) is accepted")
    }
    if head.method == .options { try demand(plain.maxForwards > -2, "OPTIONS with an unclear Max-Forwards") }
    let wantsUpgrade =
        plain.tunnelProtocols != nil && plain.connectionOptions.contains("upgrade") && head.minorVersion == 1
        && head.framing == .none && head.method != .head
    try demand(head.wantsUpgrade == wantsUpgrade, "an upgrade is not what the fields say")
    let facts = whole.reader.facts
    let keepsAlive = head.minorVersion == 0 ? facts.saysKeepAlive && !facts.saysClose : !facts.saysClose
    try demand(head.keepsAlive == keepsAlive, "the connection's life is not what the fields say")
    return .accepted
}

private func checkRequestLine(_ head: RequestHead, _ plain: PlainHead, _ bytes: UnsafeRawBufferPointer)
    throws(Violation)
{
    let parts = plain.startLine.split(separator: 0x20, omittingEmptySubsequences: false)
    try demand(parts.count == 3, "an accepted request line has not three parts")
    try demand(parts[0].allSatisfy(PlainHead.isToken) && !parts[0].isEmpty, "an accepted method is no token")
    try demand(parts[0].elementsEqual(head.methodToken(in: bytes)), "the method is read in two ways")
    try demand(head.method == Method(token: String(decoding: parts[0], as: UTF8.self)), "the method has another name")
    let upper = Method(token: PlainHead.lowercased(parts[0]).uppercased())
    try demand(upper == head.method, "a method in another case is accepted")
    try demand(head.method != .connect && head.method != .trace, "CONNECT or TRACE is accepted")
    try demand(parts[1].allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x23 }, "an accepted target holds \(parts[1])")
    let version = parts[2]
    try demand(version.count == 8 && version.starts(with: "HTTP/1.".utf8), "an accepted version is not HTTP/1")
    try demand((version.last == 0x30) == (head.minorVersion == 0), "HTTP/1.0 is read in two ways")

    let path = head.path(in: bytes)
    let query = head.query(in: bytes)
    try demand(query.isEmpty || query.first == 0x3F, "a query without its question mark")
    try demand(!path.contains(0x3F), "a path with a question mark")
    let authority = Array(head.authority(in: bytes))
    switch head.targetForm {
    case .origin:
        try demand(
            path.first == 0x2F && parts[1].elementsEqual(Array(path) + Array(query)), "the origin form is cut up")
        try demand(authority == plain.values("host").first ?? [], "the authority is not Host's")
    case .asterisk:
        try demand(parts[1].elementsEqual([0x2A]) && head.method == .options, "the asterisk form")
        try demand(authority == plain.values("host").first ?? [], "the authority is not Host's")
    case .absolute:
        let scheme = PlainHead.lowercased(parts[1].prefix { $0 != 0x3A })
        try demand(scheme == "http" || scheme == "https", "the absolute form's scheme is \(scheme)")
        let rest = authority + Array(path) + Array(query)
        try demand(parts[1].dropFirst(scheme.utf8.count + 3).elementsEqual(rest), "the absolute form is cut up")
        try demand(path.isEmpty || path.first == 0x2F, "the absolute form's path")
    }
    try demand(plain.values("host").count == 1 || head.minorVersion == 0 && !plain.has("host"), "not one Host")
    try demand(!authority.isEmpty || head.minorVersion == 0, "no authority")
    try demand(!authority.contains(0x40) && !authority.contains(0x25), "userinfo or an escape in the authority")
}

func checkResponseHead(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let whole = try checkResponse(bytes, answering: .get)
    let toHead = try checkResponse(bytes, answering: .head)
    if whole == .accepted { try demand(toHead == .accepted, "an answer to HEAD is read more strictly") }
    let bounded = try checkReads(bytes, AnswerReader(parser: ResponseHeadParser(limits: nearLimits), method: .get))
    if bounded.outcome == .accepted {
        try checkLimits(bounded.reader, startLine: bytes.firstIndex(of: 0x0D) ?? 0)
        try demand(whole == .accepted, "limits let more through")
    }
    return whole
}

private func checkResponse(_ bytes: UnsafeRawBufferPointer, answering method: Method) throws(Violation) -> Outcome {
    let whole = try checkReads(bytes, AnswerReader(parser: ResponseHeadParser(), method: method))
    guard whole.outcome == .accepted else { return whole.outcome }
    let head = whole.reader.head
    let plain = try PlainHead(bytes.slice(0, head.length))
    try checkFacts(whole.reader, plain, bytes)
    let line = plain.startLine
    try demand(line.count >= 12 && line.starts(with: "HTTP/1.".utf8), "an accepted status line is not HTTP/1")
    try demand((line[7] == 0x30) == (head.minorVersion == 0), "HTTP/1.0 is read in two ways")
    try demand(Int(String(decoding: line[9..<12], as: UTF8.self)) == head.status, "the status is read in two ways")
    try demand((100..<600).contains(head.status), "the status is \(head.status)")
    try demand(bytes.slice(head.reasonStart, head.reasonEnd).elementsEqual(line.dropFirst(13)), "the reason is cut")
    try demand(
        line.dropFirst(13).allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }, "a control character in the reason")

    try demand(!plain.has("content-length") || !plain.has("transfer-encoding"), "an answer with two framings")
    if head.status < 200 || head.status == 204 || head.status == 304 || method == .head {
        try demand(head.framing == .none, "a body where there is none")
    } else {
        let stated = try plain.statedFraming()
        try demand(head.framing == stated ?? .untilClose, "the framing is not what the fields say")
        if stated == .chunked { try demand(head.minorVersion == 1, "HTTP/1.0 is chunked") }
    }
    if head.framing == .untilClose || whole.reader.facts.saysClose {
        try demand(!head.keepsAlive, "a connection that ends is kept")
    }
    return .accepted
}

private func checkLimits<Reader: HeadReader>(_ reader: Reader, startLine: Int) throws(Violation) {
    try demand(reader.length <= nearLimits.head, "a head of \(reader.length) bytes")
    try demand(reader.fields.count <= nearLimits.fields, "\(reader.fields.count) fields")
    try demand(startLine <= nearLimits.field, "a start line of \(startLine) bytes")
    for line in reader.fields {
        try demand(Int(line.lineEnd - line.nameStart) - 2 <= nearLimits.field, "a field line beyond its limit")
    }
}
