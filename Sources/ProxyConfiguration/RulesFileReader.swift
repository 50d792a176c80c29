import Comparison
import FoundationEssentials
import Routing
import Yams

/// Reads one `Shadow/<extraction>.yaml`.
struct RulesFileReader {
    struct Draft {
        var extraction: String?
        var extractionLocation: SourceLocation
        var rules: ComparisonRules
    }

    private static let keys = [
        "extraction", "ignore", "unordered", "tolerance", "equivalence", "matches", "redact", "headers", "identity",
        "status",
    ]

    let fields: FieldReader
    var source: ValueReader { fields.source }

    /// What could be read; errors are in `diagnostics`.
    static func read(_ file: ConfigurationFile, _ diagnostics: Diagnostics) -> Draft {
        let source = ValueReader(file: file.name, diagnostics: diagnostics)
        let top = SourceLocation(file: file.name, line: 1, column: 1)
        guard let root = YAMLFile.root(of: file, diagnostics),
            let fields = FieldReader(root, of: "the rules' file", keys: keys, source)
        else { return Draft(extraction: nil, extractionLocation: top, rules: .none) }
        return RulesFileReader(fields: fields).read()
    }

    private func read() -> Draft {
        var draft = Draft(extraction: nil, extractionLocation: fields.location, rules: .none)
        if let node = fields.required("extraction", example: "extraction: orders") {
            draft.extraction = source.value(node, "extraction", Values.extractionName)
            draft.extractionLocation = source.location(of: node)
        }
        draft.rules = ComparisonRules(
            ignore: entries("ignore", keys: ["path", "because", "until"], ignoreRule),
            unordered: entries("unordered", keys: ["path", "key", "because", "until"], unorderedRule),
            tolerance: entries("tolerance", keys: ["path", "time", "number", "because", "until"], toleranceRule),
            equivalence: entries("equivalence", keys: ["path", "as", "because", "until"], equivalenceRule),
            matches: entries("matches", keys: ["path", "regex", "because", "until"], matchRule),
            redact: fields.list("redact", of: "paths").map { source.values($0, "redact", Self.pattern) } ?? [],
            headers: fields.list("headers", of: "header names").map { source.values($0, "headers", Values.token) }
                ?? ComparisonRules.defaultHeaders,
            identity: identityRules(),
            statusByClass: fields.value("status", Values.oneOf([("exact", false), ("class", true)])) ?? false)
        return draft
    }

    /// The rules of one list of mappings; a rule with an error is left out.
    func entries<Rule>(_ key: String, keys: [String], _ read: (FieldReader, Node) -> Rule?) -> [Rule] {
        (fields.list(key, of: "rules with \(keys.joined(separator: ", "))") ?? []).compactMap { node in
            FieldReader(node, of: "an entry of `\(key)`", keys: keys, source).flatMap { read($0, node) }
        }
    }

    func path(_ rule: FieldReader) -> PathPattern? {
        rule.required("path", example: "path: \"$.items[*].price\"").flatMap { source.value($0, "path", Self.pattern) }
    }
}

// MARK: - Values

extension RulesFileReader {
    static func pattern(_ text: String) throws(ValueError) -> PathPattern {
        do throws(PathPatternError) {
            return try PathPattern(text)
        } catch {
            throw ValueError(
                "`\(text)` is no path, at character \(error.position): \(error.message)",
                fix: "expected such as $.items[*].price, header.location, status")
        }
    }

    /// `2027-01-31`: the first moment of the following day in UTC, so that a rule still works on the day it names.
    static func endOfDay(_ text: String) throws(ValueError) -> Date {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let widths = parts.map(\.utf8.count)
        let isNumeric = parts.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard widths == [4, 2, 2], isNumeric, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2]), (1970...9999).contains(year), (1...12).contains(month),
            (1...daysInMonth(month, of: year)).contains(day)
        else { throw ValueError("`\(text)` is no date", fix: "expected such as 2027-01-31") }
        return Date(timeIntervalSince1970: Double(daysSince1970(year, month, day) + 1) * 86_400)
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = (1970..<year).reduce(0) { $0 + (isLeap($1) ? 366 : 365) }
        return (1..<month).reduce(years) { $0 + daysInMonth($1, of: year) } + day - 1
    }
}
