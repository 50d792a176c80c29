package import Comparison

/// Which recorded request is to be asked again.
package struct ReplayRequest: Sendable, Codable, Equatable {
    /// Its place among the group's examples as the API lists them, 0….
    package var example: Int
    /// Sent to both sides; take the place of recorded fields of the same name, since credentials are not recorded.
    package var headers: [HeaderField]

    /// Take the place of redacted values in the target's query, by name; not percent-encoded.
    package var query: [HeaderField]

    package init(example: Int, headers: [HeaderField] = [], query: [HeaderField] = []) {
        self.example = example
        self.headers = headers
        self.query = query
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case example, headers, query }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        example = try fields.decodeIfPresent(Int.self, forKey: .example) ?? 0
        headers = try fields.decodeIfPresent([HeaderField].self, forKey: .headers) ?? []
        query = try fields.decodeIfPresent([HeaderField].self, forKey: .query) ?? []
    }

    /// A token for a name (RFC 9110 §5.6.2), no control characters in the value, and nothing that frames the message.
    static func isSendable(_ field: HeaderField) -> Bool {
        let name = field.name.lowercased()
        let isToken = { (byte: UInt8) in
            switch byte {
            case 0x30...0x39, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        return !name.isEmpty && name.utf8.allSatisfy(isToken) && !unsendable.contains(name)
            && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// Fields of one connection or one message, which are not asked again: RFC 9110 §7.6.1, §8.6, §10.1.1.
    package static let unsendable: Set = [
        "connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate", "te", "trailer",
        "transfer-encoding", "upgrade", "content-length", "expect",
    ]
}

/// What asking one recorded request again came to.
package struct ReplayReport: Sendable, Codable, Equatable {
    package enum Result: String, Sendable, Codable, CaseIterable {
        /// Both sides answer alike now, as far as rules and noise go.
        case agrees
        case differs
        /// It was asked, and proved nothing: see `reason`.
        case failed
        /// It was not asked: see `reason`.
        case skipped
    }

    package var example: Int
    /// How many the group has.
    package var examples: Int
    package var method: String
    package var target: String
    package var result: Result
    /// They differ in what the group is about, and in nothing else.
    package var sameDifferences: Bool?
    package var reason: String?
    /// Names of recorded fields that were not sent: redacted, cut, or of one connection only.
    package var leftOut: [String]
    package var monolithStatus: Int?
    package var serviceStatus: Int?
    /// With the monolith as the primary.
    package var differences: [Difference]

    package init(
        example: Int, examples: Int, method: String, target: String, result: Result, sameDifferences: Bool? = nil,
        reason: String? = nil, leftOut: [String] = [], monolithStatus: Int? = nil, serviceStatus: Int? = nil,
        differences: [Difference] = []
    ) {
        self.example = example
        self.examples = examples
        self.method = method
        self.target = target
        self.result = result
        self.sameDifferences = sameDifferences
        self.reason = reason
        self.leftOut = leftOut
        self.monolithStatus = monolithStatus
        self.serviceStatus = serviceStatus
        self.differences = differences
    }
}
