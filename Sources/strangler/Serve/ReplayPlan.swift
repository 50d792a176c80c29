import AdminAPI
import Comparison
import Foundation

/// What can be asked again of a recorded request. Records are redacted and cut, so not everything can.
enum ReplayPlan: Equatable {
    struct Request: Equatable {
        var method: String
        var target: String
        var headers: [HeaderField]
        var body: [UInt8]?
        /// Names of recorded fields that are not sent.
        var leftOut: [String]
    }

    case ask(Request)
    case skip(String)

    /// What changes nothing (RFC 9110 §9.2.1), as far as it can be shadowed.
    private static let safeMethods: Set = ["GET", "HEAD", "OPTIONS"]
    /// The recorder's limit; a value that is as long has been cut if it ends in `…`.
    private static let cutMark = "…"

    /// - Parameters:
    ///   - supplied: in place of recorded fields of the same name.
    ///   - query: in place of redacted values in the target's query.
    init(_ recorded: RecordedRequest, supplied: [HeaderField], query: [HeaderField] = []) {
        guard Self.safeMethods.contains(recorded.method) else {
            self = .skip("\(recorded.method) changes something, and is not asked again")
            return
        }
        guard recorded.target.hasPrefix("/") else {
            self = .skip("the target is not a path")
            return
        }
        guard !recorded.target.hasSuffix(Self.cutMark) else {
            self = .skip("a part of the target was cut when it was recorded")
            return
        }
        let target = RedactedQuery.filled(recorded.target, query, isRedacted: Self.isRedacted)
        guard !Self.isRedacted(target) else {
            let names = RedactedQuery.names(target, isRedacted: Self.isRedacted)
            self = .skip(
                "a part of the target was redacted when it was recorded"
                    + (names.isEmpty
                        ? "" : ": " + names.map { "--query \($0)=…" }.joined(separator: " ") + " supplies it"))
            return
        }
        if let body = recorded.body, Self.isRedacted(body) || body.hasSuffix(Self.cutMark) {
            self = .skip("a part of the body was redacted or cut when it was recorded")
            return
        }
        let names = Set(supplied.map { $0.name.lowercased() })
        var leftOut: [String] = []
        var headers: [HeaderField] = []
        for field in recorded.headers where !names.contains(field.name.lowercased()) {
            let name = field.name.lowercased()
            // The client's own length and coding are written anew; that is nothing to tell.
            guard !ReplayRequest.unsendable.contains(name), !name.hasPrefix("strangler-") else { continue }
            if Self.isRedacted(field.value) || field.value.hasSuffix(Self.cutMark) {
                leftOut.append(name)
            } else {
                headers.append(field)
            }
        }
        self = .ask(
            Request(
                method: recorded.method, target: target, headers: headers + supplied,
                body: recorded.body.map { Array($0.utf8) }, leftOut: leftOut))
    }

    private static func isRedacted(_ text: String) -> Bool {
        text.contains("redacted:") || text.contains("redacted%3A")
    }
}

/// The query of a recorded target, whose credentials were redacted.
private enum RedactedQuery {
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// Redacted values replaced by those that are supplied under their names, percent-encoded (RFC 3986 §2.1).
    static func filled(_ target: String, _ supplied: [HeaderField], isRedacted: (String) -> Bool) -> String {
        guard !supplied.isEmpty, let start = target.firstIndex(of: "?") else { return target }
        let fields = fields(target).map { field in
            let name = name(of: field)
            guard isRedacted(field), let value = supplied.first(where: { $0.name == name })?.value,
                let encoded = value.addingPercentEncoding(withAllowedCharacters: unreserved)
            else { return field }
            return field.prefix { $0 != "=" } + "=" + encoded
        }
        return target[...start] + fields.joined(separator: "&")
    }

    static func names(_ target: String, isRedacted: (String) -> Bool) -> [String] {
        fields(target).filter(isRedacted).map(name)
    }

    private static func fields(_ target: String) -> [String] {
        guard let start = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: start)...].split(separator: "&", omittingEmptySubsequences: false)
            .map(String.init)
    }

    private static func name(of field: String) -> String {
        let name = String(field.prefix { $0 != "=" })
        return name.replacing("+", with: " ").removingPercentEncoding ?? name
    }
}
