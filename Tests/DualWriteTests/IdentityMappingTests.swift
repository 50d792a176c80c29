import Comparison
import DualWrite
import Extraction
import Routing
import TestSupport
import Testing

/// Pairs in memory: `17` at the monolith is `s-17` at the service, and the like.
struct KnownPairs {
    var pairs: [IdentityPair]
    var isFinal = true

    func find(_ kind: String, _ side: Side, _ value: String) -> IdentityMapping.Partner {
        pairs.first { $0.kind == kind && $0.value(at: side) == value }.map { .known($0) } ?? .unknown(isFinal: isFinal)
    }
}

func mapping(
    _ rules: [IdentityRule], routes: [String] = ["/api/v1/orders/**"],
    templates: [String] = [
        "/api/v1/orders", "/api/v1/orders/search", "/api/v1/orders/{id}", "/api/v1/orders/{id}/items/{item}",
    ]
) throws -> IdentityMapping {
    try #require(
        IdentityMapping(rules: rules, routes: try routes.map { try RoutePattern(parsing: $0) }, templates: templates))
}

func order(_ places: IdentityPlaces = IdentityPlaces(), field: String = "$.orderId") throws -> IdentityRule {
    IdentityRule(field: try path(field), map: places)
}

let orders = KnownPairs(pairs: [
    IdentityPair(kind: "$.orderId", monolith: "17", service: "s/é 1", spelling: [.monolithNumber, .serviceString]),
    IdentityPair(kind: "$.orderId", monolith: "18", service: "s-18", spelling: [.monolithNumber, .serviceString]),
    IdentityPair(kind: "$.customerId", monolith: "17", service: "c-17"),
    IdentityPair(kind: "$.id", monolith: "17", service: "i-17"),
    IdentityPair(kind: "$.order.id", monolith: "17", service: "n-17"),
])

struct IdentityMappingTests {
    private func target(_ text: String, _ mapping: IdentityMapping, from side: Side = .monolith) -> String {
        let result = mapping.translated(
            .init(target: Array(text.utf8), fields: [], body: []), from: side, find: orders.find)
        let unmapped = result.unmapped.map { " ?\($0.kind)=\($0.value)" }.joined()
        return String(decoding: result.target, as: UTF8.self) + unmapped
    }

    @Test(arguments: [
        // The parameter behind the collection, whatever it is called; never a fixed segment, never a part of a segment.
        ("/api/v1/orders/17", "/api/v1/orders/s%2F%C3%A9%201"),
        ("/api/v1/orders/%31%37", "/api/v1/orders/s%2F%C3%A9%201"),
        ("/api/v1/orders/17;v=1/items/17", "/api/v1/orders/s%2F%C3%A9%201;v=1/items/17"),
        ("/api/v1/orders", "/api/v1/orders"),
        ("/api/v1/orders/", "/api/v1/orders/"),
        (
            "/api/v1/orders/search?orderId=17&x=17&order_id=18",
            "/api/v1/orders/search?orderId=s%2F%C3%A9%201&x=17&order_id=s-18"
        ),
        ("/api/v1/orders/search?q=a+b&orderId=&orderId&", "/api/v1/orders/search?q=a+b&orderId=&orderId&"),
        ("/api/v1/orders/search?orderId[]=18&orderIds=18", "/api/v1/orders/search?orderId[]=s-18&orderIds=s-18"),
        ("/api/v1/orders/170", "/api/v1/orders/170 ?$.orderId=170"),
        ("/api/v1/orders/9?orderId=9&orderId=8", "/api/v1/orders/9?orderId=9&orderId=8 ?$.orderId=9 ?$.orderId=8"),
        // Nothing is written of it: the collection alone says it.
        ("/api/v1/orders/17/a/b/c", "/api/v1/orders/s%2F%C3%A9%201/a/b/c"),
        ("/other/orders/18/x", "/other/orders/s-18/x"),
        ("/other/17", "/other/17"),
        ("*", "*"), ("", ""), ("/", "/"), ("/api/v1/orders/?", "/api/v1/orders/?"),
    ])
    func pathsAndQueriesAreTranslatedByWholeValues(given: String, expected: String) throws {
        #expect(target(given, try mapping([try order()])) == expected)
    }

    @Test func aParameterOfTheFieldsNameIsOneAnywhere() throws {
        let found = try mapping(
            [try order()], routes: ["/shipping/**"], templates: ["/shipping/{order_id}/labels/{label}"])
        #expect(target("/shipping/18/labels/18", found) == "/shipping/s-18/labels/18")
    }

    @Test func severalRulesDoNotTakeEachOthersPlaces() throws {
        let rules = [try order(), try order(field: "$.customerId")]
        let found = try mapping(
            rules, routes: ["/customers/{customerId}/orders/**"], templates: ["/customers/{customerId}/orders/{id}"])
        #expect(
            target("/customers/17/orders/17?customerId=17", found)
                == "/customers/c-17/orders/s%2F%C3%A9%201?customerId=c-17")
    }

    @Test func whatIsAdoptedIsNotTranslated() throws {
        let adopted = IdentityRule(field: try path("$.orderId"), adopt: .body)
        let found = try mapping([adopted, try order(field: "$.customerId")])
        #expect(target("/api/v1/orders/17", found) == "/api/v1/orders/17")
        #expect(IdentityMapping(rules: [adopted], routes: [], templates: []) == nil)
    }

    @Test func aBareFieldIsTheRoutesCollections() throws {
        let bare = try mapping([try order(field: "$.id")])
        #expect(target("/api/v1/orders/17/items/17", bare) == "/api/v1/orders/i-17/items/17")
        #expect(target("/api/v1/orders?id=17", bare) == "/api/v1/orders?id=i-17")
        let other = try mapping(
            [try order(field: "$.id")], routes: ["/t/{tenant}/bestellungen", "/t/{tenant}/bestellungen/{nr}"],
            templates: [])
        #expect(target("/t/17/bestellungen/17", other) == "/t/17/bestellungen/i-17")
        let nested = try mapping([try order(field: "$.order.id")])
        #expect(target("/api/v1/orders/17?orderId=17&id=17", nested) == "/api/v1/orders/n-17?orderId=n-17&id=17")
    }

    @Test func theOnlyRuleTakesTheRoutesCollectionByWhateverName() throws {
        let found = try mapping([try order()], routes: ["/bestellungen/**"], templates: [])
        #expect(target("/bestellungen/18/x", found) == "/bestellungen/s-18/x")
        // But not where the rule's own is found.
        let own = try mapping([try order()], routes: ["/customers/{customer}/orders"], templates: [])
        #expect(target("/customers/18/orders", own) == "/customers/18/orders")
    }

    @Test func placesThatAreSaidReplaceTheDefaults() throws {
        let none = try mapping([try order(IdentityPlaces(path: [], query: []))])
        #expect(target("/api/v1/orders/17?orderId=17", none) == "/api/v1/orders/17?orderId=17")
        let named = try mapping([try order(IdentityPlaces(path: ["item"], query: ["ref"]))])
        #expect(target("/api/v1/orders/17/items/18?REF=18", named) == "/api/v1/orders/17/items/s-18?REF=s-18")
        let prefix = try mapping([try order(IdentityPlaces(path: ["/api/{version}/orders/{id}"]))])
        #expect(target("/api/v9/Orders/18/items/18", prefix) == "/api/v9/Orders/s-18/items/18")
        #expect(target("/api/v1/orders/search", prefix) == "/api/v1/orders/search")
    }

    @Test func theOtherDirectionIsTheInverse() throws {
        let found = try mapping([try order()])
        for given in ["/api/v1/orders/17?orderId=18", "/api/v1/orders/18/items/3?orderIds=17"] {
            let there = target(given, found)
            #expect(there != given)
            #expect(target(there, found, from: .service) == given)
        }
    }

    // MARK: - Bodies and headers

    private func body(
        _ text: String, _ mapping: IdentityMapping, from side: Side = .monolith, type: String? = "application/json"
    ) -> String {
        let fields = type.map { [HeaderField(name: "content-type", value: $0)] } ?? []
        let result = mapping.translated(
            .init(target: Array("/api/v1/orders".utf8), fields: fields, body: Array(text.utf8)), from: side,
            find: orders.find)
        let unmapped = result.unmapped.map { " ?\($0.value)" }.joined()
        return result.isUnreadable ? "unreadable" : String(decoding: result.body, as: UTF8.self) + unmapped
    }

    @Test(arguments: [
        (#"{"orderId":17,"n":17}"#, #"{"orderId":"s\/é 1","n":17}"#),
        (
            #"{ "a": [ {"orderId" : "18"} ] , "orderIds":[17,null,18]}"#,
            #"{ "a": [ {"orderId" : "s-18"} ] , "orderIds":["s/é 1",null,"s-18"]}"#
        ),
        (#"{"orderId":null,"b":{"orderId":true}}"#, #"{"orderId":null,"b":{"orderId":true}}"#),
        (#"{"orderId":"","orderIds":[]}"#, #"{"orderId":"","orderIds":[]}"#),
        (#"{"\u006frderId":"\u0031\u0038"}"#, #"{"\u006frderId":"s-18"}"#),
        (#"{"orderId":18,"orderId":17}"#, #"{"orderId":"s-18","orderId":"s/é 1"}"#),
        (#"{"orderId":[[18]]}"#, #"{"orderId":[[18]]}"#),
        (#"{"orderId":3,"x":{"orderId":"3"}}"#, #"{"orderId":3,"x":{"orderId":"3"}} ?3"#),
        (#"{"orderid":17,"xorderId":17}"#, #"{"orderid":17,"xorderId":17}"#),
        ("[1", "unreadable"),
        ("", ""),
    ])
    func jsonBodiesKeepEveryOtherByte(given: String, expected: String) throws {
        #expect(body(given, try mapping([try order()])) == expected.replacing(#"\/"#, with: "/"))
    }

    @Test func aPartnerIsWrittenAsItsSideWritesIt() throws {
        let found = try mapping([try order()])
        #expect(body(#"{"orderId":"s-18"}"#, found, from: .service) == #"{"orderId":18}"#)
        // Written otherwise than its own side answers: so may the other be.
        #expect(body(#"{"orderId":"18"}"#, found) == #"{"orderId":"s-18"}"#)
        let unknown = KnownPairs(pairs: [IdentityPair(kind: "$.orderId", monolith: "17", service: "99")])
        for (given, expected) in [
            (#"{"orderId":17}"#, #"{"orderId":99}"#), (#"{"orderId":"17"}"#, #"{"orderId":"99"}"#),
        ] {
            let result = found.translated(
                .init(target: [], fields: [], body: Array(given.utf8)), from: .monolith, find: unknown.find)
            #expect(String(decoding: result.body, as: UTF8.self) == expected)
        }
    }

    @Test func otherBodies() throws {
        let found = try mapping([try order()])
        #expect(
            body("a=17&orderId=18&b=%20", found, type: "application/x-www-form-urlencoded") == "a=17&orderId=s-18&b=%20"
        )
        #expect(
            body("{\"orderId\":18}\n{\"orderId\":17}\n", found, type: "application/x-ndjson")
                == "{\"orderId\":\"s-18\"}\n{\"orderId\":\"s/é 1\"}\n")
        #expect(body("<orderId>17</orderId>", found, type: "application/xml") == "unreadable")
        #expect(body("--x\r\n", found, type: "multipart/form-data; boundary=x") == "unreadable")
        #expect(body("17", found, type: "text/plain") == "17")
        #expect(body("\u{1}", found, type: nil) == "\u{1}")
        let bodiless = try mapping([try order(IdentityPlaces(body: []))])
        #expect(body("<orderId>17</orderId>", bodiless, type: "application/xml") == "<orderId>17</orderId>")
        #expect(body(#"{"orderId":17}"#, bodiless) == #"{"orderId":17}"#)
    }

    @Test func anEncodedBodyIsDecodedOnlyWhereSomethingStandsInIt() throws {
        // {"orderId":"ord_1"}
        let zipped: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x2F, 0x4A, 0x49, 0x2D, 0xF2,
            0x4C, 0x51, 0xB2, 0x02, 0xB1, 0xE2, 0x0D, 0x95, 0x6A, 0x01, 0x84, 0xD4, 0xD2, 0xC9, 0x13, 0x00, 0x00, 0x00,
        ]
        let pairs = KnownPairs(pairs: [IdentityPair(kind: "$.orderId", monolith: "ord_1", service: "7")])
        let fields = [
            HeaderField(name: "Content-Type", value: "application/json"),
            HeaderField(name: "Content-Encoding", value: "gzip"),
        ]
        let found = try mapping([try order()])
        let result = found.translated(
            .init(target: [], fields: fields, body: zipped), from: .monolith, find: pairs.find)
        #expect(String(decoding: result.body, as: UTF8.self) == #"{"orderId":"7"}"#)
        #expect(result.isDecoded)
        let cut = found.translated(
            .init(target: [], fields: fields, body: zipped.dropLast(3)), from: .monolith, find: pairs.find)
        #expect(cut.isUnreadable)
        let other = try mapping([try order(IdentityPlaces(body: [path("$.no")]))])
        let kept = other.translated(.init(target: [], fields: fields, body: zipped), from: .monolith, find: pairs.find)
        #expect(kept.body == zipped && !kept.isDecoded && !kept.isUnreadable)
    }

    @Test func headersThatAreNamed() throws {
        let found = try mapping([try order(IdentityPlaces(headers: ["X-Order-Id"]))])
        let fields = ["18", "", "17", "5"].map { HeaderField(name: "x-order-id", value: $0) }
        let result = found.translated(
            .init(target: [], fields: fields + [HeaderField(name: "If-Match", value: "18")], body: []), from: .monolith,
            find: orders.find)
        #expect(result.values == [0: "s-18"])
        #expect(result.unmapped.map(\.value) == ["5"])
        // `s/é 1` cannot stand in a header.
        #expect(result.isUnreadable)
    }

    @Test func anIdentityIsItsBytes() throws {
        let known = KnownPairs(pairs: [IdentityPair(kind: "$.orderId", monolith: "\u{E9}", service: "1")])
        let found = try mapping([try order()])
        for (given, count) in [("%C3%A9", 0), ("e%CC%81", 1)] {
            let result = found.translated(
                .init(target: Array("/api/v1/orders/\(given)".utf8), fields: [], body: []), from: .monolith,
                find: known.find)
            #expect(result.unmapped.count == count)
        }
    }

    @Test func whatIsTheSameAtBothSidesStays() throws {
        let found = try mapping([try order(IdentityPlaces(same: LinearRegex("old_[0-9]+")))])
        #expect(
            target("/api/v1/orders/old_1?orderId=old_x", found) == "/api/v1/orders/old_1?orderId=old_x ?$.orderId=old_x"
        )
    }

    // MARK: - Whatever comes

    @Test func thereAndBackAgainIsTheSameForAnyBody() throws {
        var generator = SeededGenerator(seed: 61)
        let found = try mapping([try order()])
        let ids = (0..<20).map { "\($0)" }
        let known = KnownPairs(
            pairs: ids.map {
                IdentityPair(
                    kind: "$.orderId", monolith: $0, service: "s\($0)\"\\", spelling: [.monolithNumber, .serviceString])
            })
        for _ in 0..<300 {
            let id = ids.randomElement(using: &generator) ?? "1"
            let inner = RandomJSON.object([
                ("orderId", .literal(id)), ("rest", .random(depth: 2, using: &generator)),
            ])
            let text = RandomJSON.array([.random(depth: 2, using: &generator), inner]).text(using: &generator)
            let request = IdentityMapping.Request(
                target: Array("/api/v1/orders/\(id)?orderId=\(id)".utf8), fields: [], body: Array(text.utf8))
            let there = found.translated(request, from: .monolith, find: known.find)
            #expect(there.unmapped.isEmpty && !there.isUnreadable)
            #expect(there.body != request.body)
            let back = found.translated(
                .init(target: there.target, fields: [], body: there.body), from: .service, find: known.find)
            #expect(back.body == request.body && back.target == request.target)
        }
    }

    @Test func anyBytesAreTaken() throws {
        var generator = SeededGenerator(seed: 62)
        let found = try mapping([try order(IdentityPlaces(headers: ["X"]))])
        let alphabet = Array("/?&=%;.:#orderId17{}[]\",\\ \u{0}é+".utf8)
        for _ in 0..<2_000 {
            func bytes(_ count: Int) -> [UInt8] {
                (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            }
            let text = String(decoding: bytes(12), as: UTF8.self)
            let fields = [HeaderField(name: "X", value: text), HeaderField(name: "Location", value: text)]
            let request = IdentityMapping.Request(target: bytes(30), fields: fields, body: bytes(40))
            _ = found.translated(request, from: .monolith, find: orders.find)
            let answer = Answer(status: 201, headers: fields, body: bytes(40))
            _ = found.translated(answer, from: .service, find: orders.find)
            _ = found.pairs(method: "POST", target: bytes(20), answer: answer, from: .monolith, other: answer)
        }
    }
}
