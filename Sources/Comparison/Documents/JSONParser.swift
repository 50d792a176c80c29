/// Strict RFC 8259 over bytes into `Document`'s flat nodes. A container that is open keeps its parent's index where
/// its end will stand, so no nesting can overflow a stack. A byte order mark is refused (§8.1 forbids sending one).
///
/// The first fault ends the reading and is kept in `failure`: throwing through every function cost a tenth of the
/// time.
struct JSONParser {
    private let bytes: UnsafePointer<UInt8>
    private let end: Int
    private let maximumDepth: Int
    private let nodes: UnsafeMutablePointer<Document.Node>
    private var position = 0
    private var count = 0
    private var container = -1
    private var depth = 0
    private var failure: DocumentError?

    /// - Parameter isLines: the texts of lines are the elements of one array without brackets.
    static func nodes(of source: [UInt8], maximumDepth: Int, isLines: Bool) throws(DocumentError) -> [Document.Node] {
        guard source.count < Int(Int32.max) else { throw DocumentError(code: .tooLarge, offset: 0) }
        guard !source.isEmpty || isLines else { throw DocumentError(code: .unexpectedEnd, offset: 0) }
        var failure: DocumentError?
        // A value has at least one byte and a separator or an end, unless it is a container that was not closed, so
        // there are no more than this. Memory that is not written to is only an address.
        let capacity = 2 + source.count / 2 + min(source.count, max(0, maximumDepth))
        let nodes = [Document.Node](unsafeUninitializedCapacity: capacity) { nodes, count in
            source.withUnsafeBufferPointer { bytes in
                guard let target = nodes.baseAddress else { return }
                var nothing: UInt8 = 0
                withUnsafePointer(to: &nothing) { empty in
                    var parser = JSONParser(
                        bytes: bytes.baseAddress ?? empty, end: bytes.count, maximumDepth: maximumDepth, nodes: target)
                    if isLines { parser.readLines() } else { parser.readText() }
                    failure = parser.failure
                    count = parser.count
                }
            }
        }
        if let failure { throw failure }
        return nodes
    }

    private init(
        bytes: UnsafePointer<UInt8>, end: Int, maximumDepth: Int, nodes: UnsafeMutablePointer<Document.Node>
    ) {
        self.bytes = bytes
        self.end = end
        self.maximumDepth = maximumDepth
        self.nodes = nodes
    }

    private mutating func readText() {
        skipBlanks()
        readValue()
        guard failure == nil else { return }
        skipBlanks()
        if position < end { fail(.unexpectedByte) }
    }

    private mutating func readLines() {
        open(.array)
        position = 0
        skipBlanks()
        while position < end {
            nodes[0].count &+= 1
            readValue()
            guard failure == nil else { return }
            let after = position
            skipBlanks()
            guard position == end || UnsafeBufferPointer(start: bytes + after, count: position - after).contains(0x0A)
            else { return fail(.unexpectedByte) }
        }
        close()
    }

    /// Reads one value with everything in it.
    private mutating func readValue() {
        let outer = container
        while true {
            readScalarOrOpen()
            // After a value: its containers' ends, a comma, or the end of the outermost value.
            while true {
                guard failure == nil else { return }
                guard container != outer else { return }
                skipBlanks()
                guard position < end else { return fail(.unexpectedEnd) }
                let isObject = nodes[container].kind == .object
                if bytes[position] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    position &+= 1
                    close()
                    continue
                }
                if nodes[container].count > 0 {
                    guard bytes[position] == UInt8(ascii: ",") else { return fail(.unexpectedByte) }
                    position &+= 1
                    skipBlanks()
                }
                if isObject { readName() }
                nodes[container].count &+= 1
                break
            }
            guard failure == nil else { return }
        }
    }

    private mutating func readName() {
        guard position < end, bytes[position] == UInt8(ascii: "\"") else { return fail(.unexpectedByte) }
        let index = count
        readString()
        guard failure == nil else { return }
        nodes[index].count = Document.nameHash(of: nodes[index], in: bytes)
        skipBlanks()
        guard position < end, bytes[position] == UInt8(ascii: ":") else { return fail(.unexpectedByte) }
        position &+= 1
        skipBlanks()
    }

    private mutating func readScalarOrOpen() {
        guard position < end else { return fail(.unexpectedEnd) }
        switch bytes[position] {
        case UInt8(ascii: "\""): readString()
        case UInt8(ascii: "{"): open(.object)
        case UInt8(ascii: "["): open(.array)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): readNumber()
        case UInt8(ascii: "t"): readLiteral("true", .true)
        case UInt8(ascii: "f"): readLiteral("false", .false)
        case UInt8(ascii: "n"): readLiteral("null", .null)
        default: fail(.unexpectedByte)
        }
    }

    private mutating func open(_ kind: Document.Kind) {
        guard depth < maximumDepth else { return fail(.tooDeep) }
        depth &+= 1
        let index = count
        append(kind, from: position)
        nodes[index].next = Int32(truncatingIfNeeded: container)
        container = index
        position &+= 1
    }

    private mutating func close() {
        let parent = Int(nodes[container].next)
        nodes[container].end = Int32(truncatingIfNeeded: position)
        nodes[container].next = Int32(truncatingIfNeeded: count)
        container = parent
        depth &-= 1
    }

    private mutating func readLiteral(_ word: StaticString, _ kind: Document.Kind) {
        let start = position
        for offset in 0..<word.utf8CodeUnitCount {
            guard position < end, bytes[position] == word.utf8Start[offset] else { return fail(.unexpectedByte) }
            position &+= 1
        }
        append(kind, from: start)
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` (§6)
    private mutating func readNumber() {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position &+= 1 }
        if position < end, bytes[position] == UInt8(ascii: "0") { position &+= 1 } else { readDigits() }
        if position < end, bytes[position] == UInt8(ascii: "."), failure == nil {
            position &+= 1
            readDigits()
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e"), failure == nil {
            position &+= 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position &+= 1
            }
            readDigits()
        }
        append(.number, from: start)
    }

    private mutating func readDigits() {
        let start = position
        while position < end, bytes[position] &- UInt8(ascii: "0") < 10 { position &+= 1 }
        if position == start { fail(.invalidNumber) }
    }

    private mutating func readString() {
        let start = position
        var flags: Document.Flags = []
        position &+= 1
        while true {
            skipPlain()
            guard position < end else { return fail(.unexpectedEnd) }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position &+= 1
                append(.string, from: start, flags)
                return
            case UInt8(ascii: "\\"):
                flags = .hasEscapes
                skipEscape()
                guard failure == nil else { return }
            case 0..<0x20: return fail(.controlCharacter)
            default:
                let length = JSONText.scalarLength(in: bytes, from: position, to: end)
                guard length > 0 else { return fail(.invalidUTF8) }
                position &+= length
            }
        }
    }

    /// Up to the next quote, backslash, control character or byte beyond ASCII, eight bytes at a time. The lowest
    /// of the marks that the subtractions leave is always a true one.
    private mutating func skipPlain() {
        let (low, high): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while position &+ 8 <= end {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let (quotes, slashes) = (word ^ (low &* 0x22), word ^ (low &* 0x5C))
            let marks =
                (((quotes &- low) & ~quotes) | ((slashes &- low) & ~slashes) | ((word &- (low &* 0x20)) & ~word)
                    | word) & high
            if marks != 0 {
                position &+= marks.trailingZeroBitCount >> 3
                return
            }
            position &+= 8
        }
        while position < end {
            let byte = bytes[position]
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            position &+= 1
        }
    }

    private mutating func skipEscape() {
        position &+= 1
        guard position < end else { return fail(.unexpectedEnd) }
        switch bytes[position] {
        case UInt8(ascii: "u"):
            position &+= 1
            for _ in 0..<4 {
                guard position < end, JSONText.hexDigit(bytes[position]) != nil else { return fail(.invalidEscape) }
                position &+= 1
            }
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position &+= 1
        default: fail(.invalidEscape)
        }
    }

    // MARK: - Bytes and nodes

    @inline(__always)
    private mutating func skipBlanks() {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position &+= 1
        }
    }

    /// A scalar is complete; a container's `end` and `next` are set when it closes.
    @inline(__always)
    private mutating func append(_ kind: Document.Kind, from start: Int, _ flags: Document.Flags = []) {
        // After a fault the same bytes may have been read twice.
        guard failure == nil else { return }
        (nodes + count).initialize(
            to: Document.Node(
                kind: kind, flags: flags, start: Int32(truncatingIfNeeded: start),
                end: Int32(truncatingIfNeeded: position), count: 0, next: Int32(truncatingIfNeeded: count &+ 1)))
        count &+= 1
    }

    /// At the end of the bytes every complaint is that they end. The first one counts.
    private mutating func fail(_ code: DocumentError.Code) {
        guard failure == nil else { return }
        failure = DocumentError(code: position < end || code == .tooDeep ? code : .unexpectedEnd, offset: position)
    }
}
