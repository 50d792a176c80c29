package import Comparison
package import Extraction
internal import Routing

extension IdentityMapping {
    private static let created = 201

    /// What two answers to one creation say of new things' names. Never guesses: nothing where the two do not have the same
    /// number of values in the same places, or where one of them names two things alike.
    ///
    /// - Parameters:
    ///   - method, target: of the request, as the answering side got it.
    ///   - side: who gave `answer`; the other one gave `other`.
    package func pairs(
        method: String, target: [UInt8], answer: Answer, from side: Side, other: Answer
    ) -> [IdentityPair] {
        guard (200..<300).contains(answer.status), (200..<300).contains(other.status) else { return [] }
        let path = target.prefix { $0 != UInt8(ascii: "?") }
        let creating = rules.indices.filter { !rules[$0].isAdopted && creates($0, method, path, answer) }
        guard !creating.isEmpty else { return [] }
        let documents = (document(of: answer), document(of: other))
        return creating.flatMap { rule in
            var found: [(Named, Named)] = []
            if let one = documents.0, let two = documents.1 {
                for pattern in rules[rule].learn {
                    found += matched(values(pattern, in: one), values(pattern, in: two))
                }
            }
            if found.isEmpty, rules[rule].hasLocation, let one = located(rule, answer), let two = located(rule, other) {
                found = [(one, two)]
            }
            return found.compactMap { pair(rule, $0, $1, from: side) }
        }
    }

    private func creates(_ rule: Int, _ method: String, _ path: ArraySlice<UInt8>, _ answer: Answer) -> Bool {
        if let creates = rules[rule].creates {
            return creates.contains { $0.method == method && IdentityPaths.matches($0.pattern, path) }
        }
        guard method == "POST" || method == "PUT" else { return false }
        return answer.status == Self.created || (method == "POST" && paths.isCollection(path, of: rule))
    }

    // MARK: - Values

    private struct Named {
        let text: String
        /// Nil: seen in a URI.
        let isNumber: Bool?
        let indices: [Int]
    }

    private func document(of answer: Answer) -> Document? {
        answer.plain(limit: Self.decodedBytes).flatMap { $0.editableBody.document($0.body) }
    }

    /// Nothing if one of them is no identity, or if one place has two values: of repeated names one would have to be chosen.
    private func values(_ pattern: PathPattern, in document: Document) -> [Named] {
        var values: [Named] = []
        for place in document.places(named: [pattern]) {
            guard let text = IdentityText.text(document.text(of: place.value)) else { return [] }
            values.append(
                Named(text: text, isNumber: document.kind(of: place.value) == .number, indices: place.indices))
        }
        return Set(values.map(\.indices)).count == values.count ? values : []
    }

    private func matched(_ one: [Named], _ two: [Named]) -> [(Named, Named)] {
        guard !one.isEmpty, one.map(\.indices) == two.map(\.indices), Set(one.map(\.text)).count == one.count,
            Set(two.map(\.text)).count == two.count
        else { return [] }
        return Array(zip(one, two))
    }

    /// What the Location names that the answer gives.
    private func located(_ rule: Int, _ answer: Answer) -> Named? {
        guard let value = answer.values(of: "location").first else { return nil }
        let path = URIParts(value).path
        guard let place = paths.places(in: path).last(where: { $0.rule == rule }),
            let text = IdentityText.text(PercentEncoding.decoded(path[place.range]))
        else { return nil }
        return Named(text: text, isNumber: nil, indices: [])
    }

    private func pair(_ rule: Int, _ one: Named, _ two: Named, from side: Side) -> IdentityPair? {
        guard !isSame(rule, one.text.utf8), !isSame(rule, two.text.utf8) else { return nil }
        let (monolith, service) = side == .monolith ? (one, two) : (two, one)
        return IdentityPair(
            kind: rules[rule].kind, monolith: monolith.text, service: service.text,
            spelling: IdentitySpelling(.monolith, isNumber: monolith.isNumber)
                .union(IdentitySpelling(.service, isNumber: service.isNumber)))
    }
}
