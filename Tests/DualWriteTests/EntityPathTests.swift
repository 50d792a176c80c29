import Comparison
import DualWrite
import Extraction
import Testing

@Suite struct EntityPathTests {
    private let contract = ReadablePaths([
        "/api/v1/orders", "/api/v1/orders/{orderId}", "/api/v1/orders/{orderId}/items", "/api/v1/settings",
        "/api/v1/orders/latest",
    ])
    private let routes = ReadablePaths(["/api/v1/orders/**"])

    private func entity(
        _ method: String, _ path: String, _ status: Int = 200, location: String? = nil,
        _ identities: [(String, String)] = [], endpoint: String? = nil, in readable: ReadablePaths? = nil
    ) -> String? {
        EntityPath.of(
            method: method, path: path, status: status, location: location,
            identities: identities.map { EntityPath.Identity(name: $0.0, value: $0.1) }, endpoint: endpoint,
            in: readable ?? contract)
    }

    @Test func theLocationOfACreationComesFirst() {
        for location in ["/api/v1/orders/7", "http://shop.example/api/v1/orders/7", "//shop/api/v1/orders/7#top"] {
            #expect(
                entity("POST", "/api/v1/orders", 201, location: location, [("orderId", "8")]) == "/api/v1/orders/7")
        }
        #expect(entity("POST", "/api/v1/orders", 201, location: "orders/7") == "/api/v1/orders/7")
        #expect(entity("POST", "/api/v1/orders", 303, location: "/api/v1/orders/7") == "/api/v1/orders/7")
    }

    @Test func aLocationThatLeadsElsewhereNamesNothing() {
        for location in ["/login", "/api/v1/orders?id=7", "/api/v1/orders/../7", "", "http://shop.example"] {
            #expect(entity("POST", "/api/v1/orders", 303, location: location) == nil)
        }
        // A list is nobody's entity, and 200 and 302 name none.
        #expect(entity("POST", "/api/v1/orders", 303, location: "/api/v1/orders") == nil)
        #expect(entity("POST", "/api/v1/orders", 302, location: "/api/v1/orders/7") == nil)
        #expect(entity("POST", "/api/v1/orders", 303, location: "/api/v1/orders/7/x", in: routes) == nil)
    }

    @Test func aCreationWithoutLocationIsFoundBelowItsCollection() {
        let identities = [("createdAt", "2026-11-21T04:00:00Z"), ("orderId", "ord 1")]
        #expect(entity("POST", "/api/v1/orders", 201, identities) == "/api/v1/orders/ord%201")
        #expect(entity("POST", "/api/v1/orders", 200, [("orderId", "ord_1")]) == "/api/v1/orders/ord_1")
        #expect(entity("POST", "/api/v1/orders", 201, [("orderId", "ord_1")], in: routes) == "/api/v1/orders/ord_1")
        #expect(entity("POST", "/api/v1/orders", 201, [("orderId", "a/b")]) == nil)
        #expect(entity("POST", "/api/v1/orders", 201) == nil)
        #expect(entity("POST", "/api/v1/orders", 422, [("orderId", "ord_1")]) == nil)
    }

    @Test func anActionIsReadAtWhatItActsOn() {
        #expect(entity("POST", "/api/v1/orders/7/cancel", 200) == "/api/v1/orders/7")
        #expect(entity("POST", "/api/v1/orders/7/cancel", 200, [("orderId", "7")]) == "/api/v1/orders/7")
        #expect(entity("POST", "/api/v1/orders/7/items/3/move") == "/api/v1/orders/7/items")
        #expect(entity("POST", "/api/v1/orders/7/items", 201) == "/api/v1/orders/7/items")
        #expect(entity("POST", "/api/v1/orders/7/cancel", in: routes) == nil)
    }

    @Test func whatChangesAThingIsReadThere() {
        for method in ["PUT", "PATCH", "DELETE"] {
            #expect(entity(method, "/api/v1/orders/7?force=1", 204) == "/api/v1/orders/7")
            #expect(entity(method, "/api/v1/orders/7/status") == "/api/v1/orders/7")
            #expect(entity(method, "/api/v1/settings") == "/api/v1/settings")
            #expect(entity(method, "/api/v1/orders/7/status", in: routes) == "/api/v1/orders/7/status")
            #expect(entity(method, "/elsewhere") == nil)
            #expect(entity(method, "/elsewhere", in: ReadablePaths([])) == "/elsewhere")
        }
        // A list is nothing that a POST changes, as far as one can know.
        #expect(entity("POST", "/api/v1/settings") == nil)
    }

    @Test func aWordOfTheEndpointIsNoIdentity() {
        #expect(entity("POST", "/api/v1/orders/search") == "/api/v1/orders/search")
        #expect(entity("POST", "/api/v1/orders/search", endpoint: "POST /api/v1/orders/search") == nil)
        #expect(
            entity("POST", "/api/v1/orders/7/pay", endpoint: "POST /api/v1/orders/{id}/pay") == "/api/v1/orders/7")
        #expect(entity("POST", "/api/v1/orders/7/pay", endpoint: "POST /api/v1/orders/**") == "/api/v1/orders/7")
    }

    @Test func whatIsNoPlainPathNamesNothing() {
        for path in ["", "orders/7", "*", "/api/v1/orders/a b", "/api/v1/orders/..", "/api/v1/orders/é"] {
            #expect(entity("PATCH", path) == nil, "\(path)")
        }
        #expect(entity("PATCH", "/api/v1/orders/" + String(repeating: "x", count: 3_000)) == nil)
        #expect(entity("PATCH", String(repeating: "/x", count: 100), in: ReadablePaths([])) == nil)
    }

    @Test func aThingIsFoundByItsNameAloneOnlyIfOnePathEndsInIt() {
        let identity = EntityPath.Identity(name: "orderId", value: "ord 1")
        #expect(contract.path(of: identity) == "/api/v1/orders/ord%201")
        #expect(contract.path(of: EntityPath.Identity(name: "confirmation", value: "1")) == nil)
        #expect(contract.path(of: EntityPath.Identity(name: "id", value: "1")) == nil)
        let two = ReadablePaths(["/orders/{orderId}", "/users/{id}", "/orders/{orderId}/items/{id}", "/x/{a}.pdf"])
        #expect(two.path(of: identity) == "/orders/ord%201")
        #expect(two.path(of: EntityPath.Identity(name: "userId", value: "1")) == "/users/1")
        #expect(two.path(of: EntityPath.Identity(name: "id", value: "1")) == "/users/1")
        #expect(two.path(of: EntityPath.Identity(name: "number", value: "1")) == nil)
        #expect(routes.path(of: identity) == nil)
        #expect(contract.template(of: "/api/v1/orders/7?x=1") == "/api/v1/orders/{orderId}")
        #expect(routes.template(of: "/api/v1/orders/7") == "/api/v1/orders/**")
        #expect(routes.template(of: "/elsewhere") == nil)
    }

    @Test func ofAWrittenWrite() throws {
        var facts = WriteFacts(
            id: WriteID(high: 1, low: 2), sequence: 1, at: 0, extraction: "orders", endpoint: "POST /api/v1/orders",
            lane: 1, primary: .monolith)
        let rules = [IdentityRule(field: try PathPattern("$.orderId"), adopt: .body)]
        var write = OpenWrite(
            intent: WriteIntent(
                facts: facts, requestHead: Array("POST /api/v1/orders HTTP/1.1\r\nhost: x\r\n\r\n".utf8),
                requestBody: []))
        #expect(EntityPath.of(write, rules: rules, in: contract) == nil)
        write.outcome = WriteOutcome(
            answeredBy: .monolith, status: 201, nanoseconds: 1, answerHead: Array("HTTP/1.1 201 Created\r\n\r\n".utf8),
            answerBody: Array(#"{"orderId":1, "orderId" : "ord_1"}"#.utf8))
        #expect(EntityPath.of(write, rules: rules, in: contract) == "/api/v1/orders/ord_1")
        write.outcome?.answerHead = Array("HTTP/1.1 201 Created\r\nLocation: \t/api/v1/orders/9 \r\n\r\n".utf8)
        #expect(EntityPath.of(write, rules: rules, in: contract) == "/api/v1/orders/9")
        // Nobody knows whether it was carried out, but what it would have changed has a name.
        facts.endpoint = "PATCH /api/v1/orders/{orderId}"
        write = OpenWrite(
            intent: WriteIntent(
                facts: facts, requestHead: Array("PATCH /api/v1/orders/7 HTTP/1.1".utf8), requestBody: [])
        )
        #expect(EntityPath.of(write, rules: rules, in: contract) == "/api/v1/orders/7")
        write.intent.requestHead = []
        #expect(EntityPath.of(write, rules: rules, in: contract) == nil)
    }
}
