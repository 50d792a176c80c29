import Comparison
import DualWrite
import Extraction
import Testing

struct IdentityLearningTests {
    private func answer(_ body: String, status: Int = 201, location: String? = nil) -> Answer {
        let fields = location.map { [HeaderField(name: "Location", value: $0)] } ?? []
        return Answer(
            status: status, headers: fields + [HeaderField(name: "Content-Type", value: "application/json")],
            body: Array(body.utf8))
    }

    private func learned(
        _ one: Answer, _ other: Answer, _ rule: IdentityRule, method: String = "POST",
        target: String = "/api/v1/orders",
        from side: Side = .monolith
    ) throws -> [String] {
        try mapping([rule]).pairs(method: method, target: Array(target.utf8), answer: one, from: side, other: other)
            .map { "\($0.monolith)=\($0.service)" }
    }

    @Test func aCreationTellsOfAPairByWhoAnswered() throws {
        let found = try mapping([try order()])
        let (one, two) = (answer(#"{"orderId":17}"#), answer(#"{"orderId":"x"}"#))
        let target = Array("/api/v1/orders?dry=0".utf8)
        #expect(
            found.pairs(method: "POST", target: target, answer: one, from: .monolith, other: two) == [
                IdentityPair(
                    kind: "$.orderId", monolith: "17", service: "x", spelling: [.monolithNumber, .serviceString])
            ])
        #expect(
            found.pairs(method: "POST", target: target, answer: one, from: .service, other: two) == [
                IdentityPair(
                    kind: "$.orderId", monolith: "x", service: "17", spelling: [.monolithString, .serviceNumber])
            ])
    }

    @Test(arguments: [
        ("POST", "/api/v1/orders", 201, true), ("POST", "/api/v1/orders", 200, true),
        ("POST", "/api/v1/orders/", 202, true),
        ("POST", "/api/v1/orders/latest/copy", 201, true), ("PUT", "/api/v1/orders/draft", 201, true),
        // It may be about another thing at each side.
        ("POST", "/api/v1/orders/latest/cancel", 200, false), ("PATCH", "/api/v1/orders", 200, false),
        ("GET", "/api/v1/orders", 200, false), ("POST", "/api/v1/orders", 409, false),
        ("PUT", "/api/v1/orders/1", 200, false),
    ])
    func onlyCreationsTell(method: String, target: String, status: Int, tells: Bool) throws {
        let pairs = try learned(
            answer(#"{"orderId":1}"#, status: status), answer(#"{"orderId":2}"#), try order(), method: method,
            target: target)
        #expect(pairs == (tells ? ["1=2"] : []))
    }

    @Test func endpointsThatCreateCanBeSaid() throws {
        let rule = try order(IdentityPlaces(creates: ["POST /api/v1/{what}/place"]))
        let (one, two) = (answer(#"{"orderId":1}"#, status: 200), answer(#"{"orderId":2}"#, status: 200))
        #expect(try learned(one, two, rule, target: "/api/v1/order/place") == ["1=2"])
        #expect(try learned(one, two, rule, target: "/api/v1/orders") == [])
        #expect(try learned(one, two, rule, method: "PUT", target: "/api/v1/order/place") == [])
    }

    @Test(arguments: [
        (#"{}"#, #"{"orderId":2}"#), (#"{"orderId":1}"#, "{}"), (#"{"orderId":null}"#, #"{"orderId":2}"#),
        (#"{"orderId":""}"#, #"{"orderId":2}"#), (#"{"orderId":1,"orderId":3}"#, #"{"orderId":2}"#),
        (#"{"orderId":[1,3]}"#, #"{"orderId":[2]}"#), (#"{"orderId":".."}"#, #"{"orderId":2}"#),
        (#"{"orderId":"a\u0000"}"#, #"{"orderId":2}"#), (#"{"orderId":{"a":1}}"#, #"{"orderId":2}"#),
        (#"{"orderId":"\ud800"}"#, #"{"orderId":2}"#), ("", ""), ("[", "{"),
    ])
    func whatIsNotClearTellsNothing(one: String, other: String) throws {
        #expect(try learned(answer(one), answer(other), try order()) == [])
        #expect(try learned(answer(other), answer(one), try order()) == [])
    }

    @Test func aLocationTellsWhereTheBodiesDoNot() throws {
        let rule = try order()
        let one = answer("", location: "https://shop.example/api/v1/orders/a%2F1?x=1#y")
        #expect(try learned(one, answer("", location: "/api/v1/orders/2"), rule) == ["a/1=2"])
        #expect(try learned(one, answer("", location: "/orders/2"), rule) == ["a/1=2"])
        #expect(try learned(one, answer("", location: "/elsewhere/2"), rule) == [])
        #expect(try learned(one, answer("", location: "/api/v1/orders/search"), rule) == [])
        #expect(try learned(one, answer(""), rule) == [])
        #expect(try learned(one, answer("", location: "/orders/2"), try order(IdentityPlaces(location: false))) == [])
    }

    @Test func aListTellsOnlyWhereItIsSaid() throws {
        let items = { (ids: String) in
            answer("{\"orders\":[\(ids.split(separator: ",").map { "{\"orderId\":\($0)}" }.joined(separator: ","))]}")
        }
        #expect(try learned(items("1,2"), items("3,4"), try order()) == [])
        let rule = try order(IdentityPlaces(learn: [path("$.orders[*].orderId")]))
        #expect(try learned(items("1,2"), items("3,4"), rule) == ["1=3", "2=4"])
        #expect(try learned(items("1,2"), items("3"), rule) == [])
        #expect(try learned(items("1,2"), items("3,3"), rule) == [])
        #expect(try learned(items("1,1"), items("3,4"), rule) == [])
    }

    @Test func whatIsTheSameAtBothSidesIsNoPair() throws {
        let rule = try order(IdentityPlaces(same: LinearRegex("[a-c]")))
        #expect(try learned(answer(#"{"orderId":"a"}"#), answer(#"{"orderId":"a"}"#), rule) == [])
    }

    // MARK: - Answers in the other side's words

    private func translated(_ answer: Answer, _ known: KnownPairs = orders, from side: Side = .service) throws -> (
        String, Bool
    ) {
        let result = try mapping([try order()]).translated(answer, from: side, find: known.find)
        let location = result.answer.values(of: "location").map { " " + $0 }.joined()
        return (String(decoding: result.answer.body, as: UTF8.self) + location, result.isUncertain)
    }

    @Test func anAnswerIsPutInTheOtherSidesWords() throws {
        let list = answer(
            #"{"items":[{"orderId":"s-18"},{"orderId":"new"}]}"#, location: "http://h:1/api/v1/orders/s-18?a=b#c")
        #expect(
            try translated(list)
                == (#"{"items":[{"orderId":18},{"orderId":"new"}]} http://h:1/api/v1/orders/18?a=b#c"#, false))
        #expect(try translated(list, KnownPairs(pairs: orders.pairs, isFinal: false)).1)
        #expect(try translated(answer(#"{"orderId":18}"#), from: .monolith) == (#"{"orderId":"s-18"}"#, false))
    }

    @Test func theOtherSidesOwnNameIsADifference() throws {
        // The service echoes the monolith's name, under which it knows nothing itself.
        #expect(try translated(answer(#"{"orderId":"18"}"#)).0 == #"{"orderId":"18 (at the monolith: s-18 here)"}"#)
        #expect(try translated(answer(#"{"orderId":"nobody's"}"#)).0 == #"{"orderId":"nobody's"}"#)
    }
}
