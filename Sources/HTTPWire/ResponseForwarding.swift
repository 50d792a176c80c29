/// Writes a parsed response head as it goes to the client: the origin's bytes where they may pass, the framing and
/// persistence of the client's own connection. No `Via`: a gateway owes that to requests only (RFC 9110 §7.6.3), and so
/// the client sees what the origin sent.
package struct ResponseForwarding: ~Copyable {
    /// Framing towards the client, see `clientFraming`.
    package var framing: BodyFraming
    package var clientMinorVersion: Int
    package var closes: Bool
    /// `Strangler-Served-By`'s value; empty for none.
    package var servedBy: [UInt8]
    /// IMF-fixdate for answers without a Date (RFC 9110 §6.6.1).
    package var date: [UInt8]

    package init(
        framing: BodyFraming, clientMinorVersion: Int, closes: Bool, servedBy: [UInt8] = [], date: [UInt8]
    ) {
        self.framing = framing
        self.clientMinorVersion = clientMinorVersion
        self.closes = closes
        self.servedBy = servedBy
        self.date = date
    }

    /// How a body goes on to the client. HTTP/1.1 clients get what has no length as chunks, so that their connection
    /// lives on and a cut-off body is seen; HTTP/1.0 knows only the connection's end.
    package static func clientFraming(of framing: BodyFraming, clientMinorVersion: Int) -> BodyFraming {
        switch framing {
        case .none, .length: framing
        case .chunked, .untilClose: clientMinorVersion >= 1 ? .chunked : .untilClose
        }
    }

    package func capacity(for head: ResponseHead) -> Int {
        head.length + servedBy.count + date.count + 160
    }

    package func write(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink)
    {
        let head = parser.head
        sink.write("HTTP/1.1 ")
        sink.write(decimal: head.status)
        sink.write(byte: 0x20)
        sink.write(bytes.part(head.reasonStart, head.reasonEnd))
        sink.write("\r\n")
        writeFields(parser, bytes, to: &sink)
        if head.isInterim {
            sink.write("\r\n")
            return
        }
        if head.status == 101 {
            writeUpgrade(parser, bytes, to: &sink)
            return
        }
        if saysChunked(parser) { sink.write("Transfer-Encoding: chunked\r\n") }
        if !parser.facts.hasDate {
            sink.write("Date: ")
            sink.write(date)
            sink.write("\r\n")
        }
        if !servedBy.isEmpty {
            sink.write("Strangler-Served-By: ")
            sink.write(servedBy)
            sink.write("\r\n")
        }
        if closes {
            sink.write("Connection: close\r\n\r\n")
        } else if clientMinorVersion == 0 {
            sink.write("Connection: keep-alive\r\n\r\n")
        } else {
            sink.write("\r\n")
        }
    }

    /// The one answer whose connection options are the origin's (RFC 9110 §15.2.2).
    private func writeUpgrade(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink
    ) {
        for line in parser.fields where line.field == .upgrade {
            sink.write(bytes.part(Int(line.nameStart), Int(line.lineEnd)))
        }
        if !servedBy.isEmpty {
            sink.write("Strangler-Served-By: ")
            sink.write(servedBy)
            sink.write("\r\n")
        }
        sink.write("Connection: upgrade\r\n\r\n")
    }

    /// Answers to HEAD and 304 have no body; the field then says what GET would give, as the origin said it (RFC 9112
    /// §6.1).
    private func saysChunked(_ parser: borrowing ResponseHeadParser) -> Bool {
        if case .chunked = framing { return true }
        return framing == .none && parser.facts.transferCoding == .chunked && clientMinorVersion >= 1
            && parser.head.status >= 200 && parser.head.status != 204
    }

    private func writeFields(
        _ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer, to sink: inout ByteSink
    ) {
        // A length beside no body at all is forbidden for 1xx and 204 (RFC 9110 §8.6); for HEAD and 304 it says what
        // GET would give.
        let dropsLength = parser.head.status < 200 || parser.head.status == 204
        var runStart = -1
        var runEnd = -1
        for line in parser.fields {
            let keeps: Bool
            switch line.field {
            case .other: keeps = !parser.facts.nominatesFields || !parser.scanner.isNominated(line, bytes)
            case .contentLength: keeps = !dropsLength
            case .trailer: keeps = framing == .chunked
            // Only this proxy says which side answered.
            case .strangler: keeps = false
            default: keeps = !line.field.isHopByHop
            }
            if keeps {
                if runStart < 0 { runStart = Int(line.nameStart) }
                runEnd = Int(line.lineEnd)
            } else if runStart >= 0 {
                sink.write(bytes.part(runStart, runEnd))
                runStart = -1
            }
        }
        if runStart >= 0 { sink.write(bytes.part(runStart, runEnd)) }
    }
}
