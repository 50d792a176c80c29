import Extraction
import HTTPWire
import ProxyServer
import Routing
import Testing

/// Rows 28 to 36 of the checklist: every spelling of a path takes the side of the plain one, or is a 400 of which neither
/// side sees a byte. Each row is tried on every kind of match.
///
/// The routes belong to an extraction that has moved to the service wholly: what reaches the monolith is a way around.
@Suite struct Rows28to36Bypass {
    /// One kind of match, with a request that it takes.
    struct Kind: Sendable, CustomStringConvertible {
        let description: String
        let pattern: String
        var methods: [String] = []
        var hosts: [String] = []
        var method = "GET"
        let path: String

        /// The path's segments.
        var segments: [String] { path.split(separator: "/").map(String.init) }
    }

    static let kinds = [
        Kind(description: "exact path", pattern: "/exact/path", path: "/exact/path"),
        Kind(description: "prefix /**", pattern: "/orders/**", path: "/orders/1"),
        Kind(description: "{param}", pattern: "/items/{id}/price", path: "/items/7/price"),
        Kind(description: "method-bound", pattern: "/made/**", methods: ["POST"], method: "POST", path: "/made/1"),
        Kind(description: "host-bound", pattern: "/hosted/**", hosts: ["shop.example"], path: "/hosted/1"),
        Kind(description: "wildcard host", pattern: "/wild/{x}", hosts: ["*.example"], path: "/wild/1"),
    ]

    private static func snapshot() throws -> ProxySnapshot {
        let routes = try kinds.enumerated().map { line, kind in
            Route(
                pattern: try RoutePattern(parsing: kind.pattern), methods: kind.methods, hosts: kind.hosts,
                extraction: 0,
                location: SourceLocation(file: "bypass.yaml", line: line + 1, column: 1))
        }
        return ProxySnapshot(
            routes: try RouteTable(routes), extractionOfRoute: routes.map { _ in 0 },
            extractions: [OrdersExtraction(stage: .cutover, weight: .all, sample: .none, writes: .never).traffic])
    }

    /// Sends each spelling to a proxy of its own connection.
    /// - Parameter mayStay: the target may arrive as it was sent, because normalisation leaves it alone.
    private static func expectNoWayAround(
        _ kind: Kind, _ targets: [String], host: String = "shop.example", mayStay: Bool = false,
        mayBeRefused: Bool = true
    ) async throws {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        var expected: [String] = []
        try await withProxy(monolith: monolith.port, service: service.port, snapshot: try snapshot()) { proxy in
            for target in targets {
                let client = try proxy.connect()
                let length = kind.method == "POST" ? "Content-Length: 0\r\n" : ""
                try client.send("\(kind.method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\(length)\r\n")
                let answer = try Message.answer(from: client)
                if mayBeRefused, answer.status == 400 {
                    #expect(client.takeToEnd().ending == .closed)
                    continue
                }
                #expect(answer.status == 200 && answer.text == "service", "\(kind): \(target)")
                expected.append(mayStay ? target : kind.path)
            }
        }
        let seen = service.requests.map { String($0.target.prefix { $0 != "?" }) }
        // A trailing slash is kept; routes take both.
        #expect(seen.map { $0 == kind.path + "/" ? kind.path : $0 } == expected, "\(kind)")
        #expect(monolith.accepted == 0, "\(kind)")
        #expect(service.record.wait { $0.finished == $0.accepted } && service.record.now.strayBytes == 0)
        for target in seen {
            let normal = Array(target.utf8).withUnsafeBytes { PathNormalization.normalize(path: $0) }
            #expect(normal == .unchanged, "\(target) was forwarded, but is not what was routed")
        }
    }

    /// - Returns: the path with `insert` in front of each segment in turn, and behind the last one.
    private static func inserted(_ insert: String, _ kind: Kind) -> [String] {
        (0...kind.segments.count).map { place in
            var segments = kind.segments
            segments.insert(insert, at: place)
            return "/" + segments.joined(separator: "/")
        }
    }

    @Test("row 28: /a/../b and /./ are routed and forwarded as the plain path", arguments: kinds)
    func row28(kind: Kind) async throws {
        try await Self.expectNoWayAround(
            kind, Self.inserted(".", kind) + Self.inserted("x/..", kind) + Self.inserted("x/y/../..", kind),
            mayBeRefused: false)
        try await Self.expectNoWayAround(
            kind, Self.inserted("..", kind).filter { $0.hasPrefix("/..") } + ["/../..\(kind.path)"])
    }

    @Test("row 29: %2e%2e", arguments: kinds)
    func row29(kind: Kind) async throws {
        let dots = ["%2e", "%2E", "x/%2e%2e", "x/%2E%2e", "x/.%2e", "x/%2e."]
        try await Self.expectNoWayAround(kind, dots.flatMap { Self.inserted($0, kind) }, mayBeRefused: false)
    }

    @Test("row 30: %2f and %5c, and the backslash itself", arguments: kinds)
    func row30(kind: Kind) async throws {
        let joined = ["%2f", "%2F", "%5c", "%5C", "\\"].flatMap { slash in
            [
                "/" + kind.segments.joined(separator: slash), "/x\(slash)..\(kind.path)",
                "\(slash)\(kind.path.dropFirst())",
            ]
        }
        let climbing = Self.inserted("x/..%2f..", kind) + Self.inserted("..%5cx", kind) + Self.inserted("..\\x", kind)
        try await Self.expectNoWayAround(kind, joined + climbing)
    }

    @Test("row 31: // is /", arguments: kinds)
    func row31(kind: Kind) async throws {
        try await Self.expectNoWayAround(
            kind,
            [
                "/\(kind.path)", "//\(kind.path)", "/" + kind.segments.joined(separator: "//"), "\(kind.path)/",
                "\(kind.path)//",
            ],
            mayBeRefused: false)
        try await Self.expectNoWayAround(kind, ["//x/..\(kind.path)", "/x//../..\(kind.path)", "/.//.\(kind.path)"])
    }

    @Test("row 32: %00 and overlong UTF-8", arguments: kinds)
    func row32(kind: Kind) async throws {
        let bytes = [
            "%00", "%0a", "%0d", "%7f", "%c0%ae%c0%ae", "%c0%af", "%C1%9C", "%e0%80%af", "%f0%80%80%af", "%e0%80%ae",
            "\u{0}",
        ]
        let spellings = bytes.flatMap { byte in
            [
                "/\(byte)\(kind.path)", "\(kind.path)\(byte)", "/x/\(byte)/..\(kind.path)",
                "/" + kind.segments.joined(separator: byte),
            ]
        }
        try await Self.expectNoWayAround(kind, spellings)
    }

    @Test("row 33: upper and lower case take the same side, and go on as they came", arguments: kinds)
    func row33(kind: Kind) async throws {
        let mixed = String(
            kind.path.enumerated().map { $0.offset % 2 == 0 ? Character($0.element.uppercased()) : $0.element })
        try await Self.expectNoWayAround(
            kind, [kind.path.uppercased(), mixed], mayStay: true, mayBeRefused: false)
    }

    @Test("row 34: ;param leads around nothing", arguments: kinds)
    func row34(kind: Kind) async throws {
        let first = kind.segments[0]
        let rest = kind.segments.dropFirst().joined(separator: "/")
        try await Self.expectNoWayAround(
            kind, ["/\(first);x=1/\(rest)", "/\(first);/\(rest)", "/\(first);a;b/\(rest)", "\(kind.path)/;x"],
            mayStay: true,
            mayBeRefused: false)
        try await Self.expectNoWayAround(
            kind,
            [
                "/x/..;\(kind.path)", "/.;\(kind.path)", "/x/..;a=b\(kind.path)", "/x/%2e%2e;\(kind.path)",
                "/;x\(kind.path)", "/..%3b\(kind.path)",
            ])
    }

    @Test("row 35: double encoding", arguments: kinds)
    func row35(kind: Kind) async throws {
        let twice = ["%252e%252e", "%252e", "%25%32%65", "%252f", "%255c", "%2525%32e", "%2500"]
        let letter = String(kind.segments[0].utf8.first ?? 0, radix: 16)
        try await Self.expectNoWayAround(
            kind,
            twice.flatMap { ["/x/\($0)\(kind.path)", "/\($0)\(kind.path)", "/" + kind.segments.joined(separator: $0)] }
                + ["/%25\(letter)\(kind.path.dropFirst(2))"])
        // Encoded once, a letter is the letter.
        try await Self.expectNoWayAround(kind, ["/%\(letter)\(kind.path.dropFirst(2))"], mayBeRefused: false)
    }

    @Test("row 36: ? and # inside", arguments: kinds)
    func row36(kind: Kind) async throws {
        try await Self.expectNoWayAround(
            kind,
            [
                "\(kind.path)?", "\(kind.path)?/../../x", "\(kind.path)?x=/other", "\(kind.path)??",
                "http://shop.example\(kind.path)?y",
            ],
            mayBeRefused: false)
        try await Self.expectNoWayAround(
            kind, ["\(kind.path)#", "\(kind.path)#/../../x", "/#\(kind.path)", "/x#/..\(kind.path)"])
    }

    @Test("host-bound: every spelling of the host is the host, and an absolute form's authority goes before Host")
    func hosts() async throws {
        for kind in Self.kinds.suffix(2) {
            for host in ["shop.example", "SHOP.Example", "shop.example:80", "shop.example.", "Shop.EXAMPLE.:8080"] {
                try await Self.expectNoWayAround(kind, [kind.path], host: host, mayBeRefused: false)
            }
            try await Self.expectNoWayAround(
                kind, ["http://shop.example\(kind.path)", "http://SHOP.EXAMPLE:80\(kind.path)"], host: "other.test",
                mayBeRefused: false)
        }
        let answers = try await Self.sides([
            "GET http://other.test/hosted/1 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
            "GET /hosted/1 HTTP/1.1\r\nHost: other.test\r\nX-Forwarded-Host: shop.example\r\nForwarded: host=shop.example\r\n\r\n",
        ])
        #expect(answers == ["monolith", "monolith"])
    }

    @Test("row 36: X-HTTP-Method-Override, X-Original-URL and X-Rewrite-URL never route; methods have one spelling")
    func row36fields() async throws {
        let answers = try await Self.sides([
            "GET /plain HTTP/1.1\r\nHost: shop.example\r\nX-Original-URL: /orders/1\r\nX-Rewrite-URL: /orders/1\r\n\r\n",
            "GET /made/1 HTTP/1.1\r\nHost: shop.example\r\nX-HTTP-Method-Override: POST\r\nX-HTTP-Method: POST\r\n\r\n",
            "POST /made/1 HTTP/1.1\r\nHost: shop.example\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n",
            "GET /orders/1 HTTP/1.1\r\nHost: shop.example\r\nX-Original-URL: /plain\r\nX-Rewrite-URL: /plain\r\n\r\n",
        ])
        #expect(answers == ["monolith", "monolith", "service", "service"])
        for method in ["post", "Post", "get", "pATCH"] {
            try await expectRefused(
                "\(method) /made/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n", 400)
        }
    }

    /// Who answers each request.
    private static func sides(_ requests: [String]) async throws -> [String] {
        let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("monolith") })
        let service = try ScriptedOrigin(answering: { _ in plainAnswer("service") })
        var answers: [String] = []
        try await withProxy(monolith: monolith.port, service: service.port, snapshot: try snapshot()) { proxy in
            for request in requests {
                let client = try proxy.connect()
                try client.send(request)
                answers.append(try Message.answer(from: client).text)
            }
        }
        return answers
    }
}
