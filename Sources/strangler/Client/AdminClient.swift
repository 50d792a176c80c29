import AdminAPI
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Why a command ends without having done what it was asked for.
struct ClientFailure: Error, Equatable {
    /// The exit codes of DESIGN §6.
    enum Exit: Int32 {
        /// Refused, or found wanting.
        case refused = 1
        /// The proxy or Postgres cannot be reached.
        case unreachable = 3
    }

    var exit: Exit
    /// One line; none if the output has said it.
    var message: String
    var reasons: [String] = []
    /// What is worth knowing beside, on a line of its own below.
    var note: String?

    /// One reason stands on the same line, several below it.
    var lines: [String] {
        guard !message.isEmpty else { return [] }
        let line = "strangler: " + message
        let rest = note.map { ["  " + $0] } ?? []
        if let reason = reasons.first, reasons.count == 1 { return ["\(line): \(reason)"] + rest }
        return [line] + reasons.map { "  - " + $0 } + rest
    }

    func with(note: String) -> ClientFailure {
        var failure = self
        failure.note = note
        return failure
    }
}

/// Talks to the admin address of a running proxy.
struct AdminClient: Sendable {
    private static let timeout = 15
    /// Bytes; the examples of one group stay far below.
    private static let answerLimit = 32 * 1024 * 1024

    let address: AdminAddress
    private let http: HTTPClient

    /// Lends a client to `body`, and closes its connections afterwards.
    static func with<Result: Sendable>(
        _ address: AdminAddress, _ body: (AdminClient) async throws(ClientFailure) -> Result
    ) async throws(ClientFailure) -> Result {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(3)
        // A proxy that is not running is to be reported at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let client = AdminClient(address: address, http: http)
        do {
            let result = try await body(client)
            try? await http.shutdown()
            return result
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    /// - Parameters:
    ///   - path: below `/api/v1`, its segments without percent-encoding.
    ///   - query: names and values without percent-encoding; those without a value are left out.
    /// - Returns: the JSON of the answer.
    func get(_ path: [String], query: [(String, String?)] = []) async throws(ClientFailure) -> Data {
        try await send(try request(path, query: query))
    }

    func post(_ path: [String], _ body: some Encodable) async throws(ClientFailure) -> Data {
        var request = try request(path, query: [])
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "strangler-actor", value: Self.actor)
        guard let data = try? AdminJSON.data(body) else {
            throw ClientFailure(exit: .refused, message: "the request cannot be written as JSON")
        }
        request.body = .bytes(data, length: .known(Int64(data.count)))
        return try await send(request)
    }

    private func request(
        _ path: [String], query: [(String, String?)]
    ) throws(ClientFailure) -> HTTPClientRequest {
        // Without it the path would be that of the whole list.
        guard !path.contains("") else {
            let what = path.first == "groups" ? "a group's signature" : "an extraction's name"
            throw ClientFailure(exit: .refused, message: "\(what) is needed")
        }
        var url = address.text + "/api/v1/" + path.map(Self.encoded).joined(separator: "/")
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(Self.encoded($0))" } }
        if !pairs.isEmpty { url += "?" + pairs.joined(separator: "&") }
        return HTTPClientRequest(url: url)
    }

    private func send(_ request: HTTPClientRequest) async throws(ClientFailure) -> Data {
        let (status, contentType, data): (Int, String, Data)
        do {
            let response = try await http.execute(request, timeout: .seconds(Int64(Self.timeout)))
            status = Int(response.status.code)
            contentType = response.headers.first(name: "content-type") ?? ""
            data = Data(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
        } catch {
            throw unreachable(error)
        }
        if contentType.hasPrefix("application/problem+json"), let problem = Self.problem(data) {
            throw problem.failure(status: status)
        }
        guard status == 200, contentType.hasPrefix("application/json") else {
            throw ClientFailure(
                exit: .unreachable,
                message: "\(address.text) answers, but not like a proxy's admin address (status \(status))")
        }
        return data
    }

    private func unreachable(_ error: any Error) -> ClientFailure {
        let client = error as? HTTPClientError
        if client == .deadlineExceeded || client == .readTimeout {
            return ClientFailure(
                exit: .unreachable,
                message: "the proxy at \(address.text) did not answer within \(Self.timeout) s")
        }
        return ClientFailure(
            exit: .unreachable,
            message: "cannot reach the proxy at \(address.text) "
                + "(is it running? `strangler serve` starts it, --admin URL names another address)")
    }

    /// Everything but unreserved characters (RFC 3986 §2.3) percent-encoded.
    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }

    /// `USER@host`, for history.
    static var actor: String {
        let environment = ProcessInfo.processInfo.environment
        let user = environment["USER"] ?? environment["LOGNAME"] ?? NSUserName()
        let host = hostName
        let actor = (user.isEmpty ? "unknown" : user) + "@" + (host.isEmpty ? "unknown" : host)
        return String(actor.filter { $0.isASCII && !$0.isNewline && !$0.isWhitespace })
    }

    /// As the system has it, without asking any name server.
    private static var hostName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 257) { name in
            name.initialize(repeating: 0)
            guard let start = name.baseAddress, gethostname(start, 256) == 0 else { return "" }
            return String(cString: start)
        }
    }

    private static func problem(_ data: Data) -> ProblemAnswer? {
        try? AdminClient.decode(ProblemAnswer.self, data)
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ data: Data) throws -> Value {
        let safe = TerminalSafety.sanitised(String(decoding: data, as: UTF8.self))
        return try AdminJSON.decode(type, from: Data(safe.utf8))
    }

    /// A value for showing on a terminal.
    func shown<Value: Decodable>(_ type: Value.Type, _ data: Data) throws(ClientFailure) -> Value {
        do {
            return try Self.decode(type, data)
        } catch {
            throw ClientFailure(
                exit: .unreachable,
                message: "the proxy at \(address.text) answers in a way this version does not understand")
        }
    }
}

/// RFC 9457, as the admin API writes it.
private struct ProblemAnswer: Decodable {
    let detail: String
    let reasons: [String]?

    func failure(status: Int) -> ClientFailure {
        ClientFailure(exit: status >= 500 ? .unreachable : .refused, message: detail, reasons: reasons ?? [])
    }
}
