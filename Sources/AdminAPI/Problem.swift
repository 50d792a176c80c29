import FoundationEssentials
import HTTPTypes
import Hummingbird

/// An error as RFC 9457 problem details. The one place where errors become statuses.
struct Problem: Error, Encodable {
    let type = "about:blank"
    let title: String
    let status: Int
    let detail: String
    /// For programs: the raw value of `AdminError.Code`, or nil where the status says it all.
    let code: String?
    let reasons: [String]

    init(_ status: HTTPResponse.Status, _ detail: String, code: String? = nil, reasons: [String] = []) {
        self.title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
        self.code = code
        self.reasons = reasons
    }

    init(_ error: AdminError) {
        let status: HTTPResponse.Status =
            switch error.code {
            case .notFound: .notFound
            case .refused, .conflict: .conflict
            case .storeUnavailable: .serviceUnavailable
            case .invalid: .badRequest
            }
        self.init(status, error.message, code: error.code.rawValue, reasons: error.reasons)
    }

    /// Of any error; what is not meant for clients is told to nobody.
    init(of error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as AdminError: self.init(error)
        case let error as any HTTPResponseError:
            self.init(error.status, Self.details[error.status.code] ?? error.status.reasonPhrase)
        default: self.init(.internalServerError, "something went wrong inside; the log says what")
        }
    }

    /// Sentences for the errors that the server framework raises.
    private static let details = [
        404: "there is nothing at this path, or not with this method",
        413: "a request body may have at most \(AdminRequest.bodyLimit) bytes",
    ]

    var response: Response {
        // Strings, a number and an array of strings always encode.
        let data = (try? AdminJSON.data(self)) ?? Data()
        return .text(data, contentType: "application/problem+json", status: HTTPResponse.Status(code: status))
    }
}

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        .text(try AdminJSON.data(value), contentType: "application/json", status: status)
    }

    static func text(
        _ bytes: some Sequence<UInt8>, contentType: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status, headers: [.contentType: contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
