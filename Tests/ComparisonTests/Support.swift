import Comparison
import Extraction
import FoundationEssentials
import TestSupport

/// A fixed moment: nothing here reads a clock.
let noon = Date(timeIntervalSince1970: 1_800_000_000)
let redactor = Redactor(key: Array("a key for tests".utf8))

func json(_ text: String, status: Int = 200) -> Answer {
    answer(text, type: "application/json", status: status)
}

func answer(
    _ text: String, type: String?, status: Int = 200, headers: [HeaderField] = []
) -> Answer {
    let contentType = type.map { [HeaderField(name: "Content-Type", value: $0)] } ?? []
    return Answer(status: status, headers: contentType + headers, body: Array(text.utf8))
}

/// As an answer is handed over whose body is over the cap.
func hashed(_ answer: Answer) -> Answer {
    var answer = answer
    answer.bodyDigest = BodyDigest(of: answer.body)
    answer.body = []
    return answer
}

func compare(
    _ primary: Answer, _ shadow: Answer, rules: ComparisonRules = .none,
    limits: ComparisonLimits = ComparisonLimits()
) -> Comparison.ComparisonResult {
    Comparer(rules: rules, redactor: redactor, limits: limits).compare(primary: primary, shadow: shadow, now: noon)
}

/// The differences of two JSON bodies as `kind path`.
func differences(_ primary: String, _ shadow: String, rules: ComparisonRules = .none) -> [String] {
    compare(json(primary), json(shadow), rules: rules).differences.map { "\($0.kind.rawValue) \($0.path)" }
}

func path(_ text: String) throws -> PathPattern { try PathPattern(text) }
