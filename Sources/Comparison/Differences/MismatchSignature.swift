import Crypto

/// What mismatches with the same cause have in common: extraction, endpoint, and the set of places and kinds.
/// Equal for every replica and every run, so it can be a key in the database and on a command line.
package struct MismatchSignature: Sendable, Hashable, Codable {
    /// 16 lower-case hexadecimal digits.
    package let hex: String
    package let extraction: String
    /// Method and template: `GET /api/v1/orders/{id}`.
    package let endpoint: String
    /// Sorted, each once.
    package let differences: [GroupedDifference]

    package init(extraction: String, endpoint: String, differences: [Difference]) {
        self.extraction = extraction
        self.endpoint = endpoint
        self.differences = Set(differences.map(GroupedDifference.init)).sorted()
        var hash = SHA256()
        for part in [extraction, endpoint] + self.differences.flatMap({ [$0.path, $0.kind.rawValue] }) {
            // The length keeps "ab", "c" apart from "a", "bc".
            hash.update(data: Array("\(part.utf8.count):\(part)".utf8))
        }
        hex = Hexadecimal.text(of: hash.finalize().prefix(8))
    }
}
