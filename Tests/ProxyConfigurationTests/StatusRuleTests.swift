import Comparison
import Testing

@testable import ProxyConfiguration

struct StatusRuleTests {
    @Test(arguments: [("status: class", true), ("status: exact", false), ("", false)])
    func aStatusIsComparedExactlyOrByItsClass(line: String, byClass: Bool) throws {
        var sample = Sample()
        sample.extractions = [("orders", Sample.orders)]
        sample.rules = [("orders", "extraction: orders\n" + line)]
        let extraction = try #require(try sample.parse().extractions.first)
        #expect(extraction.rules.statusByClass == byClass)
    }

    @Test func anotherWayToCompareAStatusIsAnError() {
        #expect(
            Sample.errors(rules: "status: klass")
                == "Shadow/orders.yaml:1:9: `status`: unknown value `klass` (did you mean `class`?)")
    }
}
