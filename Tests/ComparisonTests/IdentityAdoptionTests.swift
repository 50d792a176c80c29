import Comparison
import DualWrite
import TestSupport
import Testing

struct IdentityAdoptionTests {
    private func apply(
        _ field: String, _ adoption: IdentityRule.Adoption = .body, answer: String, request: String
    ) throws -> IdentityAdoption.Adopted {
        IdentityAdoption.apply(
            rules: [IdentityRule(field: try path(field), adopt: adoption)], primaryAnswer: Array(answer.utf8),
            shadowRequestBody: Array(request.utf8))
    }

    @Test(arguments: [
        ("$.id", #"{"id":"ord_1"}"#, #"{"a":1}"#, #"{"a":1,"id":"ord_1"}"#),
        ("$.id", #"{"id":1.50}"#, " {\n \"a\" : [1 , 2]\n} ", " {\n \"a\" : [1 , 2],\"id\":1.50\n} "),
        ("$.id", #"{"id":"x"}"#, "{ }", #"{"id":"x" }"#),
        ("$.id", #"{"id":"n\u0065w"}"#, #"{"\u0069d" : "old", "b":2}"#, #"{"\u0069d" : "n\u0065w", "b":2}"#),
        ("$.id", #"{"id":2}"#, #"{"id":0,"id":1}"#, #"{"id":2,"id":2}"#),
        ("$.o.id", #"{"o":{"id":7}}"#, #"{"o":{"x":1}}"#, #"{"o":{"x":1,"id":7}}"#),
        ("$.o.p.id", #"{"o":{"p":{"id":7}}}"#, #"{"a":1}"#, #"{"a":1,"o":{"p":{"id":7}}}"#),
        ("$['it\"s']", #"{"it\"s":7}"#, "{}", #"{"it\"s":7}"#),
    ])
    func theFieldIsSetAndEverythingElseKeepsItsBytes(field: String, answer: String, request: String, expected: String)
        throws
    {
        let adopted = try apply(field, answer: answer, request: request)
        #expect(String(decoding: adopted.body, as: UTF8.self) == expected)
        #expect(adopted.missing.isEmpty && adopted.unplaced.isEmpty && adopted.headers.isEmpty)
    }

    @Test(arguments: ["", "{}", "[]", "nonsense", #"{"id":null}"#, #"{"x":{"id":1}}"#])
    func anAnswerWithoutTheFieldLeavesTheRequestAsItIs(answer: String) throws {
        let adopted = try apply("$.id", answer: answer, request: #"{"a":1}"#)
        #expect(adopted == IdentityAdoption.Adopted(body: Array(#"{"a":1}"#.utf8), missing: ["$.id"]))
    }

    @Test(arguments: ["", "[]", "nonsense", "1"])
    func aRequestWithoutAPlaceForItSaysSo(request: String) throws {
        let adopted = try apply("$.id", answer: #"{"id":1}"#, request: request)
        #expect(adopted == IdentityAdoption.Adopted(body: Array(request.utf8), unplaced: ["$.id"]))
        let nested = try apply("$.o.id", answer: #"{"o":{"id":1}}"#, request: #"{"o":3}"#)
        #expect(nested.unplaced == ["$.o.id"])
    }

    @Test func aPatternThatNamesNoSingleFieldIsMissing() throws {
        #expect(try apply("$..id", answer: #"{"id":1}"#, request: "{}").missing == ["$..id"])
        #expect(try apply("$.ids[0]", answer: #"{"ids":[1]}"#, request: "{}").missing == ["$.ids[0]"])
    }

    @Test func aHeaderCarriesTheValueWithoutQuotes() throws {
        let adopted = try apply("$.id", .header("X-Order-Id"), answer: #"{"id":"ord_\u0031"}"#, request: "raw")
        #expect(adopted.headers == [HeaderField(name: "X-Order-Id", value: "ord_1")])
        #expect(adopted.body == Array("raw".utf8))
        #expect(try apply("$.id", .header("X"), answer: #"{"id":12}"#, request: "").headers.first?.value == "12")
    }

    @Test(arguments: [#""a\r\nEvil: 1""#, #""""#, #"" a""#, #""é""#, #"{"x":1}"#, "[1]", #""\u0000""#])
    func aValueThatCouldBreakTheHeadIsNotPutThere(value: String) throws {
        let adopted = try apply("$.id", .header("X"), answer: "{\"id\":\(value)}", request: "{}")
        #expect(adopted.headers.isEmpty)
        #expect(adopted.unplaced == ["$.id"])
    }

    @Test func severalRulesAllApply() throws {
        let rules = [
            IdentityRule(field: try path("$.id"), adopt: .body), IdentityRule(field: try path("$.no"), adopt: .body),
            IdentityRule(field: try path("$.at"), adopt: .header("X-At")),
            IdentityRule(field: try path("$.gone"), adopt: .body),
        ]
        let adopted = IdentityAdoption.apply(
            rules: rules, primaryAnswer: Array(#"{"id":1,"no":"2","at":"now"}"#.utf8),
            shadowRequestBody: Array("{}".utf8))
        #expect(String(decoding: adopted.body, as: UTF8.self) == #"{"id":1,"no":"2"}"#)
        #expect(adopted.headers == [HeaderField(name: "X-At", value: "now")])
        #expect(adopted.missing == ["$.gone"])
    }

    @Test func theAdoptedBodyDiffersFromTheRequestOnlyInTheField() throws {
        var generator = SeededGenerator(seed: 51)
        for _ in 0..<300 {
            let members = (0..<4).map { ("k\($0)", RandomJSON.random(depth: 2, using: &generator)) }
            let request = RandomJSON.object(members.map { (name: $0.0, value: $0.1) }).text(using: &generator)
            let adopted = try apply("$.id", answer: #"{"id":"new"}"#, request: request)
            let found = differences(request, String(decoding: adopted.body, as: UTF8.self))
            #expect(found == ["extra $.id"])
            #expect(adopted.body.count == request.utf8.count + #","id":"new""#.utf8.count)
        }
    }
}
