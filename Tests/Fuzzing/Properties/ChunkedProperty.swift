internal import HTTPWire

func checkChunkedBody(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let whole = try DecodedBody(bytes, ends: [bytes.count])
    for ends in arrivals(of: bytes) {
        let other = try DecodedBody(bytes, ends: ends)
        try demand(other == whole, "another body \(described(ends))")
    }
    let plain = PlainChunks(Array(bytes))
    guard whole.outcome == .accepted else {
        try demand(plain == nil, "a plain reading accepts what is \(whole.outcome)")
        return whole.outcome
    }
    guard let plain else { throw Violation("a plain reading refuses what is accepted") }
    try demand(plain.body == whole.body, "the body is read in two ways")
    try demand(plain.trailers == whole.trailers, "the trailers are read in two ways")
    try demand(plain.next == whole.next, "the body's end is read in two ways")

    // Written anew as one chunk it is the same body.
    let size = whole.body.isEmpty ? "" : String(whole.body.count, radix: 16) + "\r\n"
    let again = Array(size.utf8) + whole.body + Array((size.isEmpty ? "0\r\n" : "\r\n0\r\n").utf8) + whole.trailers
    let second = try (again + [0x0D, 0x0A]).withUnsafeBytesChecked { raw throws(Violation) in
        try DecodedBody(raw, ends: [raw.count])
    }
    try demand(second.outcome == .accepted, "what was decoded is refused when it is written anew")
    try demand(second.body == whole.body && second.trailers == whole.trailers, "it is not what was decoded")
    return .accepted
}

/// What the decoder made of some bytes.
private struct DecodedBody: Equatable {
    var outcome = Outcome.incomplete
    var failure: ParseFailure?
    var body: [UInt8] = []
    var trailers: [UInt8] = []
    /// First byte of what follows, counted from the first byte of all.
    var next = 0

    init(_ bytes: UnsafeRawBufferPointer, ends: [Int]) throws(Violation) {
        var decoder = ChunkedDecoder()
        var start = 0
        for end in ends where outcome == .incomplete {
            let read = bytes.slice(start, end)
            try withOwnMemory(read) { read throws(Violation) in try take(read, startingAt: start, &decoder) }
            start = end
        }
        if outcome == .accepted { trailers = decoder.trailers }
    }

    private mutating func take(_ read: UnsafeRawBufferPointer, startingAt start: Int, _ decoder: inout ChunkedDecoder)
        throws(Violation)
    {
        var offset = 0
        while true {
            let before = offset
            let step: ChunkedDecoder.Step
            do throws(ParseFailure) {
                step = try decoder.next(read, &offset)
            } catch {
                outcome = .refused
                failure = error
                return
            }
            switch step {
            case .needMore:
                try demand(offset == read.count, "bytes were left")
                return
            case .data(let from, let to):
                try demand(before <= from && from < to && to <= read.count && offset == to, "data at \(from)..<\(to)")
                body.append(contentsOf: read[from..<to])
            case .end(let end):
                try demand(before <= end && end <= read.count, "an end at \(end)")
                outcome = .accepted
                next = start + end
                return
            }
        }
    }
}

/// A chunked body read plainly from RFC 9112 §7.1, whole; nil for everything that is not a whole and valid one.
private struct PlainChunks {
    var body: [UInt8] = []
    var trailers: [UInt8] = []
    var next = 0

    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while true {
            guard let line = PlainChunks.line(&rest), let size = PlainChunks.size(line) else { return nil }
            if size == 0 { break }
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard PlainChunks.line(&rest)?.isEmpty == true else { return nil }
        }
        var bytesOfTrailers = 0
        while let line = PlainChunks.line(&rest) {
            if line.isEmpty {
                next = rest.startIndex
                return
            }
            bytesOfTrailers += line.count
            guard bytesOfTrailers <= 8192, let kept = PlainChunks.keeps(line) else { return nil }
            if kept { trailers += line + [0x0D, 0x0A] }
        }
        return nil
    }

    /// What stands before the next CRLF, without any other CR or LF in it.
    private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(where: { $0 == 0x0D || $0 == 0x0A }), rest[end...].starts(with: [0x0D, 0x0A])
        else { return nil }
        defer { rest = rest[(end + 2)...] }
        return rest[..<end]
    }

    /// chunk-size with its extensions: behind the digits nothing, or white space, or an extension that ";" opens.
    private static func size(_ line: ArraySlice<UInt8>) -> Int? {
        let digits = line.prefix { $0 < 0x80 && Character(UnicodeScalar($0)).isHexDigit }
        let behind = line.dropFirst(digits.count)
        let opened = behind.first { $0 != 0x20 && $0 != 0x09 }
        guard (1...15).contains(digits.count), opened == nil || opened == 0x3B, behind.count <= 4097,
            behind.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Whether a trailer field goes on; nil for a line that is no field.
    private static func keeps(_ line: ArraySlice<UInt8>) -> Bool? {
        guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex,
            line[..<colon].allSatisfy(PlainHead.isToken),
            line[(colon + 1)...].allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        let name = PlainHead.lowercased(line[..<colon])
        return !PlainHead.isJudged(name) && !PlainHead.imitates(name) && !neverLate.contains(name)
    }

    /// What is acted on before the body may not come late (RFC 9110 §6.5.1).
    private static let neverLate: Set<String> = [
        "age", "cache-control", "content-disposition", "content-encoding", "content-location", "content-range",
        "content-type", "expires", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "location", "pragma", "proxy-authenticate", "proxy-authorization", "range",
        "retry-after", "set-cookie", "vary", "www-authenticate", "x-http-method-override", "x-original-url",
        "x-rewrite-url",
    ]
}

extension Array where Element == UInt8 {
    /// `withUnsafeBytes` that keeps the type of what is thrown.
    func withUnsafeBytesChecked<Result>(_ body: (UnsafeRawBufferPointer) throws(Violation) -> Result)
        throws(Violation) -> Result
    {
        let result = withUnsafeBytes { raw in
            do throws(Violation) { return Swift.Result<Result, Violation>.success(try body(raw)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
