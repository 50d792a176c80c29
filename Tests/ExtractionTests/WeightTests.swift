import Extraction
import FoundationEssentials
import Testing

@Suite struct WeightTests {
    @Test(arguments: [
        ("25%", 2_500), ("25", 2_500), ("0", 0), ("100%", 10_000), ("100.00%", 10_000), ("12.34%", 1_234),
        ("12.3", 1_230), ("0.01%", 1), ("0.1%", 10),
    ])
    func percentagesAreRead(text: String, hundredths: Int) {
        #expect(Weight(parsing: text)?.hundredths == hundredths)
    }

    @Test(arguments: [
        "", "%", "100.01%", "101", "-1", "+5", "12.345%", "12.", ".5", "1e1", "25%%", " 25%", "25 %", "1.2.3", "9999",
        "٢٥%", "18446744073709551616", "0x10",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Weight(parsing: text) == nil)
    }

    @Test func everyWeightSurvivesTextAndJSON() throws {
        for hundredths in 0...10_000 {
            let weight = try #require(Weight(hundredths: hundredths))
            #expect(Weight(parsing: weight.description) == weight)
        }
        for hundredths in stride(from: 0, through: 10_000, by: 7) {
            let weight = try #require(Weight(hundredths: hundredths))
            let data = try JSONEncoder().encode(weight)
            #expect(try JSONDecoder().decode(Weight.self, from: data) == weight)
        }
    }

    @Test func nothingOutsideZeroToAHundredCanBeRepresented() {
        #expect(Weight(hundredths: -1) == nil)
        #expect(Weight(hundredths: 10_001) == nil)
        #expect(Weight(clamping: .min) == .none)
        #expect(Weight(clamping: .max) == .all)
    }

    @Test func jsonIsANumberOfPercent() throws {
        func json(_ weight: Weight) throws -> String {
            String(decoding: try JSONEncoder().encode(weight), as: UTF8.self)
        }
        #expect(try json(weight(25)) == "25")
        #expect(try json(Weight(clamping: 1_234)) == "12.34")
        #expect(try json(.none) == "0")
    }

    @Test(arguments: ["100.5", "-1", "12.345", "\"25\"", "1e300", "null"])
    func badJSONIsRefused(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Weight.self, from: Data(text.utf8)) }
    }

    @Test func percentAndOrder() {
        #expect(Weight(clamping: 1_234).percent == 12.34)
        #expect(weight(5) < weight(25))
        #expect(Weight(clamping: 1_250).description == "12.5%")
        #expect(Weight(clamping: 1_205).description == "12.05%")
    }
}
