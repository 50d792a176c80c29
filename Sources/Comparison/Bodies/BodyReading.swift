internal import ContentCoding
internal import Extraction

/// What is to be compared of two bodies, before it is known how: content codings are undone, and bodies that were too large
/// to be kept are judged by their hashes.
enum BodyReading {
    /// Nothing: they are the same.
    case same
    /// Both, as they were before they were encoded.
    case readable(primary: Answer, shadow: Answer)
    /// Both as they are, byte by byte: neither can be decoded.
    case bytes
    case different(DifferenceKind, primary: String, shadow: String)
    case notCompared(NotComparedReason)

    /// - Parameter summary: stands for a body in what is printed.
    init(
        _ primary: Answer, _ shadow: Answer, rules: LiveRules, limits: ComparisonLimits,
        summary: ([UInt8]) -> String
    ) {
        let codings = (primary.contentCodings, shadow.contentCodings)
        if primary.bodyDigest != nil || shadow.bodyDigest != nil {
            self = .hashed(primary, shadow, codings, rules)
        } else if codings.0.isEmpty, codings.1.isEmpty {
            self = .readable(primary: primary, shadow: shadow)
        } else if codings.0 == codings.1, Bytes.equal(primary.body, shadow.body) {
            self = .same
        } else {
            self = .decoded(primary, shadow, limits.decodedBytes, summary)
        }
    }

    private static func decoded(
        _ primary: Answer, _ shadow: Answer, _ limit: Int, _ summary: ([UInt8]) -> String
    ) -> BodyReading {
        let sides = (decoded(primary, limit), decoded(shadow, limit))
        let failures = (sides.0.failure, sides.1.failure)
        // What we cannot do comes before what they do wrong.
        for failure in [failures.0, failures.1] {
            switch failure?.problem {
            case .unknown, .tooMany: return .notCompared(.contentEncoding)
            case .tooLarge, .corrupt, .cut, nil: break
            }
        }
        if failures.0?.problem == .tooLarge || failures.1?.problem == .tooLarge {
            return .notCompared(.decodedTooLarge)
        }
        switch sides {
        case (.success(let primary), .success(let shadow)): return .readable(primary: primary, shadow: shadow)
        case (.failure, .failure): return .bytes
        default:
            let problems = (failures.0.map { "\($0), " } ?? "", failures.1.map { "\($0), " } ?? "")
            return .different(
                .format, primary: problems.0 + summary(primary.body), shadow: problems.1 + summary(shadow.body))
        }
    }

    private static func decoded(_ answer: Answer, _ limit: Int) -> Result<Answer, ContentCodingError> {
        do throws(ContentCodingError) {
            return .success(try answer.decoded(limit: limit))
        } catch {
            return .failure(error)
        }
    }

    /// Equal hashes: equal bodies. Other hashes prove a difference only where every other byte is one, so not in formats that
    /// can say one thing in many ways, nor where a rule may hide what differs, nor of compressed bodies: two compressors
    /// make different bytes of the same text.
    private static func hashed(
        _ primary: Answer, _ shadow: Answer, _ codings: ([String], [String]), _ rules: LiveRules
    ) -> BodyReading {
        let digests = (primary.digest, shadow.digest)
        if codings.0 == codings.1, digests.0 == digests.1 { return .same }
        let isMissing = digests.1.length == 0
        let isExtra = digests.0.length == 0
        if !isMissing, !isExtra {
            if !codings.0.isEmpty || !codings.1.isEmpty { return .notCompared(.contentEncoding) }
            let hasManySpellings = [primary, shadow].contains { $0.mediaType.map(BodyFormat.init)?.isReadable ?? false }
            if hasManySpellings || rules.mayHideInBody { return .notCompared(.bodyTooLarge) }
        }
        let print = { (digest: BodyDigest) in
            digest.length == 0 ? Printing.absent : "\(digest.length) bytes, compared by hash, over the cap"
        }
        let kind: DifferenceKind = isMissing ? .missing : isExtra ? .extra : .value
        return .different(kind, primary: print(digests.0), shadow: print(digests.1))
    }
}

extension Answer {
    fileprivate var digest: BodyDigest { bodyDigest ?? BodyDigest(of: body) }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
