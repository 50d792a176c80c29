import Extraction
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// What a handler may read of a request.
struct AdminRequest {
    /// Bytes.
    static let bodyLimit = 64 * 1024
    private static let reasonLimit = 2000

    let request: Request
    let parameters: Parameters

    /// A part of the path that the route names.
    func parameter(_ name: String) throws(Problem) -> String {
        guard let raw = parameters.get(name), let text = Self.percentDecoded(raw) else {
            throw Problem(.badRequest, "the path is not valid percent-encoded UTF-8")
        }
        return text
    }

    /// Nil if the query lacks it, or has it empty.
    func query(_ name: String) -> String? {
        request.uri.queryParameters[name[...]].map { String($0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The `limit` of the query, 1 … 1000.
    func limit(default standard: Int) throws(Problem) -> Int {
        guard let text = query("limit") else { return standard }
        guard let limit = Int(text), (1...1000).contains(limit) else {
            throw Problem(.badRequest, "`limit` is a number from 1 to 1000")
        }
        return limit
    }

    /// Who asks for a change, as history will name it: the `Strangler-Actor` header without what could not be
    /// printed, at most 100 characters; `api` without one. Not proof of identity: the address has no tokens yet.
    var actor: String {
        let text = HTTPField.Name("Strangler-Actor").flatMap { request.headers[$0] } ?? ""
        let printable = text.unicodeScalars.filter { (0x20..<0x7F).contains($0.value) }.prefix(100)
        let actor = String(String.UnicodeScalarView(printable))
        return actor.allSatisfy { $0 == " " } ? "api" : actor
    }

    /// The JSON body, an empty one counting as `{}`.
    /// - Throws: `Problem` for what is not such a value, what collecting the body throws when it is too large.
    func body<Body: Decodable>(_ type: Body.Type) async throws -> Body {
        let buffer = try await request.body.collect(upTo: Self.bodyLimit)
        let data = buffer.readableBytes == 0 ? Data("{}".utf8) : Data(buffer.readableBytesView)
        do {
            return try AdminJSON.decode(type, from: data)
        } catch let error as DecodingError {
            throw Problem(.badRequest, Self.sentence(error), code: AdminError.Code.invalid.rawValue)
        }
    }

    /// A reason as history keeps it: nil when blank.
    static func reason(_ text: String?) throws(Problem) -> String? {
        guard let text, !text.allSatisfy(\.isWhitespace) else { return nil }
        guard text.utf8.count <= reasonLimit else {
            throw Problem(.badRequest, "a reason may have at most \(reasonLimit) bytes")
        }
        return text
    }

    private static func sentence(_ error: DecodingError) -> String {
        let (context, what): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context): (context, "`\(key.stringValue)` is missing")
            case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
                (context, "expected \(type)")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (.init(codingPath: [], debugDescription: ""), "not what was expected")
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty
            ? "the body is not as expected: \(what)" : "the body is not as expected at `\(path)`: \(what)"
    }

    /// Nil for what is no percent-encoded UTF-8 (RFC 3986 §2.1).
    static func percentDecoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                Character(Unicode.Scalar(high)).isHexDigit, Character(Unicode.Scalar(low)).isHexDigit,
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The body of a stage command: `{"to": …, "of": …, "reason": …, "force": …, "now": …}`, all of it optional but the weight
/// of `cutover`. Force without a reason is refused.
struct CommandBody: Decodable {
    /// A stage, or a weight: which one, the command knows.
    enum Target {
        case text(String)
        case weight(Weight)
    }

    var to: Target?
    /// Which requests the weight is for.
    var of: RequestKind?
    var reason: String?
    var force: Bool
    /// Lanes change sides before their writes are delivered.
    var now: Bool

    private enum CodingKeys: String, CodingKey, CaseIterable { case to, of, reason, force, now }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        of = try fields.decodeIfPresent(String.self, forKey: .of).map { text in
            guard let kind = RequestKind(rawValue: text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .of, in: fields, debugDescription: "`of` is reads, writes or all")
            }
            return kind
        }
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
        force = try fields.decodeIfPresent(Bool.self, forKey: .force) ?? false
        now = try fields.decodeIfPresent(Bool.self, forKey: .now) ?? false
        if try !fields.contains(.to) || fields.decodeNil(forKey: .to) {
            to = nil
        } else if let text = try? fields.decode(String.self, forKey: .to) {
            to = .text(text)
        } else {
            to = .weight(try fields.decode(Weight.self, forKey: .to))
        }
    }
}

/// The body of `waive` and `unwaive`: `{"subject": "GET /orders/{id}", "reason": …}`.
struct WaiverBody: Decodable {
    var subject: String
    var reason: String?

    private enum CodingKeys: String, CodingKey, CaseIterable { case subject, reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        subject = try fields.decode(String.self, forKey: .subject)
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
    }
}

/// The body of a reviewer's decision: `{"state": "accepted", "reason": …}`.
struct GroupStateBody: Decodable {
    var state: String
    var reason: String?

    private enum CodingKeys: String, CodingKey, CaseIterable { case state, reason }

    init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        state = try fields.decode(String.self, forKey: .state)
        reason = try fields.decodeIfPresent(String.self, forKey: .reason)
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
}

extension Decoder {
    /// A misspelt `force` must not be taken for its absence.
    func refuseUnknownKeys<Keys: CodingKey & CaseIterable>(_ known: Keys.Type) throws {
        let names = known.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys where !names.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath,
                    debugDescription: "`\(key.stringValue)` is unknown, known are \(names.joined(separator: ", "))"))
        }
    }
}
