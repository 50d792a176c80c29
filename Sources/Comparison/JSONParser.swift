/// Strict RFC 8259 over bytes into `Document`'s flat nodes. Open containers are kept in an array, not on
/// the call stack, so no nesting can overflow it. A byte order mark is refused (§8.1 forbids sending one).
struct JSONParser {
    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var position = 0
    /// Indices of the containers around `position`, outermost first.
    private var open: [Int] = []
    private(set) var nodes: [Document.Node] = []

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func run() throws(DocumentError) {
        guard bytes.count < Int(Int32.max) else { throw DocumentError(code: .tooLarge, offset: 0) }
        nodes.reserveCapacity(min(bytes.count / 8 + 1, 1 << 20))
        skipBlanks()
        try value()
        while let container = open.last { try step(in: container) }
        skipBlanks()
        guard position == bytes.count else { throw failure(.unexpectedByte) }
    }

    /// The lines are the elements of one array without brackets.
    mutating func runLines() throws(DocumentError) {
        guard bytes.count < Int(Int32.max) else { throw DocumentError(code: .tooLarge, offset: 0) }
        try openContainer(.array)
        position = 0
        skipBlanks()
        while position < bytes.count {
            nodes[0].count += 1
            try value()
            while let container = open.last, container > 0 { try step(in: container) }
            let end = position
            skipBlanks()
            guard position == bytes.count || bytes[end..<position].contains(UInt8(ascii: "\n")) else {
                throw failure(.unexpectedByte)
            }
        }
        close(0)
    }

    /// Reads the next child of a container, or its end.
    private mutating func step(in container: Int) throws(DocumentError) {
        skipBlanks()
        let isObject = nodes[container].kind == .object
        if current == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            position += 1
            close(container)
            return
        }
        if nodes[container].count > 0 {
            try expect(UInt8(ascii: ","))
            skipBlanks()
        }
        if isObject {
            guard current == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            try string()
            skipBlanks()
            try expect(UInt8(ascii: ":"))
            skipBlanks()
        }
        nodes[container].count += 1
        try value()
    }

    /// Reads a scalar, or opens a container.
    private mutating func value() throws(DocumentError) {
        switch current {
        case UInt8(ascii: "{"): try openContainer(.object)
        case UInt8(ascii: "["): try openContainer(.array)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): try number()
        case UInt8(ascii: "t"): try literal("true", .true)
        case UInt8(ascii: "f"): try literal("false", .false)
        case UInt8(ascii: "n"): try literal("null", .null)
        default: throw failure(.unexpectedByte)
        }
    }

    private mutating func openContainer(_ kind: Document.Kind) throws(DocumentError) {
        guard open.count < maximumDepth else { throw failure(.tooDeep) }
        open.append(nodes.count)
        append(kind, from: position)
        position += 1
    }

    private mutating func close(_ container: Int) {
        nodes[container].end = Int32(position)
        nodes[container].next = Int32(nodes.count)
        open.removeLast()
    }

    private mutating func literal(_ word: StaticString, _ kind: Document.Kind) throws(DocumentError) {
        let start = position
        for offset in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[offset] else { throw failure(.unexpectedByte) }
            position += 1
        }
        append(kind, from: start)
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` (§6)
    private mutating func number() throws(DocumentError) {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        append(.number, from: start)
    }

    private mutating func digits() throws(DocumentError) {
        let start = position
        while let byte = current, byte &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw failure(.invalidNumber) }
    }

    private mutating func string() throws(DocumentError) {
        let start = position
        var hasEscapes = false
        position += 1
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                append(.string, from: start, hasEscapes ? .hasEscapes : [])
                return
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try escape()
            case 0..<0x20: throw failure(.controlCharacter)
            case 0x20..<0x80: position += 1
            default:
                let length = JSONText.scalarLength(in: bytes, at: position)
                guard length > 0 else { throw failure(.invalidUTF8) }
                position += length
            }
        }
        throw failure(.unexpectedEnd)
    }

    private mutating func escape() throws(DocumentError) {
        position += 1
        switch current {
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard let byte = current, JSONText.hexDigit(byte) != nil else { throw failure(.invalidEscape) }
                position += 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        default: throw failure(.invalidEscape)
        }
    }

    // MARK: - Bytes and nodes

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(DocumentError) {
        guard current == byte else { throw failure(.unexpectedByte) }
        position += 1
    }

    /// A scalar is complete; a container's `end` and `next` are set when it closes.
    private mutating func append(_ kind: Document.Kind, from start: Int, _ flags: Document.Flags = []) {
        nodes.append(
            Document.Node(
                kind: kind, flags: flags, start: Int32(start), end: Int32(position), count: 0,
                next: Int32(nodes.count + 1)))
    }

    /// At the end of the bytes every complaint is that they end.
    private func failure(_ code: DocumentError.Code) -> DocumentError {
        DocumentError(code: position < bytes.count ? code : .unexpectedEnd, offset: position)
    }
}
