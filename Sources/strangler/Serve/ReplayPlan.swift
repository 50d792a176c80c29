import AdminAPI
import Comparison

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

    /// - Parameter supplied: in place of recorded fields of the same name.
    init(_ recorded: RecordedRequest, supplied: [HeaderField]) {
        guard Self.safeMethods.contains(recorded.method) else {
            self = .skip("\(recorded.method) changes something, and is not asked again")
            return
        }
        guard recorded.target.hasPrefix("/") else {
            self = .skip("the target is not a path")
            return
        }
        guard !Self.isRedacted(recorded.target), !recorded.target.hasSuffix(Self.cutMark) else {
            self = .skip("a part of the target was redacted or cut when it was recorded")
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
                method: recorded.method, target: recorded.target, headers: headers + supplied,
                body: recorded.body.map { Array($0.utf8) }, leftOut: leftOut))
    }

    private static func isRedacted(_ text: String) -> Bool {
        text.contains("redacted:") || text.contains("redacted%3A")
    }
}
