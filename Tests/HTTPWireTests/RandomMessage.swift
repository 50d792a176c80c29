import TestSupport

/// Messages made up by a seeded generator: valid ones by the grammar of RFC 9112, and the same with damage.
struct RandomMessage {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    private mutating func one(_ of: [String]) -> String { of.randomElement(using: &generator) ?? "" }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private mutating func text(_ alphabet: String, _ length: ClosedRange<Int>) -> String {
        String((0..<number(length)).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
    }

    // MARK: Heads

    mutating func requestHead() -> [UInt8] {
        let path = "/" + text("ab/.%41;-~", 0...12) + one(["", "?", "?x=%20y"])
        let target = one([path, path, path, "http://real.example" + path, "http://h"])
        let version = one(["1.1", "1.1", "1.1", "1.0"])
        let method = one(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PURGE"])
        var lines = [
            "\(method) \(target) HTTP/\(version)", "Host: " + one(["a", "shop.example:8080", "[::1]", "x_y"]),
        ]
        lines += framing() + (0..<number(0...6)).map { _ in field() }
        return head(lines)
    }

    mutating func responseHead() -> [UInt8] {
        let status = one(["200", "201", "204", "304", "404", "103", "500"])
        var lines = ["HTTP/1.\(number(0...1)) \(status)" + one(["", " ", " OK", " Not Found\u{E9}"])]
        lines += framing() + (0..<number(0...6)).map { _ in field() }
        return head(lines)
    }

    private mutating func framing() -> [String] {
        switch number(0...3) {
        case 0: ["Content-Length: \(number(0...99_999))"]
        case 1: ["tRANSFER-eNCODING: Chunked"]
        default: []
        }
    }

    private mutating func field() -> String {
        switch number(0...4) {
        case 0: "Connection: " + one(["close", "keep-alive", "x-a, CLOSE", "X-A,,te", "upgrade"])
        case 1:
            one(["Date: now", "Cookie: a=b", "Via: 1.1 x", "X-Forwarded-For: 1.2.3.4", "Idempotency-Key: k", "X-A: 1"])
        default:
            text("abX-_", 1...12) + ":" + one(["", " ", "\t "]) + text("ab :;,\"=\u{E9}", 0...40) + one(["", " "])
        }
    }

    private mutating func head(_ lines: [String]) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + one(["", "", "rest", "\r\n"])).utf8)
    }

    // MARK: Chunks

    /// A chunked body with what it holds.
    mutating func chunkedBody() -> (coded: [UInt8], body: [UInt8]) {
        var coded: [UInt8] = []
        var body: [UInt8] = []
        for _ in 0..<number(0...4) {
            let data = (0..<number(1...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            coded += Array((one(["", "0", "000"]) + String(data.count, radix: 16, uppercase: number(0...1) == 0)).utf8)
            coded += Array((chunkExtension() + "\r\n").utf8) + data + [0x0D, 0x0A]
            body += data
        }
        coded += Array((one(["0", "000"]) + chunkExtension() + "\r\n").utf8)
        for _ in 0..<number(0...2) { coded += Array((one(["X-Sum: 1", "Content-Length: 5", "a:b"]) + "\r\n").utf8) }
        return (coded + Array(("\r\n" + one(["", "GET / HTTP/1.1"])).utf8), body)
    }

    /// Sometimes around the limit of 4 KiB.
    private mutating func chunkExtension() -> String {
        switch number(0...12) {
        case 0...6: ""
        case 7...8: ";a=\"b\""
        case 9...10: " \t;" + text("ab=", 0...9)
        case 11: "  "
        default: ";" + String(repeating: "x", count: number(4_090...4_096))
        }
    }

    // MARK: Damage

    /// With one to three of its bytes changed, removed, doubled, or replaced by what readers disagree about.
    mutating func damaged(_ message: [UInt8]) -> [UInt8] {
        var bytes = message
        for _ in 0..<number(1...3) where !bytes.isEmpty {
            let at = number(0...(bytes.count - 1))
            switch number(0...4) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(bytes[at], at: at)
            case 3: bytes.removeSubrange(at...)
            default:
                let pieces = [
                    "\r", "\n", "\r\n", " ", "\0", ":", "\r\n ", ", ", "0", "Content-Length: 3\r\n", "%2e", ";",
                ]
                bytes.insert(contentsOf: Array(one(pieces).utf8), at: at)
            }
        }
        return bytes
    }
}
