/// Why bytes were refused. A refusal ends the connection: after it nobody can tell where the next message starts.
package enum ParseFailure: Error, Equatable, Sendable {
    case badRequestLine
    case badTarget
    case unsupportedVersion
    case badField
    case bareLineFeed
    case foldedField
    case badHost
    case missingHost
    case badContentLength
    case conflictingFraming
    case badTransferCoding
    case unknownTransferCoding
    case badChunk
    case badStatusLine
    case headTooLarge
    case targetTooLong
    case methodRefused
    case unknownExpectation
    case imitatedField

    /// The status that a client is given for it (RFC 9110 §15, RFC 9112 §3 and §6).
    package var status: Int {
        switch self {
        case .unsupportedVersion: 505
        case .unknownTransferCoding: 501
        case .headTooLarge: 431
        case .targetTooLong: 414
        case .methodRefused: 405
        case .unknownExpectation: 417
        default: 400
        }
    }

    /// One sentence for the client, without anything of the request in it.
    package var detail: String {
        switch self {
        case .badRequestLine: "The request line is malformed."
        case .badTarget: "The request target is malformed."
        case .unsupportedVersion: "This HTTP version is not supported."
        case .badField: "A header field is malformed."
        case .bareLineFeed: "A line does not end with CR LF."
        case .foldedField: "Folded header lines are not accepted."
        case .badHost: "The Host header field is invalid."
        case .missingHost: "The Host header field is missing."
        case .badContentLength: "The Content-Length header field is invalid."
        case .conflictingFraming: "The message's length is stated in two ways."
        case .badTransferCoding: "The Transfer-Encoding header field is invalid."
        case .unknownTransferCoding: "This transfer coding is not supported."
        case .badChunk: "The chunked body is malformed."
        case .badStatusLine: "The status line is malformed."
        case .headTooLarge: "The header section is too large."
        case .targetTooLong: "The request target is too long."
        case .methodRefused: "This method is not accepted here."
        case .unknownExpectation: "This expectation cannot be met."
        case .imitatedField: "A header field has the name of another one, with _ for -."
        }
    }
}

/// Bounds of one head, in bytes and fields. The defaults are those of today's edge proxies.
package struct HeadLimits: Sendable, Equatable {
    package var head: Int
    package var field: Int
    package var fields: Int

    package init(head: Int = 32 * 1024, field: Int = 16 * 1024, fields: Int = 100) {
        self.head = head
        self.field = field
        self.fields = fields
    }
}
