import Comparison
import Testing

struct AnswerComparisonTests {
    private func kinds(_ result: ComparisonResult) -> [String] {
        result.differences.map { "\($0.kind.rawValue) \($0.path)" }
    }

    @Test func equalAnswersMatch() {
        let result = compare(json("{}"), json("{}"))
        #expect(result.verdict == .match)
        #expect(result.differences.isEmpty)
    }

    @Test func anotherStatusIsAMismatch() {
        let result = compare(json("{}", status: 404), json("{}", status: 400))
        #expect(result.differences == [Difference(path: "status", kind: .value, primary: "404", shadow: "400")])
        #expect(result.verdict == .mismatch)
    }

    @Test func contentTypesAreComparedByTheirParts() {
        let one = answer("x", type: "Text/HTML; charset=\"UTF-8\"; a=b")
        #expect(compare(one, answer("x", type: "text/html;A=b;charset=utf-8")).verdict == .match)
        #expect(kinds(compare(one, answer("x", type: "text/html"))) == ["value header.content-type"])
        #expect(kinds(compare(one, answer("x", type: "text/plain"))) == ["format header.content-type"])
        #expect(kinds(compare(one, answer("x", type: nil))) == ["missing header.content-type"])
        #expect(kinds(compare(answer("x", type: nil), one)) == ["extra header.content-type"])
    }

    @Test func onlyTheChosenHeadersAreCompared() {
        let with = { (fields: [(String, String)]) in
            answer("", type: nil, headers: fields.map { HeaderField(name: $0.0, value: $0.1) })
        }
        #expect(compare(with([("Date", "now")]), with([("Date", "later")])).verdict == .match)
        #expect(
            kinds(compare(with([("Location", "/a")]), with([("location", "/b")]))) == ["value header.location.path"])
        let rules = ComparisonRules(headers: ["X-List"])
        let two = with([("X-List", "a"), ("x-list", " b ")])
        #expect(compare(two, with([("X-LIST", "a"), ("X-List", "b")]), rules: rules).verdict == .match)
        #expect(kinds(compare(two, with([("X-List", "b"), ("X-List", "a")]), rules: rules)) == ["order header.x-list"])
        #expect(kinds(compare(two, with([("X-List", "a")]), rules: rules)) == ["length header.x-list"])
    }

    @Test func jsonIsRecognisedByItsSuffix() {
        let one = answer(#"{"a":1,"b":2}"#, type: "application/problem+json; charset=utf-8")
        let other = answer(#"{"b":2,"a":1}"#, type: "application/problem+json; charset=utf-8")
        #expect(compare(one, other).verdict == .match)
    }

    @Test func invalidJSONOnOneSideIsAFormatFault() throws {
        let result = compare(json("{}"), json("<html>"))
        #expect(kinds(result) == ["format body"])
        #expect(try #require(result.differences.first).shadow.contains("invalid JSON"))
        #expect(kinds(compare(json("nope"), json("no"))) == ["value body"])
        #expect(kinds(compare(json("no"), json("on"))) == ["value body"])
        #expect(
            kinds(compare(json("{}"), answer("no", type: "text/plain"))) == [
                "format header.content-type", "format body",
            ])
    }

    /// The header's difference is the header's: what else differs must not hide behind it.
    @Test func aBodyThatLooksLikeJSONOnBothSidesIsReadAsJSON() {
        #expect(kinds(compare(json("{}"), answer("{} ", type: "text/html"))) == ["format header.content-type"])
        let found = kinds(compare(answer(#"{"a":1}"#, type: "text/html"), answer(#"{"a":2}"#, type: "text/html")))
        #expect(found == ["value $.a"])
        let amazon = "application/x-amz-json-1.1"
        #expect(kinds(compare(answer("[1]", type: amazon), answer("[ 1 ]", type: amazon))) == [])
        let log = { (text: String) in answer(text, type: "text/plain") }
        #expect(kinds(compare(log("[info] a"), log("[info] b"))) == ["value $[0]"])
    }

    @Test func emptyBodiesAreMissingOrExtra() {
        #expect(kinds(compare(json("{}"), json(""))) == ["missing body"])
        #expect(kinds(compare(json(""), json("{}"))) == ["extra body"])
        #expect(compare(json(""), json("")).verdict == .match)
    }

    @Test func otherBodiesAreComparedByBytes() {
        let one = answer("abc", type: "image/png")
        #expect(kinds(compare(one, answer("abd", type: "image/png"))) == ["value body"])
        let longer = compare(one, answer("abcd", type: "image/png"))
        #expect(kinds(longer) == ["value body"])
        #expect(longer.differences[0].shadow.hasPrefix("4 bytes, hmac "))
        #expect(!longer.differences[0].shadow.contains("abcd"))
    }

    @Test func publicNamesStayAsTheyAre() {
        #expect(
            Verdict.allCases.map(\.rawValue) == [
                "match", "mismatch", "transient", "primary-failed", "shadow-failed", "not-compared",
            ])
        for reason in NotComparedReason.allCases {
            #expect(reason.rawValue.allSatisfy { $0 == "-" || ("a"..."z").contains($0) })
        }
    }
}
