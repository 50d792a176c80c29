/// The answers that the proxy gives by itself: problem details (RFC 9457) that reveal nothing of what lies behind.
package enum ErrorAnswer {
    /// A whole HTTP/1.1 answer. Without `keepsAlive` it says that the connection closes.
    /// - Parameter retryAfter: seconds (RFC 9110 §10.2.3).
    package static func bytes(
        status: Int, detail: String, isHead: Bool, keepsAlive: Bool, date: [UInt8], retryAfter: Int? = nil
    ) -> [UInt8] {
        let title = reason(for: status)
        let body = #"{"type":"about:blank","title":"\#(title)","status":\#(status),"detail":"\#(detail)"}"# + "\n"
        var head = "HTTP/1.1 \(status) \(title)\r\nContent-Type: application/problem+json\r\n"
        head += "Content-Length: \(body.utf8.count)\r\nCache-Control: no-store\r\nDate: "
        var answer = Array(head.utf8)
        answer.append(contentsOf: date)
        if status == 405 { answer.append(contentsOf: "\r\nAllow: \(allowedMethods)".utf8) }
        if let retryAfter { answer.append(contentsOf: "\r\nRetry-After: \(retryAfter)".utf8) }
        answer.append(contentsOf: (keepsAlive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n").utf8)
        if !isHead { answer.append(contentsOf: body.utf8) }
        return answer
    }

    /// What this proxy passes on, RFC 9110 §10.2.1.
    private static let allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

    /// The answer to OPTIONS that may go no further (RFC 9110 §7.6.2).
    package static func options(keepsAlive: Bool, date: [UInt8]) -> [UInt8] {
        var answer = Array("HTTP/1.1 200 OK\r\nAllow: \(allowedMethods)\r\nContent-Length: 0\r\nDate: ".utf8)
        answer.append(contentsOf: date)
        answer.append(contentsOf: (keepsAlive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n").utf8)
        return answer
    }

    /// Reason phrases of the statuses that this proxy gives (RFC 9110 §15).
    package static func reason(for status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 508: "Loop Detected"
        default: "Error"
        }
    }
}
