import Extraction
import HTTPWire
import NIOCore
import ProxyServer
import Testing
import Upstreams

@Suite struct ExtractionTrafficOnTheWire {
    private static func system(_ name: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { _ in plainAnswer(name) })
    }

    private static func get(_ cookie: String = "1", path: String = "/orders/1") -> String {
        "GET \(path) HTTP/1.1\r\nHost: shop\r\nCookie: session=\(cookie)\r\n\r\n"
    }

    private static let post = "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"

    // MARK: Weight

    @Test func `each key stays on the side that its bucket and the weight say, and other paths on the monolith`()
        async throws
    {
        let (monolith, service) = (try Self.system("monolith"), try Self.system("service"))
        let orders = OrdersExtraction(stage: .cutover, weight: Weight(clamping: 3_000), sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders) { proxy in
            let client = try proxy.connect()
            let seed = AffinityHash.seed(for: "orders")
            var moved = 0
            for user in 0..<100 {
                let key = Array("user-\(user)".utf8)
                let bucket = key.withUnsafeBytes { AffinityHash.bucket(salt: seed, key: $0) }
                let expected = bucket < 3_000 ? "service" : "monolith"
                moved += bucket < 3_000 ? 1 : 0
                for _ in 0..<2 {
                    try client.send(Self.get("user-\(user)"))
                    let answer = try Message.answer(from: client)
                    #expect(answer.text == expected)
                    #expect(answer["Strangler-Served-By"] == nil)
                }
                try client.send(Self.get("user-\(user)", path: "/users/1"))
                #expect(try Message.answer(from: client).text == "monolith")
            }
            #expect((15...45).contains(moved))
            let counters = await proxy.counters()
            #expect(counters.extractions[0].toService == 2 * moved)
            #expect(counters.extractions[0].toMonolith == 2 * (100 - moved))
            #expect(counters.unmatched.toMonolith == 100)
        }
    }

    @Test func `a new snapshot holds from the next request on, on open connections too`() async throws {
        let (monolith, service) = (try Self.system("monolith"), try Self.system("service"))
        var orders = OrdersExtraction(stage: .cutover, weight: .none, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, service: service.port, orders: orders, loops: 2) { proxy in
            let client = try proxy.connect()
            for (weight, expected) in [(Weight.none, "monolith"), (.all, "service"), (.none, "monolith")] {
                orders.weight = weight
                await proxy.update(try orders.snapshot())
                try client.send(Self.get())
                #expect(try Message.answer(from: client).text == expected)
            }
        }
    }

    // MARK: Fallback

    @Test func `the monolith stands in for a service that refuses, for reads and for writes`() async throws {
        let monolith = try ScriptedOrigin(answering: { plainAnswer("monolith got \($0.text)") })
        try await withProxy(
            monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: OrdersExtraction()
        ) { proxy in
            let client = try proxy.connect()
            for (request, text) in [(Self.get(), "monolith got "), (Self.post, "monolith got abc")] {
                try client.send(request)
                let answer = try Message.answer(from: client)
                #expect(answer.text == text)
                #expect(answer["Strangler-Served-By"] == #"monolith; fallback="connect-refused""#)
            }
            #expect(await proxy.fellBack() == [.refused: 2])
            // Both answers would be the monolith's: there is nothing to compare.
            #expect(proxy.captured.now.isEmpty)
        }
    }

    @Test func `a write that was sent to a service that then closes is a 502, and is repeated nowhere`() async throws {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in _ = try connection.request() }
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post)
            let answer = try Message.answer(from: client)
            #expect(answer.status == 502)
            #expect(answer["Strangler-Served-By"] == nil)
            #expect(service.requests.count == 1)
            #expect(monolith.accepted == 0)
            #expect(await proxy.fellBack().isEmpty)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 502 Bad Gateway", "status-502"), ("HTTP/1.1 503 Service Unavailable", "status-503"),
        ("HTTP/1.1 504 Gateway Timeout", "status-504"), ("nonsense", "reset"), ("HTTP/1.1 200 O", "reset"),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", "reset"),
    ])
    func `a read that the service fails is answered by the monolith, which says why`(answer: String, reason: String)
        async throws
    {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            let isHead = answer.hasPrefix("HTTP/1.1 50") || answer == "nonsense"
            try connection.send(answer + (isHead ? "\r\nContent-Length: 4\r\n\r\nsorry" : ""))
        }
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get())
            let given = try Message.answer(from: client)
            #expect(given.status == 200)
            #expect(given.text == "monolith")
            #expect(given["Strangler-Served-By"] == "monolith; fallback=\"\(reason)\"")
            #expect(service.requests.count == 1)
        }
    }

    @Test func `a read that the service does not answer in time is answered by the monolith`() async throws {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            _ = connection.socket.takeToEnd()
        }
        try await withProxy(
            monolith: monolith.port, service: service.port, orders: OrdersExtraction(), settings: quick
        ) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get())
            let answer = try Message.answer(from: client)
            #expect(answer["Strangler-Served-By"] == #"monolith; fallback="timeout""#)
            try client.send(Self.post)
            #expect(try Message.answer(from: client).status == 504)
            #expect(monolith.requests.map(\.method) == ["GET"])
        }
    }

    @Test func `503 for a write, 500 and 404 for a read are the service's answers`() async throws {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin(answering: { request in
            switch request.target {
            case "/orders": plainAnswer("no", status: "503 Service Unavailable")
            case "/orders/500": plainAnswer("no", status: "500 Internal Server Error")
            default: plainAnswer("no", status: "404 Not Found")
            }
        })
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            try client.send(Self.post + Self.get(path: "/orders/500") + Self.get(path: "/orders/404"))
            for status in [503, 500, 404] { #expect(try Message.answer(from: client).status == status) }
            #expect(monolith.accepted == 0)
        }
    }

    @Test func `after ten failures the circuit is open: no connection is tried, and even writes fall back`()
        async throws
    {
        let monolith = try Self.system("monolith")
        let service = try ScriptedOrigin { connection throws(SocketError) in _ = try connection.request() }
        try await withProxy(monolith: monolith.port, service: service.port, orders: OrdersExtraction()) { proxy in
            let client = try proxy.connect()
            for _ in 0..<10 {
                try client.send(Self.post)
                #expect(try Message.answer(from: client).status == 502)
            }
            #expect(service.accepted == 10)
            for request in [Self.post, Self.get()] {
                try client.send(request)
                let answer = try Message.answer(from: client)
                #expect(answer.text == "monolith")
                #expect(answer["Strangler-Served-By"] == #"monolith; fallback="circuit-open""#)
            }
            #expect(service.accepted == 10)
        }
    }

    @Test func `a retired extraction's open circuit is a 503, also for pipelined requests`() async throws {
        let monolith = try Self.system("monolith")
        let orders = OrdersExtraction(stage: .retired)
        try await withProxy(monolith: monolith.port, service: try ScriptedOrigin.refusingPort(), orders: orders) {
            proxy in
            let client = try proxy.connect()
            for _ in 0..<10 {
                try client.send(Self.get())
                #expect(try Message.answer(from: client).status == 503)
            }
            // Each ends within the call that begins it.
            try client.send(String(repeating: Self.get(), count: 500))
            for _ in 0..<500 { #expect(try Message.answer(from: client).status == 503) }
            #expect(monolith.accepted == 0)
        }
    }

    // MARK: Shadow

    @Test func `the shadow gets each exchange once, whole, and not before the client has its answer`() async throws {
        let mayEnd = Watched(false)
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            while true {
                _ = try connection.request()
                try connection.send("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n4\r\nfirs\r\n")
                _ = mayEnd.wait { $0 }
                try connection.send("3\r\nt..\r\n0\r\n\r\n")
            }
        }
        try await withProxy(monolith: monolith.port, orders: OrdersExtraction(stage: .shadow)) { proxy in
            let client = try proxy.connect()
            try client.send(
                "POST /orders?x=1 HTTP/1.1\r\nHost: shop\r\nCookie: session=7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )
            try client.send("2\r\nde\r\n0\r\n\r\n")
            _ = try client.take(through: "firs\r\n")
            #expect(proxy.captured.now.isEmpty)
            mayEnd.change { $0 = true }
            _ = try client.take(through: "0\r\n\r\n")
            #expect(proxy.captured.wait { $0.count == 1 })
            let exchange = try #require(proxy.captured.now.first)
            #expect(exchange.outcome == .answered(status: 201))
            #expect(exchange.method == .post)
            #expect(exchange.shadowIsService)
            #expect(!exchange.isTruncated)
            #expect(Self.text(exchange.requestBody) == "abcde")
            #expect(Self.text(exchange.answerBody.parts) == "first..")
            #expect(Self.text([exchange.answerHead]).hasPrefix("HTTP/1.1 201 Created\r\n"))
            #expect(exchange.primaryNanoseconds > 0)
            let seen = try #require(monolith.requests.first)
            #expect(Self.text([exchange.requestHead]).hasPrefix("POST /orders?x=1 HTTP/1.1\r\n"))
            #expect(seen["Strangler-Request-Id"] == String(decoding: exchange.requestID, as: UTF8.self))
        }
    }

    @Test func `exchanges of one connection keep their own heads, bodies and lanes`() async throws {
        let monolith = try ScriptedOrigin(answering: { plainAnswer("to \($0.target)") })
        try await withProxy(monolith: monolith.port, orders: OrdersExtraction(stage: .shadow)) { proxy in
            let client = try proxy.connect()
            try client.send(
                Self.get("a", path: "/orders/1") + Self.get("b", path: "/orders/2") + Self.get("a", path: "/orders/3"))
            for number in 1...3 { #expect(try Message.answer(from: client).text == "to /orders/\(number)") }
            #expect(proxy.captured.wait { $0.count == 3 })
            let exchanges = proxy.captured.now
            #expect(
                exchanges.map { Self.text($0.answerBody.parts) } == ["to /orders/1", "to /orders/2", "to /orders/3"])
            for (number, exchange) in exchanges.enumerated() {
                #expect(Self.text([exchange.requestHead]).hasPrefix("GET /orders/\(number + 1) HTTP/1.1\r\n"))
            }
            #expect(exchanges[0].lane == exchanges[2].lane)
            #expect(exchanges[0].lane != exchanges[1].lane)
            #expect(Set(exchanges.map(\.requestID)).count == 3)
        }
    }

    @Test func `an answer over the limit is hashed, a request over it left out`() async throws {
        let monolith = try ScriptedOrigin(answering: { request in
            request.method == "GET" ? plainAnswer(String(repeating: "x", count: 70_000)) : plainAnswer("ok")
        })
        try await withProxy(monolith: monolith.port, orders: OrdersExtraction(stage: .shadow)) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get())
            #expect(try Message.answer(from: client).body.count == 70_000)
            try client.send("PUT /orders/1 HTTP/1.1\r\nHost: shop\r\nContent-Length: 70000\r\n\r\n")
            try client.send([UInt8](repeating: 0x79, count: 70_000))
            #expect(try Message.answer(from: client).text == "ok")
            #expect(proxy.captured.wait { $0.count == 2 })
            let (read, write) = (proxy.captured.now[0], proxy.captured.now[1])
            #expect(read.answerBody.digest == BodyDigest(of: [UInt8](repeating: 0x78, count: 70_000)))
            #expect(!read.isTruncated && read.answerBody.parts.isEmpty)
            #expect(write.isTruncated)
            #expect(write.requestBody.isEmpty && write.answerBody.parts.isEmpty && write.answerBody.digest == nil)
        }
    }

    @Test func `a primary that fails is handed over as failed, once`() async throws {
        let monolith = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        try await withProxy(monolith: monolith.port, orders: OrdersExtraction(stage: .shadow)) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get())
            _ = client.takeToEnd()
            #expect(proxy.captured.wait { $0.count == 1 })
            #expect(proxy.captured.now.first?.outcome == .failed)
        }
    }

    @Test func `writes: never and a sample of nothing hand nothing over`() async throws {
        let monolith = try Self.system("monolith")
        let orders = OrdersExtraction(stage: .shadow, sample: .none, writes: .never)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            let client = try proxy.connect()
            try client.send(Self.get() + Self.post)
            for _ in 0..<2 { _ = try Message.answer(from: client) }
            _ = await proxy.counters()
            #expect(proxy.captured.now.isEmpty)
            #expect(monolith.requests.allSatisfy { $0["Strangler-Request-Id"] == nil })
        }
    }

    /// Asks two reads and a write.
    private static func leftOut(_ orders: OrdersExtraction) async throws -> (leftOut: [String], captured: Int) {
        let monolith = try Self.system("monolith")
        let leftOut = Watched<[String]>([])
        let captured = Watched(0)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            await proxy.update(handoff: {
                ExchangeHandoff(
                    shadow: { _ in captured.change { $0 += 1 } },
                    leftOut: { extraction, route, method, path in
                        let text = "\(extraction) \(route) \(method.name) \(String(decoding: path, as: UTF8.self))"
                        leftOut.change { $0.append(text) }
                    })
            })
            let client = try proxy.connect()
            try client.send(Self.get(path: "/orders/%61") + Self.get(path: "/elsewhere") + Self.post)
            for _ in 0..<3 { _ = try Message.answer(from: client) }
            _ = await proxy.counters()
        }
        return (leftOut.now, captured.now)
    }

    @Test func `a read that the sample leaves out is told of, what the stage or a sample of 0% leaves out is not`()
        async throws
    {
        // One in ten thousand is taken.
        let rarely = Weight(clamping: 1)
        var seen = try await Self.leftOut(OrdersExtraction(stage: .shadow, sample: rarely, writes: .never))
        #expect(seen.leftOut == ["0 0 GET /orders/a"] || seen.captured == 1)
        seen = try await Self.leftOut(OrdersExtraction(stage: .shadow, sample: .none, writes: .never))
        #expect(seen.leftOut.isEmpty)
        seen = try await Self.leftOut(OrdersExtraction(stage: .shadow, sample: .all, writes: .never))
        #expect(seen.leftOut.isEmpty)
        seen = try await Self.leftOut(OrdersExtraction(stage: .parallel, sample: rarely, writes: .dualWrite))
        #expect(seen.leftOut.isEmpty)
    }

    /// Asks a read and a write of a stage, of an extraction that would have every answer checked.
    private static func checked(_ stage: Stage, hasContract: Bool = true) async throws -> [CapturedExchange] {
        let monolith = try Self.system("monolith")
        let captured = Watched<[CapturedExchange]>([])
        let orders = OrdersExtraction(stage: stage, sample: .none, writes: .never, hasContract: hasContract)
        try await withProxy(monolith: monolith.port, orders: orders) { proxy in
            await proxy.update(handoff: {
                ExchangeHandoff(
                    shadow: { exchange in captured.change { $0.append(exchange) } },
                    checks: { $0 == 0 })
            })
            let client = try proxy.connect()
            try client.send(Self.get() + Self.get(path: "/elsewhere") + Self.post)
            for _ in 0..<3 { _ = try Message.answer(from: client) }
            _ = await proxy.counters()
            // The monolith cannot tell.
            #expect(monolith.requests.allSatisfy { $0["Strangler-Request-Id"] == nil })
        }
        return captured.now
    }

    @Test(arguments: [Stage.contracted, .parallel])
    func `answers are captured for the contract where nobody is shadowed`(stage: Stage) async throws {
        let captured = try await Self.checked(stage)
        #expect(captured.map(\.method) == [.get, .post])
        for exchange in captured {
            #expect(exchange.isForContract && exchange.outcome == .answered(status: 200) && !exchange.isTruncated)
            #expect(Self.text(exchange.answerBody.parts) == "monolith" && exchange.requestBody.isEmpty)
        }
        #expect(try await Self.checked(stage, hasContract: false).isEmpty)
        #expect(try await Self.checked(.identified).isEmpty)
    }

    private static func text(_ parts: [ByteBuffer]) -> String {
        parts.map { String(buffer: $0) }.joined()
    }
}
