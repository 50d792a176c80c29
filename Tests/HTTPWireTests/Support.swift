import HTTPWire

/// Parses a whole head given as text; nil while it is incomplete.
func parseRequest(_ text: String) throws -> RequestHeadParser? {
    var parser = RequestHeadParser()
    return try Array(text.utf8).withUnsafeBytes { try parser.parse($0) } ? parser : nil
}

func parseResponse(_ text: String, answering method: HTTPWire.Method = .get) throws -> ResponseHeadParser? {
    var parser = ResponseHeadParser()
    return try Array(text.utf8).withUnsafeBytes { try parser.parse($0, answering: method) } ? parser : nil
}

/// The head as an upstream would get it.
func forwarded(_ text: String, _ forwarding: borrowing RequestForwarding) throws -> String {
    let bytes = Array(text.utf8)
    var parser = RequestHeadParser()
    return try bytes.withUnsafeBytes { raw in
        guard try parser.parse(raw) else { return "incomplete" }
        return written(capacity: forwarding.capacity(for: parser.head)) { forwarding.write(parser, raw, to: &$0) }
    }
}

/// The head as a client would get it.
func answered(_ text: String, _ forwarding: borrowing ResponseForwarding, to method: HTTPWire.Method = .get) throws
    -> String
{
    let bytes = Array(text.utf8)
    var parser = ResponseHeadParser()
    return try bytes.withUnsafeBytes { raw in
        guard try parser.parse(raw, answering: method) else { return "incomplete" }
        return written(capacity: forwarding.capacity(for: parser.head)) { forwarding.write(parser, raw, to: &$0) }
    }
}

private func written(capacity: Int, _ body: (inout ByteSink) -> Void) -> String {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
    defer { memory.deallocate() }
    var sink = ByteSink(memory)
    body(&sink)
    return sink.overflowed
        ? "overflowed" : String(decoding: UnsafeRawBufferPointer(memory)[..<sink.count], as: UTF8.self)
}

/// Decodes a chunked body that arrives in pieces of `size` bytes.
func dechunked(_ bytes: [UInt8], piece size: Int) throws -> (body: [UInt8], trailers: String, rest: [UInt8])? {
    var decoder = ChunkedDecoder()
    var body: [UInt8] = []
    var start = 0
    while start < bytes.count {
        let piece = Array(bytes[start..<min(start + size, bytes.count)])
        var offset = 0
        var end: Int?
        try piece.withUnsafeBytes { raw in
            while end == nil {
                switch try decoder.next(raw, &offset) {
                case .needMore: return
                case .data(let from, let to): body.append(contentsOf: raw[from..<to])
                case .end(let next): end = next
                }
            }
        }
        if let end {
            return (body, String(decoding: decoder.trailers, as: UTF8.self), Array(bytes[(start + end)...]))
        }
        start += size
    }
    return nil
}
