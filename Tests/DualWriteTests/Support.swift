import Comparison
import FoundationEssentials

func path(_ text: String) throws -> PathPattern { try PathPattern(text) }

/// The differences of two JSON bodies as `kind path`.
func differences(_ primary: String, _ shadow: String) -> [String] {
    let answer = { (body: String) in
        Answer(
            status: 200, headers: [HeaderField(name: "Content-Type", value: "application/json")], body: Array(body.utf8)
        )
    }
    return Comparer(rules: .none, redactor: Redactor(key: [])).compare(
        primary: answer(primary), shadow: answer(shadow), now: Date(timeIntervalSince1970: 0)
    ).differences.map { "\($0.kind.rawValue) \($0.path)" }
}
