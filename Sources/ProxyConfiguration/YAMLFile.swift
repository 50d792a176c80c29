import Routing
import Yams

/// A file of the configuration as YAML nodes with their places.
///
/// Answers for everything that is wrong before meaning begins: size, encoding, syntax, duplicate keys, anchors. Anchors
/// and aliases are refused because a few lines of them stand for gigabytes, and a route file has no need of them.
struct YAMLFile {
    static let maximumBytes = 1 << 20
    /// Few enough that aliases cannot multiply before the parsed document shows their anchors for certain.
    private static let maximumLikelyAliases = 8
    private static let maximumDuplicates = 64
    /// Supplementary Private Use Area-A: allowed in YAML, and in nobody's keys.
    fileprivate static let firstStranger: UInt32 = 0xF0000

    private let name: String
    private let diagnostics: Diagnostics

    /// The document of a file; nil after an error was reported that leaves nothing to read.
    static func root(of file: ConfigurationFile, _ diagnostics: Diagnostics) -> Node? {
        YAMLFile(name: file.name, diagnostics: diagnostics).root(of: file.bytes)
    }

    private func root(of bytes: [UInt8]) -> Node? {
        guard bytes.count <= Self.maximumBytes else {
            report("the file is larger than 1 MiB", fix: "split it: one file per extraction")
            return nil
        }
        guard let text = text(of: bytes), !looksLikeAliasBomb(text) else { return nil }
        guard let (root, renamed, parser) = parse(YAMLText(text)) else { return nil }
        var walk = YAMLWalk(renamed: renamed)
        withExtendedLifetime(parser) { walk.visit(root) }  // Nodes hold their anchors weakly; the parser owns them.
        for duplicate in walk.duplicates {
            report(
                "`\(duplicate.key)` is written twice, first in line \(duplicate.first.line)", fix: "keep one",
                line: duplicate.second.line, column: duplicate.second.column)
        }
        if let anchor = walk.anchor {
            report(Self.anchorMessage, fix: Self.anchorFix, line: anchor.line, column: anchor.column)
            return nil
        }
        return root
    }

    private static let anchorMessage = "anchors and aliases (`&`, `*`) are not taken"
    private static let anchorFix = "write the value out; quote a text that starts with `&` or `*`"

    /// The file as a string of characters that YAML 1.1 allows (§5.1).
    private func text(of bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            report("the file is not UTF-8", fix: "save it as UTF-8", line: line + 1)
            return nil
        }
        var line = 1
        var column = 1
        for (offset, scalar) in text.unicodeScalars.enumerated() {
            guard Self.isPrintable(scalar) || offset == 0 && scalar.value == 0xFEFF else {
                let code = String(scalar.value, radix: 16, uppercase: true)
                report("the character U+\(code) is not allowed in YAML", fix: "remove it", line: line, column: column)
                return nil
            }
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return text
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF:
            true
        default: false
        }
    }

    /// Whether there are anchors and so many aliases that composing the document could take for ever. Counts what may
    /// be in quotes or comments too; a few of those do no harm, because the document is asked again afterwards.
    private func looksLikeAliasBomb(_ text: String) -> Bool {
        var anchors = 0
        var aliases = 0
        var mayStart = true
        var mark: UInt8 = 0
        for byte in text.utf8 {
            let isSpace = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
            if mark == UInt8(ascii: "&"), !isSpace { anchors += 1 }
            if mark == UInt8(ascii: "*"), !isSpace { aliases += 1 }
            mark = mayStart ? byte : 0
            mayStart = isSpace || byte == 0x5B || byte == 0x7B || byte == 0x2C || byte == 0x3A  // [ { , :
        }
        guard anchors > 0, aliases > Self.maximumLikelyAliases else { return false }
        report(Self.anchorMessage, fix: Self.anchorFix)
        return true
    }

    private func report(_ message: String, fix: String? = nil, line: Int = 1, column: Int = 1) {
        diagnostics.report(message, fix: fix, at: SourceLocation(file: name, line: line, column: column))
    }
}

// MARK: - Syntax and duplicate keys

extension YAMLFile {
    /// The parser stops at the first duplicate key. To tell all of them, the key is overwritten in memory with a name of
    /// the same length that nobody uses, and the document is parsed again: every place stays where it was.
    private func parse(_ original: YAMLText) -> (Node, renamed: [YAMLPlace: String], Parser)? {
        var text = original
        var renamed: [YAMLPlace: String] = [:]
        while true {
            do {
                let parser = try Parser(yaml: text.string, resolver: .basic)
                guard let root = try parser.singleRoot() else {
                    report("the file is empty", fix: "remove it, or write into it")
                    return nil
                }
                return (root, renamed, parser)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let place = YAMLPlace(line: context.mark.line, column: context.mark.column)
                let key = keys.first ?? ""
                guard renamed.count < Self.maximumDuplicates, text.rename(key, at: place, number: renamed.count) else {
                    report("`\(key)` is written twice", fix: "keep one", line: place.line, column: place.column)
                    return nil
                }
                renamed[place] = key
            } catch {
                report(error)
                return nil
            }
        }
    }

    /// Whether a key is a duplicate that was overwritten, and so already reported.
    static func isOverwritten(_ key: String) -> Bool {
        guard let first = key.unicodeScalars.first else { return false }
        return (firstStranger..<firstStranger + UInt32(maximumDuplicates)).contains(first.value)
    }

    private func report(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let setting = context.map { "\($0.text) (line \($0.mark.line)), " } ?? ""
            report("no YAML: \(setting)\(problem)", line: mark.line, column: mark.column)
        case .reader(let problem, _, _, _): report("no YAML: \(problem)")
        case .some(let other): report("no YAML: \(other)")
        case nil: report("no YAML: \(error)")
        }
    }
}

struct YAMLPlace: Hashable {
    let line: Int
    let column: Int
}

/// A text whose places are counted as the parser counts them: columns in Unicode scalars, lines by YAML's breaks.
private struct YAMLText {
    private var scalars: [Unicode.Scalar]

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var string: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    /// Overwrites a key; false if the key is not spelled out at this place.
    mutating func rename(_ key: String, at place: YAMLPlace, number: Int) -> Bool {
        guard var start = index(of: place), let stranger = Unicode.Scalar(YAMLFile.firstStranger + UInt32(number))
        else { return false }
        let key = Array(key.unicodeScalars)
        if scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
        guard !key.isEmpty, scalars.count - start >= key.count,
            scalars[start..<(start + key.count)].elementsEqual(key)
        else { return false }
        for index in start..<(start + key.count) { scalars[index] = stranger }
        return true
    }

    private func index(of place: YAMLPlace) -> Int? {
        var line = 1
        var column = 1
        for (index, scalar) in scalars.enumerated() {
            if line == place.line, column == place.column { return index }
            let endsLine: Bool =
                switch scalar.value {
                case 0x0A, 0x85, 0x2028, 0x2029: true
                case 0x0D: index + 1 == scalars.count || scalars[index + 1] != "\n"
                default: false
                }
            (line, column) = endsLine ? (line + 1, 1) : (line, column + 1)
        }
        return nil
    }
}

/// Looks through a document for anchors, and for the keys that were overwritten.
private struct YAMLWalk {
    let renamed: [YAMLPlace: String]
    private(set) var anchor: YAMLPlace?
    private(set) var duplicates: [(key: String, first: YAMLPlace, second: YAMLPlace)] = []

    init(renamed: [YAMLPlace: String]) { self.renamed = renamed }

    mutating func visit(_ node: Node) {
        if anchor != nil { return }
        if node.anchor != nil || node.alias != nil {
            anchor = node.place
            return
        }
        switch node {
        case .scalar, .alias: break
        case .sequence(let sequence): for child in sequence { visit(child) }
        case .mapping(let mapping):
            for (key, value) in mapping {
                noteDuplicate(key, in: mapping)
                visit(key)
                visit(value)
            }
        }
    }

    /// Of `n` equal keys the first `n - 1` were overwritten; each is reported with the one that comes next.
    private mutating func noteDuplicate(_ key: Node, in mapping: Node.Mapping) {
        guard !renamed.isEmpty, let name = renamed[key.place] else { return }
        let places = mapping.compactMap { other, _ in
            renamed[other.place] == name || other.scalar?.string == name ? other.place : nil
        }
        guard let index = places.firstIndex(of: key.place), index + 1 < places.count else { return }
        duplicates.append((name, places[0], places[index + 1]))
    }
}

extension Node {
    var place: YAMLPlace { YAMLPlace(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}
