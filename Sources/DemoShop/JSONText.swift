/// JSON to be written, with its members in a given order and its numbers as exact lexemes: `149.90` stays `149.90`,
/// which no encoder working on `Double` can promise.
package enum JSONText: Sendable, Equatable {
    case string(String)
    /// A JSON number, already spelled.
    case number(String)
    case array([JSONText])
    case object([Member])

    package struct Member: Sendable, Equatable {
        let name: String
        let value: JSONText
    }

    package static func member(_ name: String, _ value: JSONText) -> Member { Member(name: name, value: value) }

    package var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .string(let value): Self.quote(value, to: &out)
        case .number(let lexeme): out += lexeme
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                value.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                Self.quote(member.name, to: &out)
                out += ":"
                member.value.write(to: &out)
            }
            out += "}"
        }
    }

    /// RFC 8259 §7: quote, backslash and control characters are escaped, the rest is UTF-8 as it is.
    private static func quote(_ value: String, to out: inout String) {
        out += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
