import AsyncHTTPClient
import Comparison
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Where one of the two answers of `compare` comes from.
enum ComparedSource: Equatable, Sendable {
    case standardInput
    case file(String)
    case url(String)

    init(_ argument: String) {
        if argument == "-" {
            self = .standardInput
        } else if let scheme = Self.scheme(argument), ["http", "https"].contains(scheme) {
            self = .url(argument)
        } else {
            self = .file(argument)
        }
    }

    var isURL: Bool { if case .url = self { true } else { false } }

    /// Of a URL, in lower case (RFC 3986 §3.1).
    static func scheme(_ argument: String) -> String? {
        guard let end = argument.firstRange(of: "://")?.lowerBound else { return nil }
        let scheme = argument[..<end].lowercased()
        let isScheme =
            scheme.first?.isLetter == true && scheme.allSatisfy { $0.isLetter || $0.isNumber || "+-.".contains($0) }
        return isScheme ? scheme : nil
    }

    /// As the file's name says, or nil: a URL's answer says it itself, standard input has no name.
    var mediaType: String? {
        guard case .file(let path) = self else { return nil }
        let (name, ending) = Self.parted(path)
        guard Self.codings[ending] != nil else { return Self.types[ending] }
        return Self.types[Self.parted(name).ending]
    }

    /// The content coding of a compressed file, by its name or its first bytes.
    static func coding(ofFile path: String, _ bytes: [UInt8]) -> String? {
        if let coding = codings[parted(path).ending] { return coding }
        if bytes.starts(with: [0x1F, 0x8B]) { return "gzip" }
        return bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) ? "zstd" : nil
    }

    private static func parted(_ path: String) -> (name: String, ending: String) {
        guard let dot = path.lastIndex(of: ".") else { return (path, "") }
        return (String(path[..<dot]), path[path.index(after: dot)...].lowercased())
    }

    private static let codings = ["gz": "gzip", "gzip": "gzip", "br": "br", "zst": "zstd", "zz": "deflate"]

    private static let types = [
        "json": "application/json", "ndjson": "application/x-ndjson", "jsonl": "application/x-ndjson",
        "geojson": "application/geo+json", "xml": "application/xml", "xhtml": "application/xhtml+xml",
        "svg": "image/svg+xml", "html": "text/html", "htm": "text/html", "txt": "text/plain", "log": "text/plain",
        "md": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values", "css": "text/css",
        "js": "text/javascript", "form": "application/x-www-form-urlencoded", "yaml": "application/yaml",
        "yml": "application/yaml",
    ]
}

/// What could not be had, in one line.
struct ComparedSourceFailure: Error, Equatable {
    let message: String
}

/// Reads what is to be compared, each at most ``bodyLimit``.
struct ComparedSourceReader: Sendable {
    /// Bytes; what is longer is refused.
    static let bodyLimit = 64 * 1024 * 1024

    var method: HTTPMethod
    var headers: [RequestField]
    var timeout: TimeAmount
    var http: HTTPClient

    /// - Parameter type: of a body that comes without one.
    func answer(_ source: ComparedSource, type: String?) async throws(ComparedSourceFailure) -> Answer {
        switch source {
        case .standardInput: try Self.answer(from: .standardInput, called: "standard input", type: type)
        case .file(let path): try Self.answer(at: path, type: type)
        case .url(let url): try await answer(of: url)
        }
    }

    private static func answer(at path: String, type: String?) throws(ComparedSourceFailure) -> Answer {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw ComparedSourceFailure(message: "\(path) is a folder, not a file")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ComparedSourceFailure(message: "\(path) does not exist or cannot be read")
        }
        defer { try? file.close() }
        return try answer(from: file, called: path, type: type)
    }

    private static func answer(
        from file: FileHandle, called name: String, type: String?
    ) throws(ComparedSourceFailure) -> Answer {
        var bytes: [UInt8] = []
        do {
            while bytes.count <= bodyLimit, let more = try file.read(upToCount: 1 << 20), !more.isEmpty {
                bytes += more
            }
        } catch {
            throw ComparedSourceFailure(message: "\(name) cannot be read: \(error.localizedDescription)")
        }
        guard bytes.count <= bodyLimit else {
            throw ComparedSourceFailure(message: "\(name): \(AnswerTooLarge(limit: bodyLimit))")
        }
        let coding = ComparedSource.coding(ofFile: name, bytes)
        let headers = [type.map { ("content-type", $0) }, coding.map { ("content-encoding", $0) }].compactMap { $0 }
        return Answer(
            status: 200, headers: headers.map { HeaderField(name: $0.0, value: $0.1) }, body: bytes)
    }

    private func answer(of url: String) async throws(ComparedSourceFailure) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        for field in headers { request.headers.add(name: field.name, value: field.value) }
        // What arrives is what is compared.
        if !request.headers.contains(name: "accept-encoding") {
            request.headers.add(name: "accept-encoding", value: "identity")
        }
        do {
            let response = try await http.execute(request, timeout: timeout)
            return try await BoundedAnswer.read(response, limit: Self.bodyLimit)
        } catch {
            throw ComparedSourceFailure(message: "\(url) cannot be reached: \(FailureText.of(error))")
        }
    }
}

struct AnswerTooLarge: Error, CustomStringConvertible {
    /// Bytes.
    let limit: Int

    var description: String { "larger than \(limit / (1024 * 1024)) MiB, the most that is compared" }
}

/// A whole answer, up to a limit.
enum BoundedAnswer {
    static func read(_ response: HTTPClientResponse, limit: Int) async throws -> Answer {
        var body: [UInt8] = []
        for try await part in response.body {
            guard part.readableBytes <= limit - body.count else { throw AnswerTooLarge(limit: limit) }
            body += part.readableBytesView
        }
        return Answer(
            status: Int(response.status.code),
            headers: response.headers.map { HeaderField(name: $0.name, value: $0.value) }, body: body)
    }
}

/// Why a request failed, in a few words.
enum FailureText {
    static func of(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .deadlineExceeded, .readTimeout: "no answer in time"
            case .connectTimeout: "no connection in time"
            default: error.shortDescription
            }
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case is NIOConnectionError: "connection refused, or no such host"
        case _ where String(reflecting: type(of: error)).hasPrefix("NIOSSL."):
            "no https there, or with a certificate that is not trusted"
        default: TextLayout.oneLine("\(error)")
        }
    }
}
