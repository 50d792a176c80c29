internal import Comparison

/// A constant of a contract (`enum`, `const`), equal to what says the same: `1.0` and `1`, members in any order.
struct ContractValue: Sendable, Hashable {
    /// JSON with sorted members and numbers in one spelling.
    let canonicalText: String
    /// JSON as it was written, on one line.
    let text: String

    static func == (left: ContractValue, right: ContractValue) -> Bool { left.canonicalText == right.canonicalText }

    func hash(into hasher: inout Hasher) { hasher.combine(canonicalText) }

    init(_ node: ContractNode) {
        var text = ""
        Self.write(node, sorted: false, to: &text)
        self.text = text
        var canonical = ""
        Self.write(node, sorted: true, to: &canonical)
        canonicalText = canonical
    }

    init(_ value: Document.Value, in document: Document) {
        canonicalText = Self.canonical(value, document)
        text = String(decoding: document.jsonText(of: value), as: UTF8.self)
    }

    /// Nil if it is nested deeper than documents may be.
    var document: Document? { try? Document(json: Array(text.utf8)) }

    private static func write(_ node: ContractNode, sorted: Bool, to text: inout String) {
        switch node.value {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .number(let lexeme): text += sorted ? number(lexeme.utf8) : lexeme
        case .text(let value): text += quoted(value.utf8)
        case .list(let elements):
            text += "["
            for (number, element) in elements.enumerated() {
                if number > 0 { text += "," }
                write(element, sorted: sorted, to: &text)
            }
            text += "]"
        case .map(let map):
            text += "{"
            let members = sorted ? map.members.sorted { $0.name < $1.name } : map.members
            for (number, member) in members.enumerated() {
                text += (number > 0 ? "," : "") + quoted(member.name.utf8) + ":"
                write(member.value, sorted: sorted, to: &text)
            }
            text += "}"
        }
    }

    private static func canonical(_ value: Document.Value, _ document: Document) -> String {
        switch document.kind(of: value) {
        case .null: "null"
        case .true: "true"
        case .false: "false"
        case .number: number(document.lexeme(of: value))
        case .string: quoted(document.text(of: value))
        case .array:
            "[" + document.elements(of: value).map { canonical($0, document) }.joined(separator: ",") + "]"
        case .object:
            "{"
                + document.members(of: value)
                .map { (String(decoding: document.text(of: $0.name), as: UTF8.self), $0.value) }
                .sorted { $0.0 < $1.0 }
                .map { quoted($0.0.utf8) + ":" + canonical($0.1, document) }.joined(separator: ",") + "}"
        }
    }

    private static func number(_ lexeme: some Sequence<UInt8>) -> String {
        guard let number = ExactDecimal(lexeme) else { return String(decoding: Array(lexeme), as: UTF8.self) }
        return number.canonicalText
    }

    private static func quoted(_ text: some Collection<UInt8>) -> String {
        String(decoding: Document.quoted(text), as: UTF8.self)
    }
}

extension ContractValue {
    /// Of numbers: no digit behind the point.
    var isWhole: Bool { ExactDecimal(canonicalText.utf8)?.isWhole ?? true }
}
