package import FoundationEssentials

/// A request as it may be stored: redacted and capped. See ``Redactor/recorded(method:target:headers:body:rules:)``.
package struct RecordedRequest: Sendable, Codable, Equatable {
    package var method: String
    package var target: String
    package var headers: [HeaderField]
    /// nil when there was none, or it is binary.
    package var body: String?

    package init(method: String, target: String, headers: [HeaderField], body: String?) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// An answer as it may be stored: redacted and capped.
package struct RecordedAnswer: Sendable, Codable, Equatable {
    package var status: Int
    package var headers: [HeaderField]
    /// nil when there was none, or it is binary.
    package var body: String?
    /// Size of the body as captured, before decoding, redaction and capping.
    package var bodyBytes: Int

    package init(status: Int, headers: [HeaderField], body: String?, bodyBytes: Int) {
        self.status = status
        self.headers = headers
        self.body = body
        self.bodyBytes = bodyBytes
    }
}

/// One mismatch in full: an example for the reviewers of its group.
package struct MismatchRecord: Sendable, Equatable {
    package var signature: MismatchSignature
    package var at: Date
    package var differences: [Difference]
    package var request: RecordedRequest
    package var primary: RecordedAnswer
    package var shadow: RecordedAnswer

    package init(
        signature: MismatchSignature, at: Date, differences: [Difference], request: RecordedRequest,
        primary: RecordedAnswer, shadow: RecordedAnswer
    ) {
        self.signature = signature
        self.at = at
        self.differences = differences
        self.request = request
        self.primary = primary
        self.shadow = shadow
    }
}
