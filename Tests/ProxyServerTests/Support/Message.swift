import Foundation

/// A request or an answer as a test reads it off a socket, by a second, simple reading of RFC 9112 that shares nothing
/// with the codec under test.
struct Message: Sendable {
    var startLine = ""
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// The body as it was on the wire.
    var rawBody: [UInt8] = []
    var trailers: [String] = []
    /// How an answer that ends with its connection ended.
    var ending: SocketError?

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var method: String { String(startLine.split(separator: " ").first ?? "") }
    var target: String { String(startLine.split(separator: " ").dropFirst().first ?? "") }
    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? { values(name).first }

    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    private init(head: [UInt8]) {
        var lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        startLine = lines.removeFirst()
        for line in lines where !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            fields.append((String(parts[0]), parts.count > 1 ? parts[1].trimmingPrefix(" ").description : ""))
        }
    }

    /// The next request on a connection.
    static func request(from socket: RawSocket, within seconds: Double = RawSocket.patience) throws(SocketError)
        -> Message
    {
        var message = try requestHead(from: socket, within: seconds)
        try message.readBody(from: socket, within: seconds)
        return message
    }

    static func requestHead(from socket: RawSocket, within seconds: Double = RawSocket.patience) throws(SocketError)
        -> Message
    {
        Message(head: try socket.take(through: "\r\n\r\n", within: seconds))
    }

    /// The next final answer, with its body.
    static func answer(
        from socket: RawSocket, to method: String = "GET", within seconds: Double = RawSocket.patience
    ) throws(SocketError) -> Message {
        var message = try answerHead(from: socket, within: seconds)
        while (100..<200).contains(message.status) { message = try answerHead(from: socket, within: seconds) }
        if method == "HEAD" || message.status == 204 || message.status == 304 { return message }
        if message["Transfer-Encoding"] == nil, message["Content-Length"] == nil {
            let end = socket.takeToEnd(within: seconds)
            message.body = end.bytes
            message.ending = end.ending
        } else {
            try message.readBody(from: socket, within: seconds)
        }
        return message
    }

    static func answerHead(from socket: RawSocket, within seconds: Double = RawSocket.patience) throws(SocketError)
        -> Message
    {
        Message(head: try socket.take(through: "\r\n\r\n", within: seconds))
    }

    private mutating func readBody(from socket: RawSocket, within seconds: Double) throws(SocketError) {
        if self["Transfer-Encoding"] == "chunked" {
            try readChunks(from: socket, within: seconds)
        } else if let length = self["Content-Length"].flatMap({ Int($0) }) {
            body = try socket.take(length, within: seconds)
            rawBody = body
        }
    }

    private mutating func readChunks(from socket: RawSocket, within seconds: Double) throws(SocketError) {
        while true {
            let line = try socket.take(through: "\r\n", within: seconds)
            rawBody += line
            let size = Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16) ?? 0
            if size == 0 { break }
            let data = try socket.take(size + 2, within: seconds)
            rawBody += data
            body += data.dropLast(2)
        }
        while true {
            let line = try socket.take(through: "\r\n", within: seconds)
            rawBody += line
            if line.count == 2 { return }
            trailers.append(String(decoding: line.dropLast(2), as: UTF8.self))
        }
    }
}
