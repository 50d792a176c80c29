internal import HTTPWire

/// A head read a second time, plainly and slowly, from the words of RFC 9110 and 9112 and none of the parser's code.
///
/// It reads only what the parser has accepted, and demands that nothing in it could be read in another way.
struct PlainHead: Equatable {
    struct Field: Equatable {
        /// In lower case.
        var name: String
        var value: [UInt8]

        init(_ name: String, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    var startLine: [UInt8]
    var fields: [Field]

    init(_ head: UnsafeRawBufferPointer) throws(Violation) {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        while index < head.count {
            if head[index] == 0x0D {
                try demand(index + 1 < head.count && head[index + 1] == 0x0A, "an accepted head holds a bare CR")
                lines.append(line)
                line = []
                index += 2
            } else {
                try demand(head[index] != 0x0A && head[index] != 0, "an accepted head holds a bare LF or a NUL")
                line.append(head[index])
                index += 1
            }
        }
        try demand(line.isEmpty && lines.count >= 2, "an accepted head does not end with a line's end")
        try demand(lines.removeLast().isEmpty, "an accepted head does not end with an empty line")
        try demand(!lines.contains([]), "an accepted head goes on behind its empty line")
        startLine = lines.removeFirst()
        fields = []
        for line in lines { fields.append(try PlainHead.field(line)) }
    }

    private static func field(_ line: [UInt8]) throws(Violation) -> Field {
        guard let colon = line.firstIndex(of: 0x3A) else { throw Violation("an accepted field line has no colon") }
        let name = line[..<colon]
        try demand(!name.isEmpty && name.allSatisfy(isToken), "an accepted field name is no token")
        let value = trimmed(line[(colon + 1)...])
        try demand(
            value.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }, "an accepted field value holds a control")
        return Field(lowercased(name), value)
    }

    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }
    func has(_ name: String) -> Bool { fields.contains { $0.name == name } }

    /// The elements of all fields of that name read as one list, in lower case.
    func elements(_ name: String) -> [String] {
        values(name).flatMap { value in
            value.split(separator: 0x2C).map { PlainHead.lowercased(PlainHead.trimmed($0)[...]) }.filter { !$0.isEmpty }
        }
    }

    var connectionOptions: [String] { elements("connection") }

    /// -1 for none, -2 for one that is no number, or several.
    var maxForwards: Int {
        guard let text = values("max-forwards").first else { return -1 }
        let digits = text.drop { $0 == 0x30 }
        guard !text.isEmpty, text.allSatisfy({ (0x30...0x39).contains($0) }), values("max-forwards").count == 1 else {
            return -2
        }
        return min(digits.count > 9 ? 999_999_999 : Int(String(decoding: digits, as: UTF8.self)) ?? 0, 999_999_999)
    }

    /// The value of the one Upgrade field that names protocols which carry no requests past the routes; nil for another.
    var tunnelProtocols: [UInt8]? {
        let protocols = elements("upgrade")
        guard let value = values("upgrade").first, values("upgrade").count == 1, !protocols.isEmpty else { return nil }
        for name in protocols {
            let parts = name.utf8.split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
            guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(PlainHead.isToken) }) else { return nil }
            if ["h2", "h2c", "http", "tls"].contains(String(decoding: parts[0], as: UTF8.self)) { return nil }
        }
        return value
    }

    /// How long the body is by its fields alone (RFC 9112 §6.3): nil when they say nothing, and for a head that says two
    /// things at once a violation.
    func statedFraming() throws(Violation) -> BodyFraming? {
        let lengths = values("content-length")
        let codings = values("transfer-encoding")
        if let coding = codings.first {
            try demand(codings.count == 1 && lengths.isEmpty, "a head with two framings is accepted")
            try demand(PlainHead.lowercased(coding[...]) == "chunked", "a transfer coding but chunked is accepted")
            return .chunked
        }
        guard let text = lengths.first else { return nil }
        try demand(lengths.count == 1, "two Content-Lengths are accepted")
        try demand(!text.isEmpty && text.allSatisfy { (0x30...0x39).contains($0) }, "Content-Length is no number")
        guard let length = Int(String(decoding: text, as: UTF8.self)) else {
            throw Violation("a Content-Length that overflows is accepted")
        }
        return length == 0 ? BodyFraming.none : .length(length)
    }

    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
        }
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// Only for names: bytes beyond ASCII become replacement characters, which no name holds.
    static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
    }

    /// Fields of one connection, RFC 9110 §7.6.1.
    static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "upgrade", "transfer-encoding",
    ]

    /// Fields that this proxy or those behind it judge by; `X-Forwarded-…` and `Strangler-…` beside them.
    static func isJudged(_ name: String) -> Bool {
        hopByHop.contains(name) || name.hasPrefix("x-forwarded-") || name.hasPrefix("strangler-")
            || [
                "host", "content-length", "trailer", "expect", "via", "date", "cookie", "authorization", "forwarded",
                "x-real-ip", "idempotency-key", "max-forwards",
            ].contains(name)
    }

    /// Whether a server that reads `_` as `-` would take it for one of those.
    static func imitates(_ name: String) -> Bool {
        name.contains("_") && isJudged(String(name.map { $0 == "_" ? "-" : $0 }))
    }
}
