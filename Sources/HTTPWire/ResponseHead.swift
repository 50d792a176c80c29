/// A response head as offsets into its bytes; nothing of it is copied.
package struct ResponseHead: Sendable, Equatable {
    package internal(set) var status = 0
    package internal(set) var minorVersion = 1
    /// `reasonStart..<reasonEnd`: the reason phrase, perhaps empty.
    package internal(set) var reasonStart = 0
    package internal(set) var reasonEnd = 0
    /// Bytes of the head with its empty line.
    package internal(set) var length = 0
    /// How the body that follows ends, for the method that was asked.
    package internal(set) var framing = BodyFraming.none
    /// The upstream connection may carry another request once the body has ended.
    package internal(set) var keepsAlive = true

    /// 1xx: another head follows (RFC 9110 §15.2). Not so for 101, behind which HTTP ends.
    package var isInterim: Bool { status < 200 && status != 101 }
}

/// Parses response heads as strictly as request heads. A failure means 502 and that the connection is discarded.
package struct ResponseHeadParser: Sendable {
    package private(set) var scanner = HeadScanner()
    package private(set) var head = ResponseHead()
    private var hasStatusLine = false
    private let limits: HeadLimits

    package init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    package mutating func reset() {
        scanner.reset()
        head = ResponseHead()
        hasStatusLine = false
    }

    package var fields: [FieldLine] { scanner.fields }
    package var facts: HeadFacts { scanner.facts }

    /// Goes on with a head. `bytes` start at the head's first byte; `method` is that of the request it answers.
    /// - Returns: whether the head is complete; `head.length` says where it ends.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer, answering method: Method) throws(ParseFailure) -> Bool
    {
        if !hasStatusLine {
            guard case .line(_, let end) = try scanner.nextLine(bytes) else {
                if bytes.count > limits.field &+ 1 { throw .headTooLarge }  // one more: its CR
                return false
            }
            if end > limits.field { throw .headTooLarge }
            try parseStatusLine(bytes.part(0, end))
            hasStatusLine = true
        }
        guard let length = try scanner.scanFields(bytes, limits: limits) else { return false }
        head.length = length
        try judgeFraming(answering: method)
        return true
    }

    private mutating func parseStatusLine(_ line: UnsafeRawBufferPointer) throws(ParseFailure) {
        guard line.count >= 12, line.part(4, 7).equals(lowercased: "/1."), line[0] == 0x48, line[1] == 0x54,
            line[2] == 0x54, line[3] == 0x50, line[7] &- 0x30 < 10,
            line[8] == 0x20
        else { throw .badStatusLine }
        var status = 0
        for i in 9..<12 {
            guard line[i] &- 0x30 < 10 else { throw .badStatusLine }
            status = status * 10 + Int(line[i] &- 0x30)
        }
        guard status >= 100, status < 600, line.count == 12 || line[12] == 0x20 else { throw .badStatusLine }
        let reason = line.part(13, line.count)
        guard ByteClass.all(reason, are: ByteClass.fieldValue) else { throw .badStatusLine }
        head.status = status
        head.minorVersion = line[7] == 0x30 ? 0 : 1
        head.reasonStart = Swift.min(13, line.count)
        head.reasonEnd = line.count
    }

    /// RFC 9112 §6.3, in its order of precedence.
    private mutating func judgeFraming(answering method: Method) throws(ParseFailure) {
        head.keepsAlive = head.minorVersion >= 1 ? !facts.saysClose : facts.saysKeepAlive && !facts.saysClose
        // Also where no body follows: both would be passed on, for each reader to believe one of them.
        if facts.transferCoding != .none, facts.contentLength >= 0 { throw .conflictingFraming }
        if head.status < 200 || head.status == 204 || head.status == 304 || method == .head {
            head.framing = .none
            return
        }
        switch facts.transferCoding {
        case .invalid, .unknown: throw .badTransferCoding
        case .chunked:
            if head.minorVersion == 0 { throw .conflictingFraming }
            head.framing = .chunked
        case .none:
            if facts.contentLength > 0 {
                head.framing = .length(facts.contentLength)
            } else if facts.contentLength == 0 {
                head.framing = .none
            } else {
                head.framing = .untilClose
                head.keepsAlive = false
            }
        }
    }
}
