import Comparison
import Extraction
import FoundationEssentials
import Testing

/// Bodies that are compared though they were compressed, or too large to be kept.
struct BodyReadingTests {
    private func kinds(_ result: Comparison.ComparisonResult) -> [String] {
        result.differences.map { "\($0.kind.rawValue) \($0.path)" }
    }

    private func coded(_ body: [UInt8], _ codings: String..., type: String? = "application/json") -> Answer {
        let headers = codings.map { HeaderField(name: "Content-Encoding", value: $0) }
        var result = answer("", type: type, headers: headers)
        result.body = body
        return result
    }

    private let plain = json(Coded.text)

    // MARK: - Content codings

    @Test func `bodies match whatever they were encoded with`() {
        let all = [
            plain, coded(Coded.gzip, "gzip"), coded(Coded.gzipMembers, "GZIP"), coded(Coded.zlib, "deflate"),
            coded(Coded.brotli, "br"), coded(Coded.zstd, "identity, zstd"), coded(Coded.zstdFrames, "identity", "zstd"),
        ]
        for one in all { for other in all { #expect(compare(one, other).verdict == .match) } }
    }

    @Test func `decoded bodies are compared as documents, under the rules`() throws {
        let newer = json(Coded.text.replacing("ord_1", with: "ord_2").replacing(",", with: ", "))
        let one = coded(Coded.gzip, "gzip")
        let result = compare(one, newer)
        #expect(
            result.differences == [Difference(path: "$.id", kind: .value, primary: #""ord_1""#, shadow: #""ord_2""#)])
        let rules = ComparisonRules(ignore: [IgnoreRule(path: try path("$.id"))])
        #expect(compare(one, newer, rules: rules).verdict == .match)
    }

    @Test func `the coding itself is a difference only where it was asked for`() {
        let rules = ComparisonRules(headers: ["Content-Encoding"])
        #expect(kinds(compare(coded(Coded.gzip, "gzip"), plain, rules: rules)) == ["missing header.content-encoding"])
    }

    @Test func `under an unknown coding only identical bodies match`() {
        let made = { (text: String, coding: String) in self.coded(Array(text.utf8), coding) }
        #expect(compare(made("abc", "made-up"), made("abc", "Made-Up")).verdict == .match)
        #expect(compare(made("abc", "made-up"), made("abd", "made-up")).notCompared == .contentEncoding)
        #expect(compare(made("abc", "made-up"), made("abc", "gzip")).notCompared == .contentEncoding)
        #expect(compare(made("abc", "made-up"), plain).verdict == .notCompared)
        let five = coded(Coded.gzip, "gzip, gzip, gzip, gzip, gzip")
        #expect(compare(five, plain).notCompared == .contentEncoding)
    }

    @Test func `a bomb is not compared, unless both sides sent the same one`() {
        let bomb = coded(Coded.gibibyteThreeTimes, "gzip, gzip, gzip")
        #expect(compare(bomb, plain).notCompared == .decodedTooLarge)
        #expect(compare(plain, bomb).verdict == .notCompared)
        #expect(compare(coded(Array(Coded.gzip.dropLast(1)), "gzip"), bomb).notCompared == .decodedTooLarge)
        #expect(compare(bomb, bomb).verdict == .match)
        let size = Coded.text.utf8.count
        let one = coded(Coded.gzip, "gzip")
        #expect(compare(one, plain, limits: ComparisonLimits(decodedBytes: size)).verdict == .match)
        #expect(compare(one, plain, limits: ComparisonLimits(decodedBytes: size - 1)).notCompared == .decodedTooLarge)
    }

    @Test func `a body that cannot be decoded on one side is a format fault, and says so`() throws {
        var broken = Coded.gzip
        broken[50] ^= 0xFF
        let result = compare(plain, coded(broken, "gzip"))
        #expect(kinds(result) == ["format body"])
        let difference = try #require(result.differences.first)
        #expect(difference.primary.hasPrefix("\(Coded.text.utf8.count) bytes, hmac "))
        #expect(difference.shadow.hasPrefix("corrupt gzip, \(broken.count) bytes, hmac "))
        let cut = compare(coded(Array(Coded.brotli.dropLast(3)), "br"), coded(Coded.gzip, "gzip"))
        #expect(kinds(cut) == ["format body"])
        #expect(try #require(cut.differences.first).primary.hasPrefix("br that is cut short, "))
        let hidden = compare(
            plain, coded(broken, "gzip"), rules: ComparisonRules(ignore: [IgnoreRule(path: try path("body"))]))
        #expect(hidden.verdict == .match && hidden.hiddenByRule == [1])
    }

    @Test func `bodies that neither side can decode are compared by bytes`() {
        let broken = { (text: String) in self.coded(Array(text.utf8), "gzip") }
        #expect(kinds(compare(broken("abc"), broken("abd"))) == ["value body"])
        #expect(kinds(compare(broken("abc"), broken("abcd"))) == ["value body"])
        #expect(compare(broken("abc"), broken("abc")).verdict == .match)
    }

    @Test func `an answer without a body has none, whatever coding it names`() {
        #expect(compare(coded([], "gzip"), coded([], "br")).verdict == .match)
        #expect(kinds(compare(coded([], "gzip"), plain)) == ["extra body"])
        #expect(kinds(compare(coded(Coded.gzip, "gzip"), coded([], "gzip"))) == ["missing body"])
    }

    @Test func `records show decoded bodies, redacted, and the size as captured`() throws {
        let one = redactor.recorded(answer: coded(Coded.gzip, "gzip"), rules: .none)
        #expect(one.body == Coded.text)
        #expect(one.bodyBytes == Coded.gzip.count)
        let rules = ComparisonRules(redact: [try path("$.id")])
        let hidden = redactor.recorded(answer: coded(Coded.zstd, "zstd"), rules: rules)
        let text = try #require(hidden.body)
        #expect(!text.contains("ord_1"))
        #expect(text == Coded.text.replacing("ord_1", with: redactor.token("ord_1".utf8)))
        let request = redactor.recorded(
            method: "PUT", target: "/", headers: [HeaderField(name: "content-encoding", value: "br")],
            body: Coded.brotli, rules: .none)
        #expect(request.body == Coded.text)
    }

    @Test func `a record of a body that cannot be decoded shows nothing of it`() throws {
        let text = Array("ord_1".utf8)
        let bomb = coded(Coded.gibibyteThreeTimes, "gzip, gzip, gzip")
        for odd in [coded(text, "gzip"), coded(text, "made-up"), bomb] {
            #expect(redactor.recorded(answer: odd, rules: .none).body == nil)
            let token = redactor.recorded(answer: odd, rules: ComparisonRules(redact: [try path("$.id")])).body
            #expect(token == "\(redactor.token(odd.body)) (\(odd.body.count) bytes)")
        }
    }

    // MARK: - Over the cap

    private let opaque = "application/octet-stream"

    private func large(_ text: String, _ type: String? = "application/octet-stream", coding: String? = nil) -> Answer {
        let headers = coding.map { [HeaderField(name: "Content-Encoding", value: $0)] } ?? []
        return hashed(answer(text, type: type, headers: headers))
    }

    @Test func `bodies over the cap match by length and hash`() {
        #expect(compare(large("abc"), large("abc")).verdict == .match)
        #expect(compare(large("abc"), answer("abc", type: opaque)).verdict == .match)
        #expect(compare(answer("{}", type: "application/json"), large("{}", "application/json")).verdict == .match)
        #expect(compare(large("abc", coding: "gzip"), large("abc", coding: "gzip")).verdict == .match)
    }

    @Test func `bodies over the cap that differ say how they were compared`() {
        let one = compare(large("abc"), large("abd"))
        let size = "3 bytes, compared by hash, over the cap"
        #expect(one.differences == [Difference(path: "body", kind: .value, primary: size, shadow: size)])
        let other = compare(large("abc"), answer("ab", type: opaque))
        #expect(kinds(other) == ["value body"])
        #expect(other.differences.map(\.shadow) == ["2 bytes, compared by hash, over the cap"])
        #expect(kinds(compare(large("abc"), answer("", type: opaque))) == ["missing body"])
        #expect(kinds(compare(answer("", type: opaque), large("abc"))) == ["extra body"])
        #expect(kinds(compare(large("abc", nil), large("abd", nil))) == ["value body"])
    }

    @Test(arguments: ["$.a", "$..a", "$[*]"])
    func `where a rule may hide what differs, other hashes prove nothing`(place: String) throws {
        let place = try path(place)
        for rules in [
            ComparisonRules(ignore: [IgnoreRule(path: place)]),
            ComparisonRules(unordered: [UnorderedRule(path: place)]),
            ComparisonRules(tolerance: [ToleranceRule(path: place, kind: .number(1))]),
        ] {
            #expect(compare(large("abc"), large("abd"), rules: rules).notCompared == .bodyTooLarge)
            #expect(compare(large("abc"), large("abc"), rules: rules).verdict == .match)
        }
    }

    @Test func `rules that have run out or are about a header hide nothing of a body over the cap`() throws {
        for rule in [
            IgnoreRule(path: try path("$.a"), until: noon.addingTimeInterval(-1)),
            IgnoreRule(path: try path("header.etag")),
        ] {
            #expect(compare(large("abc"), large("abd"), rules: ComparisonRules(ignore: [rule])).verdict == .mismatch)
        }
        let body = ComparisonRules(ignore: [IgnoreRule(path: try path("body"))])
        let hidden = compare(large("abc"), large("abd"), rules: body)
        #expect(hidden.verdict == .match && hidden.hiddenByRule == [1])
    }

    @Test func `other hashes of JSON or of compressed bodies prove nothing`() {
        let type = "application/json"
        #expect(compare(large(#"{"a":1}"#, type), large(#"{"a": 1}"#, type)).notCompared == .bodyTooLarge)
        #expect(
            compare(large("abc", coding: "gzip"), large("abd", coding: "gzip")).notCompared
                == .contentEncoding)
        #expect(compare(large("abc", coding: "gzip"), large("abc")).notCompared == .contentEncoding)
        let status = hashed(answer("{ }", type: type, status: 500))
        let result = compare(large("{}", type), status)
        #expect(result.verdict == .mismatch && result.notCompared == .bodyTooLarge)
    }

    @Test func `a record of a body over the cap has its size`() {
        let record = redactor.recorded(answer: large("abc"), rules: .none)
        #expect(record.body == nil && record.bodyBytes == 3)
    }
}
