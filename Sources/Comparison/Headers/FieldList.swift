/// Comma-separated lists in field values (RFC 9110 §5.6.1), and ASCII case.
enum FieldList {
    /// ASCII letters in any case; everything else byte for byte.
    static func isEqual(_ text: String, lowercase wanted: String) -> Bool {
        guard text.utf8.count == wanted.utf8.count else { return false }
        return zip(text.utf8, wanted.utf8).allSatisfy { lowercased($0) == $1 }
    }

    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

    static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { lowercased($0) }, as: UTF8.self)
    }

    /// The elements of a list, which may come in several fields (§5.3), as names without value. Each once.
    static func elements(of values: [String], ignoringCase: Bool) -> [String: String] {
        var result: [String: String] = [:]
        for value in values {
            for element in split(value, at: UInt8(ascii: ",")) {
                let name = ignoringCase ? lowercased(element) : element
                result[name] = name
            }
        }
        return result
    }

    /// Directives of `Cache-Control` (RFC 9111 §5.2) by their lower-case name. A value means the same with quotes
    /// and without; a directive without value has an empty one. Of a repeated directive, all values.
    static func directives(of values: [String]) -> [String: String] {
        var result: [String: String] = [:]
        for value in values {
            for element in split(value, at: UInt8(ascii: ",")) {
                let pair = pair(element.utf8[...])
                let name = lowercased(pair.name)
                let argument = pair.value.map(unquoted) ?? ""
                result[name] = result[name].map { $0 + ", " + argument } ?? argument
            }
        }
        return result
    }

    /// Parts between separators that are outside of quoted strings (§5.6.4), trimmed; without empty ones.
    static func split(_ text: String, at separator: UInt8) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        var quoted = false
        var escaped = false
        for byte in text.utf8 {
            if byte == separator, !quoted {
                append(part, to: &parts)
                part.removeAll(keepingCapacity: true)
                continue
            }
            if byte == UInt8(ascii: "\""), !escaped { quoted.toggle() }
            escaped = quoted && byte == UInt8(ascii: "\\") && !escaped
            part.append(byte)
        }
        append(part, to: &parts)
        return parts
    }

    private static func append(_ part: [UInt8], to parts: inout [String]) {
        let text = trimmedBlanks(String(decoding: part, as: UTF8.self))
        if !text.isEmpty { parts.append(text) }
    }

    /// `name=value`, or only a name; both trimmed.
    static func pair(_ text: Substring.UTF8View) -> (name: String, value: String?) {
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { return (trimmed(text), nil) }
        return (trimmed(text[..<equals]), trimmed(text[text.index(after: equals)...]))
    }

    private static func trimmed(_ text: Substring.UTF8View) -> String { trimmedBlanks(String(Substring(text))) }

    /// What a quoted string says; any other text as it is.
    static func unquoted(_ text: String) -> String {
        guard text.utf8.count >= 2, text.utf8.first == UInt8(ascii: "\""), text.utf8.last == UInt8(ascii: "\"") else {
            return text
        }
        var result: [UInt8] = []
        var escaped = false
        for byte in text.utf8.dropFirst().dropLast() {
            if byte == UInt8(ascii: "\\"), !escaped {
                escaped = true
            } else {
                result.append(byte)
                escaped = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
