/// "Did you mean": the known word that a mistyped one is closest to.
package enum Suggestion {
    /// The nearest of `known` within a third of the word's length (at least one edit), the first of equals.
    static func nearest(to word: String, in known: [String]) -> String? {
        let limit = max(1, min(word.count, 40) / 3)
        let ranked = known.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
        return ranked.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
    }

    /// The help for a word that is none of `known`.
    static func fix(for word: String, known: [String]) -> String {
        if let nearest = nearest(to: word, in: known) { return "did you mean `\(nearest)`?" }
        return "expected " + known.map { "`\($0)`" }.joined(separator: ", ")
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. Long words are cut, so
    /// that no file can make it slow.
    package static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.unicodeScalars.prefix(40))
        let right = Array(right.unicodeScalars.prefix(40))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let isSame = left[row] == right[column]
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
