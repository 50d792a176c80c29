import Comparison
import TestSupport
import Testing

struct RedactionTests {
    private let secret = "4111-SECRET"

    private func redacting(_ paths: String...) throws -> ComparisonRules {
        ComparisonRules(redact: try paths.map { try path($0) })
    }

    @Test func equalValuesGiveEqualTokens() {
        let token = redactor.token(Array("abc".utf8))
        #expect(token == redactor.token(Array("abc".utf8)))
        #expect(token != redactor.token(Array("abd".utf8)))
        #expect(token != Redactor(key: [1]).token(Array("abc".utf8)))
        #expect(token.wholeMatch(of: /redacted:[0-9a-f]{12}/) != nil)
        // RFC 4231 §4.3, test case 2, and RFC 2104's empty key.
        #expect(
            Redactor(key: Array("Jefe".utf8)).token(Array("what do ya want for nothing?".utf8))
                == "redacted:5bdcc146bf60")
        #expect(Redactor(key: []).token([]) == "redacted:b613679a0814")
    }

    @Test func differencesShowTokensInPlaceOfRedactedValues() throws {
        let rules = try redacting("$.card")
        let result = compare(json(#"{"card":"\#(secret)"}"#), json(#"{"card":"\#(secret)2"}"#), rules: rules)
        let difference = try #require(result.differences.first)
        #expect(difference.path == "$.card")
        #expect(difference.primary == "\"\(redactor.token(Array(secret.utf8)))\"")
        #expect(difference.shadow != difference.primary)
    }

    @Test func differencesBelowARedactedPlaceAreOneAtThatPlace() throws {
        let rules = try redacting("$.card")
        let result = compare(
            json(#"{"card":{"\#(secret)":1,"b":1,"c":[1]}}"#), json(#"{"card":{"b":2,"c":[2]}}"#), rules: rules)
        #expect(result.differences.map(\.path) == ["$.card"])
        #expect(result.differences.map(\.kind) == [.value])
        #expect(result.differences[0].primary.hasPrefix("\"redacted:"))
    }

    @Test func anObjectAroundARedactedPlaceKeepsItsSecretsToItself() throws {
        let rules = try redacting("$.a.card", "$..pin")
        let result = compare(
            json(#"{"a":{"card":"\#(secret)","open":1,"x":{"p\u0069n":"\#(secret)"}}}"#), json("{}"), rules: rules)
        let difference = try #require(result.differences.first)
        #expect(difference.kind == .missing)
        #expect(!difference.primary.contains(secret))
        #expect(difference.primary.contains("\"open\":1"))
    }

    @Test func aScalarWhereASecretWasExpectedInsideIsATokenToo() throws {
        let rules = try redacting("$.a.card")
        let result = compare(json(#"{"a":{"card":1}}"#), json(#"{"a":"card=\#(secret)"}"#), rules: rules)
        #expect(result.differences.map(\.kind) == [.type])
        #expect(!result.differences[0].shadow.contains(secret))
        let descendant = try redacting("$..card")
        let other = compare(json(#"{"a":{"card":1}}"#), json(#"{"a":"card=\#(secret)"}"#), rules: descendant)
        #expect(!other.differences[0].shadow.contains(secret))
    }

    @Test func equalSecretsWrittenDifferentlyGiveOneToken() throws {
        let rules = try redacting("$.card")
        let one = redactor.recorded(answer: json(#"{"card": {"a":"\u0041","b":1}}"#), rules: rules)
        let other = redactor.recorded(answer: json(#"{"card": {"b":1,"a":"A"}}"#), rules: rules)
        #expect(one.body == other.body)
        let third = redactor.recorded(answer: json(#"{"card": {"b":"1","a":"A"}}"#), rules: rules)
        #expect(one.body != third.body)
    }

    @Test func credentialHeadersAreAlwaysTokens() {
        let names = [
            "Authorization", "Cookie", "set-cookie", "Proxy-Authorization", "X-API-Key", "X-Acme-Session-Token",
        ]
        let headers = names.map { HeaderField(name: $0, value: secret) } + [HeaderField(name: "Accept", value: "*/*")]
        let record = redactor.recorded(method: "GET", target: "/", headers: headers, body: nil, rules: .none)
        #expect(record.headers.dropLast().allSatisfy { $0.value == redactor.token(Array(secret.utf8)) })
        #expect(record.headers.last?.value == "*/*")
        #expect(record.body == nil)
    }

    @Test func secretParametersOfTheTargetAreTokens() throws {
        let rules = try redacting("$.payment.cardNumber", "$.items[*].pin[*]")
        let token = redactor.token(Array("4 1".utf8))
        let target = redactor.recorded(
            method: "GET",
            target:
                "/a?x=1&cardNumber=4+1&CARDNUMBER=4%201&card%4eumber=4%201&pin[0]=4+1&o[pin]=4+1&access_token=4+1&y",
            headers: [], body: nil, rules: rules
        ).target
        #expect(
            target
                == "/a?x=1&cardNumber=\(token)&CARDNUMBER=\(token)&card%4eumber=\(token)&pin[0]=\(token)&o[pin]=\(token)&access_token=\(token)&y"
        )
    }

    @Test(
        arguments: [
            (#"<a xmlns:n="u" n:card="4111-SECRET"/>"#, "application/xml"),
            (#"<a><card n:x="1">4111-SECRET</card><CARD>4111-SECRET</CARD></a>"#, "text/xml"),
            ("<n:card>4111-SECRET</n:card>", "application/soap+xml"),
            ("--b\r\nContent-Type: text/plain\r\n\r\ncard 4111-SECRET\r\n--b--\r\n", "multipart/mixed; boundary=b"),
            (
                "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.csv\"\r\n"
                    + "Content-Type: text/csv\r\n\r\ncard\r\n4111-SECRET\r\n--b--\r\n",
                "multipart/form-data; boundary=b"
            ),
        ])
    func secretsInOtherBodiesAreTokensHoweverTheyAreNamed(body: String, type: String) throws {
        let rules = try redacting("$.card")
        let (one, other) = (
            answer(body, type: type), answer(body.replacing("4111-SECRET", with: "4222-SECRET"), type: type)
        )
        let result = compare(one, other, rules: rules)
        #expect(result.verdict == .mismatch)
        #expect(result.differences.allSatisfy { !$0.primary.contains("SECRET") && !$0.shadow.contains("SECRET") })
        #expect(redactor.recorded(answer: one, rules: rules).body?.contains("SECRET") == false)
    }

    @Test func eachOfSeveralURIsLosesItsPassword() {
        let links = "<https://a/1>; rel=next, <https://me:\(secret)@b/2>; rel=prev, <https://\(secret)@c/?a=b>"
        let header = HeaderField(name: "Link", value: links)
        let record = redactor.recorded(answer: answer("", type: nil, headers: [header]), rules: .none)
        #expect(!record.headers[0].value.contains(secret), "\(record.headers[0].value)")
        #expect(record.headers[0].value.hasPrefix("<https://a/1>; rel=next, <https://redacted:"))
    }

    @Test func urisInHeadersLoseTheirSecretsToo() throws {
        let rules = try redacting("$.pin")
        let location = "https://user:\(secret)@host/cb#access_token=\(secret)&state=1"
        let one = answer("", type: nil, headers: [HeaderField(name: "Location", value: location)])
        let other = answer("", type: nil, headers: [HeaderField(name: "Location", value: "/x?pin=\(secret)")])
        let result = compare(one, other, rules: rules)
        #expect(
            result.differences.map(\.path) == [
                "header.location.path", "header.location.query", "header.location.fragment",
            ])
        #expect(result.differences.allSatisfy { !$0.primary.contains(secret) && !$0.shadow.contains(secret) })
        #expect(redactor.recorded(answer: one, rules: rules).headers[0].value.hasSuffix("&state=1"))
        #expect(!redactor.recorded(answer: one, rules: rules).headers[0].value.contains(secret))
    }

    @Test func aBodyThatCannotBeSearchedIsOnlyATokenAndASize() throws {
        let rules = try redacting("$.card")
        let expected = { (text: String) in "\(redactor.token(Array(text.utf8))) (\(text.utf8.count) bytes)" }
        for body in [
            answer("card=\(secret)", type: "text/plain"), json(#"{"card":"\#(secret)"#),
            answer("\(secret) {}", type: nil),
        ] {
            let text = String(decoding: body.body, as: UTF8.self)
            #expect(redactor.recorded(answer: body, rules: rules).body == expected(text))
        }
        let unnamed = answer(#"{"card":"\#(secret)"}"#, type: nil)
        #expect(redactor.recorded(answer: unnamed, rules: rules).body?.contains(secret) == false)
        let all = try redacting("body")
        #expect(redactor.recorded(answer: json("[1]"), rules: all).body == expected("[1]"))
        let difference = try #require(compare(json("[\"\(secret)\"]"), json("[2]"), rules: all).differences.first)
        #expect(difference.path == "$" && !difference.primary.contains(secret))
    }

    @Test func fieldsOfAFormAreSearchedByTheirNames() throws {
        let rules = try redacting("$.payment.card")
        let token = redactor.token(Array(secret.utf8))
        let form = answer(
            "open=1&card=\(secret)&p[card]=\(secret)&token=\(secret)", type: "application/x-www-form-urlencoded")
        #expect(
            redactor.recorded(answer: form, rules: rules).body
                == "{\"open\":\"1\",\"card\":\"\(token)\",\"p[card]\":\"\(token)\",\"token\":\"\(token)\"}")
    }

    @Test func bodiesAreCappedAndBinaryOnesLeftOut() {
        let long = redactor.recorded(
            answer: answer(String(repeating: "é", count: 20_000) + "x", type: "text/plain"), rules: .none)
        #expect(long.body?.utf8.count == 16 * 1024 + 3)
        #expect(long.bodyBytes == 40_001)
        let odd = redactor.recorded(
            answer: answer("x" + String(repeating: "é", count: 20_000), type: "text/plain"), rules: .none)
        #expect(odd.body?.contains("\u{FFFD}") == false)
        for bytes in [[0, 1, 2], [0xFF, 0xFE], [0xC3]] as [[UInt8]] {
            let binary = Answer(status: 200, headers: [], body: bytes)
            #expect(redactor.recorded(answer: binary, rules: .none).body == nil)
        }
        #expect(redactor.recorded(answer: answer("hello\n", type: "text/plain"), rules: .none).body == "hello\n")
    }

    @Test func noSecretIsInAnyStoredString() throws {
        var generator = SeededGenerator(seed: 41)
        let rules = try redacting("$.card", "$.items[*].pin", "$..token", "header.x-note")
        for _ in 0..<1_000 {
            let one = leaky(using: &generator)
            let other = Bool.random(using: &generator) ? leaky(using: &generator) : one.changed(using: &generator)
            let answers = [one, other].map { value in
                answer(
                    value.text(using: &generator),
                    type: ["application/json", "text/plain", nil].randomElement(using: &generator) ?? nil,
                    headers: [
                        HeaderField(name: "X-Note", value: secret), HeaderField(name: "Set-Cookie", value: secret),
                        HeaderField(
                            name: "Location", value: "/\(Int.random(in: 0..<9, using: &generator))?card=\(secret)"),
                    ])
            }
            var rules = rules
            rules.headers += ["x-note", "set-cookie"]
            let result = compare(answers[0], answers[1], rules: rules)
            var stored = result.differences.flatMap { [$0.path, $0.primary, $0.shadow] }
            stored += MismatchSignature(extraction: "e", endpoint: "GET /", differences: result.differences).differences
                .map(\.path)
            for answer in answers {
                let record = redactor.recorded(answer: answer, rules: rules)
                stored += record.headers.map(\.value) + [record.body ?? ""]
                let request = redactor.recorded(
                    method: "POST", target: "/?a=1&token=\(secret)&items[0][pin]=\(secret)", headers: answer.headers,
                    body: answer.body, rules: rules)
                stored += request.headers.map(\.value) + [request.body ?? "", request.target]
            }
            #expect(!stored.contains { $0.contains("SECRET") || $0.contains("4111") }, "\(stored)")
        }
    }

    /// An object with secrets wherever the rules of the property test say that there may be some: as texts,
    /// as names below, and in place of the containers around.
    private func leaky(using generator: inout SeededGenerator) -> RandomJSON {
        let hidden = { (generator: inout SeededGenerator) -> RandomJSON in
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: .string(secret)
            case 1: .literal("4111")
            case 2: .array([.string(secret), .random(depth: 1, using: &generator)])
            default: .object([(secret, .string(secret)), ("n", .random(depth: 1, using: &generator))])
            }
        }
        let items: RandomJSON =
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: .string(secret)
            case 1: .array([.string(secret), .object([("pin", hidden(&generator))])])
            default:
                .array([
                    .object([("pin", hidden(&generator)), ("n", .random(depth: 1, using: &generator))]),
                    .object([("pin", hidden(&generator))]),
                ])
            }
        var members: [(name: String, value: RandomJSON)] = [
            ("card", hidden(&generator)), ("items", items), ("open", .random(depth: 2, using: &generator)),
            ("deep", .object([("er", .object([("token", hidden(&generator))]))])),
        ]
        members.removeAll { _ in Int.random(in: 0..<5, using: &generator) == 0 }
        return .object(members)
    }
}
