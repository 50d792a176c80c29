/// Makes the shadow's request out of the one that the primary got: the same line and fields, marked as a shadow, with a
/// body whose length is known by now.
package struct ShadowForwarding {
    package var bodyBytes: Int
    package var requestID: [UInt8]
    /// Writes carry an `Idempotency-Key`, so that a repeated delivery can be told from a second wish. The client's own
    /// key wins (draft-ietf-httpapi-idempotency-key-header).
    package var isWrite: Bool
    /// Values that the shadow adopts from the primary's answer.
    package var adopted: [(name: String, value: String)]
    /// Path and query in place of the request's; nil: as they are.
    package var target: [UInt8]?
    /// New values of fields that no proxy knows by name, by their place in the head.
    package var values: [Int: String] = [:]
    /// The body was encoded, and is not any more.
    package var isDecoded = false

    package init(bodyBytes: Int, requestID: [UInt8], isWrite: Bool, adopted: [(name: String, value: String)] = []) {
        self.bodyBytes = bodyBytes
        self.requestID = requestID
        self.isWrite = isWrite
        self.adopted = adopted
    }

    /// - Parameter forwarded: a head written by `RequestForwarding`.
    /// - Returns: nil when `forwarded` is not one.
    package func head(from forwarded: [UInt8]) -> [UInt8]? {
        forwarded.withUnsafeBytes { bytes in
            var parser = RequestHeadParser(
                limits: HeadLimits(head: bytes.count + 1, field: bytes.count + 1, fields: 1_000))
            guard (try? parser.parse(bytes)) == true, let lineEnd = parser.fields.first.map({ Int($0.nameStart) })
            else {
                return nil
            }
            var head: [UInt8] = []
            head.reserveCapacity(bytes.count + 160)
            if let target {
                guard target.first == UInt8(ascii: "/"), target.allSatisfy({ 0x21...0x7E ~= $0 || $0 >= 0x80 }) else {
                    return nil
                }
                head.append(contentsOf: bytes.part(0, parser.head.pathStart))
                head.append(contentsOf: target)
                head.append(contentsOf: bytes.part(parser.head.targetEnd, lineEnd))
            } else {
                head.append(contentsOf: bytes.part(0, lineEnd))
            }
            for (index, line) in parser.fields.enumerated() {
                if line.field == .other, let value = values[index] {
                    let name = String(decoding: line.name(in: bytes), as: UTF8.self)
                    guard isSendable(name, value) else { return nil }
                    append(name, value, to: &head)
                    continue
                }
                switch line.field {
                case .other where isDecoded && isContentEncoding(line.name(in: bytes)): continue
                // The body is whole, so nothing is expected, and its length stands for its coding.
                case .contentLength, .transferEncoding, .expect, .strangler: continue
                case .idempotencyKey where isWrite && line.value(in: bytes).isEmpty: continue
                default: head.append(contentsOf: bytes.part(Int(line.nameStart), Int(line.lineEnd)))
                }
            }
            append("Strangler-Shadow", "1", to: &head)
            append("Strangler-Request-Id", String(decoding: requestID, as: UTF8.self), to: &head)
            if isWrite, !parser.facts.hasIdempotencyKey {
                append("Idempotency-Key", String(decoding: requestID, as: UTF8.self), to: &head)
            }
            for field in adopted where isSendable(field.name, field.value) {
                append(field.name, field.value, to: &head)
            }
            if bodyBytes > 0 || isWrite { append("Content-Length", String(bodyBytes), to: &head) }
            head.append(contentsOf: [0x0D, 0x0A])
            return head
        }
    }

    private func append(_ name: String, _ value: String, to head: inout [UInt8]) {
        head.append(contentsOf: "\(name): \(value)\r\n".utf8)
    }

    private func isContentEncoding(_ name: UnsafeRawBufferPointer) -> Bool {
        String(decoding: name, as: UTF8.self).lowercased() == "content-encoding"
    }

    /// An adopted value came out of an answer's body: it may not end a line.
    private func isSendable(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { byte in ByteClass.table[Int(byte)] & ByteClass.token != 0 }
            && value.utf8.allSatisfy { byte in ByteClass.table[Int(byte)] & ByteClass.fieldValue != 0 }
    }
}

/// A head taken apart into strings, for everything that is not the hot path.
package struct ReadableHead: Sendable, Equatable {
    /// Method and target of a request, or empty.
    package var method = ""
    package var target = ""
    package var path = ""
    /// Status of an answer, or 0.
    package var status = 0
    package var fields: [(name: String, value: String)] = []

    package static func == (left: ReadableHead, right: ReadableHead) -> Bool {
        left.method == right.method && left.target == right.target && left.status == right.status
            && left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    private static let limits = HeadLimits(head: 1 << 20, field: 1 << 20, fields: 10_000)

    /// The path alone, of a head that was written here; empty where that is none.
    package static func path(ofRequest head: [UInt8]) -> String {
        guard let start = head.firstIndex(of: UInt8(ascii: " ")) else { return "" }
        let path = head[(start + 1)...].prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "?") }
        return String(decoding: path, as: UTF8.self)
    }

    package init?(request bytes: [UInt8]) {
        var parser = RequestHeadParser(limits: ReadableHead.limits)
        let isWhole = bytes.withUnsafeBytes { raw in
            guard (try? parser.parse(raw)) == true else { return false }
            method = String(decoding: parser.head.methodToken(in: raw), as: UTF8.self)
            path = String(decoding: parser.head.path(in: raw), as: UTF8.self)
            target = path + String(decoding: parser.head.query(in: raw), as: UTF8.self)
            fields = ReadableHead.fields(parser.fields, raw)
            return true
        }
        if !isWhole { return nil }
    }

    package init?(answer bytes: [UInt8]) {
        var parser = ResponseHeadParser(limits: ReadableHead.limits)
        let isWhole = bytes.withUnsafeBytes { raw in
            guard (try? parser.parse(raw, answering: .head)) == true else { return false }
            status = parser.head.status
            fields = ReadableHead.fields(parser.fields, raw)
            return true
        }
        if !isWhole { return nil }
    }

    private static func fields(_ lines: [FieldLine], _ head: UnsafeRawBufferPointer) -> [(name: String, value: String)]
    {
        lines.map {
            (
                String(decoding: $0.name(in: head), as: UTF8.self), String(decoding: $0.value(in: head), as: UTF8.self)
            )
        }
    }
}
