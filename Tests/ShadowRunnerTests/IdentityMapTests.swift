import Comparison
import DualWrite
import Extraction
import Synchronization
import Testing
import Upstreams

@testable import ShadowRunner

/// A shop that makes up the numbers of its orders itself.
private final class Shop: Sendable {
    private let prefix: String
    private let orders = Mutex<[(id: String, item: String)]>([])

    init(prefix: String) { self.prefix = prefix }

    func reply(_ request: SeenRequest) -> Reply {
        orders.withLock { orders in
            if request.method == "POST" {
                orders.append(("\(prefix)\(orders.count + 1)", request.body))
                return .bytes(Shop.answer(orders[orders.count - 1], status: "201 Created"))
            }
            let id = request.target.split(separator: "/").last.map(String.init) ?? ""
            if id == "orders" {
                let all = orders.reversed().map { #"{"orderId":"\#($0.id)"}"# }.joined(separator: ",")
                return .json(#"{"items":[\#(all)]}"#)
            }
            guard let order = orders.first(where: { $0.id == id }) else {
                return .bytes(jsonAnswer(#"{"error":"no order \#(id)"}"#, status: "404 Not Found"))
            }
            return .bytes(Shop.answer(order, status: "200 OK"))
        }
    }

    static func answer(_ order: (id: String, item: String), status: String) -> String {
        jsonAnswer(
            #"{"orderId":"\#(order.id)","item":\#(order.item)}"#, status: status,
            fields: "Location: /api/v1/orders/\(order.id)\r\n")
    }
}

@Suite struct IdentityMapTests {
    private func setup(_ identities: IdentityDirectory = IdentityDirectory()) throws -> Setup {
        var rules = ComparisonRules()
        rules.identity = [IdentityRule(field: try PathPattern("$.orderId"))]
        return Setup(
            rules: rules, settleDelay: .milliseconds(20), identities: identities, identityWait: .milliseconds(300))
    }

    private func creation(_ id: String, item: String = "1") throws -> CapturedExchange {
        try exchange(post("/api/v1/orders", item), answer: Shop.answer((id, item), status: "201 Created"))
    }

    @Test func `a creation is learned, and what is asked of it later is asked by the other side's name`() async throws {
        let (service, identities) = (Shop(prefix: "s"), IdentityDirectory())
        try await withShadow(try setup(identities), service: { request, _ in service.reply(request) }) { shadow in
            try await shadow.accept(try creation("m7"))
            try await shadow.accept(try creation("m8", item: "2"))
            let list = jsonAnswer(#"{"items":[{"orderId":"m8"},{"orderId":"m7"}]}"#)
            try await shadow.accept(try exchange(get("/api/v1/orders"), answer: list))
            try await shadow.accept(
                try exchange(get("/api/v1/orders/m8"), answer: Shop.answer(("m8", "2"), status: "200 OK")))
            #expect(try await shadow.verdicts() == ["match": 4])
            #expect(
                shadow.service.requests.map(\.target) == [
                    "/api/v1/orders", "/api/v1/orders", "/api/v1/orders", "/api/v1/orders/s2",
                ])
            #expect(identities.counts.learned == 2)
        }
    }

    @Test func `it works the other way round when the service answers`() async throws {
        let monolith = Shop(prefix: "m")
        try await withShadow(
            try setup(), monolith: { request, _ in monolith.reply(request) }, service: { _, _ in .json("{}") }
        ) { shadow in
            var created = try creation("s9")
            created.shadowIsService = false
            created.answeredBy = .service
            var read = try exchange(get("/api/v1/orders/s9"), answer: Shop.answer(("s9", "1"), status: "200 OK"))
            read.shadowIsService = false
            read.answeredBy = .service
            try await shadow.accept(created)
            try await shadow.accept(read)
            #expect(try await shadow.verdicts() == ["match": 2])
            #expect(shadow.monolith.requests.map(\.target) == ["/api/v1/orders", "/api/v1/orders/m1"])
            #expect(shadow.service.requests.isEmpty)
        }
    }

    @Test func `an identity without a partner is never sent`() async throws {
        let service = Shop(prefix: "s")
        try await withShadow(try setup(), service: { request, _ in service.reply(request) }) { shadow in
            for request in [
                get("/api/v1/orders/m1"), get("/api/v1/orders?orderId=m1"), post("/api/v1/orders", #"{"orderId":3}"#),
            ] {
                try await shadow.accept(try exchange(request, answer: jsonAnswer("{}")))
            }
            try await shadow.accept(try exchange(post("/api/v1/orders", "{"), answer: jsonAnswer("{}")))
            #expect(
                try await shadow.verdicts() == [
                    "not-compared identity-unmapped": 3, "not-compared identity-unreadable": 1,
                ])
            #expect(shadow.service.requests.isEmpty)
        }
    }

    @Test func `a read waits for its identity's partner, from the store or from another lane, and not for ever`()
        async throws
    {
        let pairs = Mutex<[IdentityPair]>([])
        let identities = IdentityDirectory(ask: { questions in
            pairs.withLock { pairs in
                questions.compactMap { question in
                    pairs.first { $0.value(at: question.side) == question.value }.map { (question, $0) }
                }
            }
        })
        pairs.withLock { $0 = [IdentityPair(kind: "$.orderId", monolith: "m1", service: "s1")] }
        let read = { (id: String) in
            try exchange(get("/api/v1/orders/\(id)"), answer: Shop.answer((id, "1"), status: "200 OK"))
        }
        let service: ScriptedOrigin.Script = { request, _ in
            let id = request.target.split(separator: "/").last.map(String.init) ?? ""
            return .bytes(Shop.answer((id, "1"), status: "200 OK"))
        }
        try await withShadow(try setup(identities), service: service) { shadow in
            try await shadow.accept(try read("m1"))
            #expect(try await shadow.verdicts() == ["match": 1])
            try await shadow.accept(try read("m2"))
            try await eventually("it waits") { identities.waiterCount == 1 }
            identities.learn(
                [IdentityPair(kind: "$.orderId", monolith: "m2", service: "s2")], extraction: "orders")
            #expect(try await shadow.verdicts() == ["match": 2])
            try await shadow.accept(try read("m3"))
            #expect(try await shadow.verdicts() == ["match": 2, "not-compared identity-unmapped": 1])
            #expect(identities.waiterCount == 0)
            // Stopped while it waits.
            try await shadow.accept(try read("m4"))
        }
        #expect(identities.waiterCount == 0)
    }

    @Test func `another thing of the other side is a difference`() async throws {
        let identities = IdentityDirectory()
        identities.learn(
            [
                IdentityPair(kind: "$.orderId", monolith: "m1", service: "s1"),
                IdentityPair(kind: "$.orderId", monolith: "m2", service: "s2"),
            ], extraction: "orders")
        let answers = Mutex(["s2", "m1", "unheard-of"])
        try await withShadow(
            try setup(identities),
            monolith: { _, _ in .bytes(Shop.answer(("m1", "1"), status: "200 OK")) },
            service: { _, _ in
                // Each is asked for twice.
                let id = answers.withLock { $0[0] }
                return .bytes(Shop.answer((id, "1"), status: "200 OK"))
            }
        ) { shadow in
            for count in 1...3 {
                try await shadow.accept(
                    try exchange(get("/api/v1/orders/m1"), answer: Shop.answer(("m1", "1"), status: "200 OK")))
                #expect(try await shadow.verdicts()["mismatch"] == count)
                answers.withLock { _ = $0.removeFirst() }
                if answers.withLock({ $0.isEmpty }) { answers.withLock { $0 = ["s1"] } }
            }
            try await shadow.accept(
                try exchange(get("/api/v1/orders/m1"), answer: Shop.answer(("m1", "1"), status: "200 OK")))
            #expect(try await shadow.verdicts()["match"] == 1)
        }
    }

    @Test func `an answer whose identities may turn up yet is no mismatch`() async throws {
        // The store is away for as long as the test runs.
        struct Away: Error {}
        let identities = IdentityDirectory(ask: { _ in throw Away() })
        identities.learn([IdentityPair(kind: "$.orderId", monolith: "m1", service: "s1")], extraction: "orders")
        try await withShadow(
            try setup(identities),
            monolith: { _, _ in .json(#"{"items":[{"orderId":"m9"}]}"#) },
            service: { _, _ in .json(#"{"items":[{"orderId":"s9"}]}"#) }
        ) { shadow in
            try await shadow.accept(
                try exchange(get("/api/v1/orders"), answer: jsonAnswer(#"{"items":[{"orderId":"m9"}]}"#)))
            #expect(try await shadow.verdicts() == ["not-compared identity-unmapped": 1])
        }
    }
}
