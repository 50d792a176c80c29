/// Bodies: decoded, read as what their media types say, and walked side by side. What cannot be read is compared
/// by its bytes.
extension PairComparison {
    mutating func compareBodies() {
        guard primary.hasContent || shadow.hasContent else { return }
        switch BodyReading(primary, shadow, rules: rules, limits: limits, summary: summary) {
        case .readable(let left, let right): compareBodies(left.body, right.body)
        case .same: break
        case .bytes: compareBytes(primary.body, shadow.body)
        case .different(let kind, let left, let right): report(kind, at: .body, (left, right))
        case .notCompared(let reason): result.notCompared = reason
        }
    }

    /// - Parameters: both bodies as they were before they were encoded.
    private mutating func compareBodies(_ left: [UInt8], _ right: [UInt8]) {
        guard !Bytes.equal(left, right) else { return }
        if right.isEmpty { return report(.missing, at: .body, (summary(left), Printing.absent)) }
        if left.isEmpty { return report(.extra, at: .body, (Printing.absent, summary(right))) }
        let types = (primary.mediaType, shadow.mediaType)
        compare(
            BodyPair(
                primary: Body(left, types.0), shadow: Body(right, types.1)))
    }

    private mutating func compare(_ pair: BodyPair) {
        let (one, other) = (pair.primary, pair.shadow)
        let reader = BodyReader(depth: limits.depth, redactor: redaction.redactor)
        // A media type that says little, or says two things, hides nothing: its own difference is the header's.
        for format in pair.commonLooks {
            let documents = (reader.read(one, as: format), reader.read(other, as: format))
            if case (.success(let left), .success(let right)) = documents { return walk(pair, left, right, format) }
        }
        guard one.format == other.format else {
            let print = { (body: Body, summary: String) in (body.type?.type ?? "no media type") + ", " + summary }
            return report(.format, at: .body, (print(one, summary(one.bytes)), print(other, summary(other.bytes))))
        }
        guard one.format.isReadable else { return compareBytes(one.bytes, other.bytes) }
        compareDocuments(pair, reader.read(one, as: one.format), reader.read(other, as: other.format))
    }

    private mutating func compareDocuments(
        _ pair: BodyPair, _ left: Result<Document, DocumentError>, _ right: Result<Document, DocumentError>
    ) {
        switch (left, right) {
        case (.success(let left), .success(let right)): walk(pair, left, right, pair.primary.format)
        case (.failure(let error), _) where error.code == .tooDeep,
            (_, .failure(let error)) where error.code == .tooDeep:
            result.notCompared = .bodyTooDeep
        case (.failure(let error), _) where error.code == .tooLarge,
            (_, .failure(let error)) where error.code == .tooLarge:
            result.notCompared = .bodyTooLarge
        case (.failure, .failure): compareBytes(pair.primary.bytes, pair.shadow.bytes)
        default:
            report(.format, at: .body, (syntax(left, pair.primary), syntax(right, pair.shadow)))
        }
    }

    private mutating func walk(_ pair: BodyPair, _ left: Document, _ right: Document, _ format: BodyFormat) {
        // RFC 8259 §8.1 forbids a mark and lets readers refuse it, so a client may notice. Elsewhere it says nothing.
        if format.isJSON, pair.primary.hasMark != pair.shadow.hasMark {
            let print = { (body: Body) in body.hasMark ? "with byte order mark" : "without byte order mark" }
            report(.format, at: .body, (print(pair.primary), print(pair.shadow)))
        }
        let before = result.differences.count
        let findings = DocumentComparison.run(
            primary: left, shadow: right, rules: rules, redaction: redaction.widened(for: format, left, right),
            limits: limits,
            findings: DocumentComparison.Findings(differences: result.differences, hiddenByRule: result.hiddenByRule))
        result.differences = findings.differences
        result.truncated = result.truncated || findings.truncated
        result.hiddenByRule = findings.hiddenByRule
        if findings.isAlignmentAbandoned { result.notCompared = .alignmentTooLarge }
        guard redaction.concernsBody, !format.hasNamedFields else { return }
        // What a rule hides may stand anywhere in a running text.
        for index in before..<max(before, result.differences.count) {
            result.differences[index].primary = token(result.differences[index].primary)
            result.differences[index].shadow = token(result.differences[index].shadow)
        }
    }

    private func token(_ text: String) -> String {
        text == Printing.absent ? text : redaction.redactor.token(text.utf8)
    }

    /// One kind whatever the sizes: one cause would otherwise be two groups, as chance has it.
    private mutating func compareBytes(_ left: [UInt8], _ right: [UInt8]) {
        report(.value, at: .body, (summary(left), summary(right)))
    }

    private func syntax(_ document: Result<Document, DocumentError>, _ body: Body) -> String {
        switch document {
        case .success: body.format.name + ", " + summary(body.bytes)
        case .failure(let error): "invalid \(body.format.name) (\(error)), " + summary(body.bytes)
        }
    }

    /// Size and keyed hash: says whether two bodies are the same without saying what is in them.
    private func summary(_ body: [UInt8]) -> String { redaction.redactor.summary(body) }
}

private struct BodyPair {
    let primary: Body
    let shadow: Body

    /// As what both can be tried to be read, whatever their media types say: nothing where both say the same and say enough.
    var commonLooks: [BodyFormat] {
        if primary.format == shadow.format, primary.format.isStructured { return [] }
        let isMarkup = [primary.format, shadow.format].contains { $0 == .xml || $0 == .html }
        switch (primary.look, shadow.look) {
        case (.json, .json): return [.json]
        case (.xml, .xml) where isMarkup: return [.xml]
        // Tags alone could be either.
        case (.xml, .html) where isMarkup, (.html, .xml) where isMarkup: return [.xml, .html]
        case (.html, .html) where isMarkup && primary.format != shadow.format: return [.xml, .html]
        default: return []
        }
    }
}

/// One side's decoded body and what it is to be read as.
struct Body {
    let bytes: [UInt8]
    let type: MediaType?
    let format: BodyFormat

    init(_ bytes: [UInt8], _ type: MediaType?) {
        self.bytes = bytes
        self.type = type
        format = type.map(BodyFormat.init) ?? .opaque("no media type")
    }

    /// What its first characters say, whatever its media type does.
    var look: BodyFormat? { BodyFormat(sniffing: bytes) }

    /// It begins with U+FEFF in UTF-8.
    var hasMark: Bool { bytes.starts(with: Body.mark) }
    /// Without the byte order mark.
    var unmarked: [UInt8] { hasMark ? Array(bytes.dropFirst(Body.mark.count)) : bytes }

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

extension Answer {
    /// A 204 or a 304 has no content, whatever came (RFC 9110 §6.4.1), and an answer to HEAD names codings of none.
    fileprivate var hasContent: Bool { status != 204 && status != 304 && (!body.isEmpty || bodyDigest != nil) }
}

extension Redactor {
    /// Size and keyed hash of bytes that are not shown.
    func summary(_ bytes: some Collection<UInt8>) -> String { "\(bytes.count) bytes, hmac \(digest(bytes))" }
}
