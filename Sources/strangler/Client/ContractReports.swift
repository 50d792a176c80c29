import AdminAPI
import Contract
import Foundation

/// The differences of two contracts for scripts.
struct ContractDiffReport: Encodable {
    struct Version: Encodable {
        let old: String
        let new: String
        let step: VersionStep
        /// Left out if the old version is none.
        let wanted: String?
        let announced: Bool
    }

    let breaking: Bool
    let version: Version
    let changes: [ContractChange]
    let omitted: Int

    init(_ diff: ContractDiff) {
        breaking = diff.isBreaking
        version = Version(
            old: diff.oldVersion, new: diff.newVersion, step: diff.step, wanted: diff.wanted?.description,
            announced: diff.isAnnounced)
        changes = diff.changes
        omitted = diff.omitted
    }
}

extension Encodable {
    /// On one line, members in order.
    fileprivate var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension ContractDiffReport { var json: String { line } }
extension ContractReport { var json: String { line } }

/// The differences of two contracts for people.
enum ContractDiffText {
    static func write(_ diff: ContractDiff, to terminal: Terminal) {
        for change in diff.changes {
            let isBreaking = change.effect == .breaking
            terminal.write(
                terminal.paint(isBreaking ? "breaking  " : "ok        ", isBreaking ? .red : .green) + change.place)
            terminal.field("", change.sentence, labelWidth: 8)
        }
        if diff.omitted > 0 { terminal.write("and \(ReportText.counted(diff.omitted, "change")) more") }
        let breaking = diff.changes.count { $0.effect == .breaking }
        if diff.changes.isEmpty {
            terminal.write(diff.step == .none ? "no change" : "no change but in texts and examples")
        } else {
            terminal.write(
                terminal.paint(
                    "\(ReportText.counted(diff.changes.count + diff.omitted, "change")), \(breaking) breaking", .bold))
        }
        terminal.write(version(diff))
    }

    private static func version(_ diff: ContractDiff) -> String {
        let new = diff.newVersion.isEmpty ? "nothing" : diff.newVersion
        guard let wanted = diff.wanted else {
            return
                "version: `\(diff.oldVersion)` is no semantic version, so none can follow from it; the new one says \(new)"
        }
        guard diff.step != .none else { return "version: \(diff.oldVersion) can stay, the new one says \(new)" }
        return "version: \(diff.oldVersion) → \(wanted) (\(diff.step.rawValue)); the new one says \(new)"
            + (diff.isAnnounced ? "" : ", which is not enough")
    }
}

/// What a contract covers.
struct ContractReport: Encodable {
    struct Remark: Encodable {
        let line: Int
        let column: Int
        let what: String
    }

    let title: String
    let version: String
    let paths: Int
    /// `GET /orders/{id}`, in the order of the file.
    let operations: [String]
    /// What answers are not held against.
    let ignored: [Remark]
    /// What the routes take and the contract says nothing about; left out without routes.
    let uncovered: [String]?

    init(_ document: ContractDocument, uncovered: [String]?) {
        title = document.title
        version = document.version
        paths = document.paths.count
        operations = document.operations.map(\.name)
        ignored = document.ignored.map { Remark(line: $0.place.line, column: $0.place.column, what: $0.message) }
        self.uncovered = uncovered
    }

    func write(to terminal: Terminal) {
        terminal.write(
            terminal.paint("\(title.isEmpty ? "contract" : title) \(version)", .bold)
                + ": \(ReportText.counted(paths, "path")), \(ReportText.counted(operations.count, "operation"))")
        for operation in operations { terminal.write("  " + operation) }
        for remark in ignored {
            terminal.field("not used", "\(remark.what) (line \(remark.line))", labelWidth: 10)
        }
        guard let uncovered else { return }
        for sentence in uncovered { terminal.field("missing", sentence, labelWidth: 10) }
        terminal.write(
            uncovered.isEmpty
                ? "it covers the routes" : "it does not cover the routes: \(uncovered.count) missing")
    }
}
