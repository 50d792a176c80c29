import Comparison
import Testing

/// A text that loses the format that its readers rely on is a fault even where its value is noise.
struct TextShapeTests {
    private static let apart = [
        ("2026-11-21T04:05:06Z", "2026-11-21T04:05:06"), ("2026-11-21T04:05:06.5+01:00", "1763697906.5"),
        ("2026-11-21", "2026-11-21T00:00:00Z"), ("2026-11-21", "21.11.2026"),
        ("0b6f0fa5-4c3e-4d60-a4cd-3e2a3c1f7d52", ""), ("0b6f0fa5-4c3e-4d60-a4cd-3e2a3c1f7d52", "constant"),
        ("0b6f0fa5-4c3e-4d60-a4cd-3e2a3c1f7d52", "0b6f0fa54c3e4d60a4cd3e2a3c1f7d52"),
        ("9f86d081884c7d659a2feaa0c55ad015", "nil"),
    ]

    private static let alike = [
        ("2026-11-21T04:05:06Z", "2026-11-21T05:05:06+0100"), ("2026-11-21T04:05:06", "2026-11-22T04:05:06"),
        ("2026-11-21", "2026-11-22"), ("Ada", ""), ("1234567890123456", "9f86d081884c7d65"), ("12", "x12"),
        ("0b6f0fa5-4c3e-4d60-a4cd-3e2a3c1f7d52", "0B6F0FA5-4C3E-4D60-A4CD-3E2A3C1F7D53"), ("abc", "def"),
        ("9f86d081884c7d65", "9f86d081884c7d659a2feaa0c55ad015"),
    ]

    @Test(arguments: apart) func aLostFormatIsOne(pair: (String, String)) {
        for (one, other) in [pair, (pair.1, pair.0)] {
            #expect(differences(#"{"a":"\#(one)"}"#, #"{"a":"\#(other)"}"#) == ["format $.a"])
        }
    }

    @Test(arguments: alike) func anotherValueIsNone(pair: (String, String)) {
        for (one, other) in [pair, (pair.1, pair.0)] {
            #expect(differences(#"{"a":"\#(one)"}"#, #"{"a":"\#(other)"}"#) == ["value $.a"])
        }
    }
}
