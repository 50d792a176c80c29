/// Header fields and request targets, which repeat what bodies hold.
extension Redaction {
    func value(of field: HeaderField) -> String {
        let name = field.name.lowercased()
        let isNamed = patterns.contains { $0.root == .header(name) }
        if isNamed || Redactor.isCredential(header: name) { return redactor.token(field.value.utf8) }
        return Redactor.uriHeaders.contains(name) ? target(field.value) : field.value
    }

    /// A request target, or any text with URIs in it, whose secret query parameters and passwords are replaced.
    func target(_ text: String) -> String {
        let withoutPassword = replacingUserInformation(in: text)
        guard let mark = withoutPassword.firstIndex(where: { $0 == "?" || $0 == "#" }) else { return withoutPassword }
        let query = withoutPassword[withoutPassword.index(after: mark)...]
        var result = String(withoutPassword[...mark])
        var parameter: [UInt8] = []
        for byte in query.utf8 {
            if "&;#,> ".utf8.contains(byte) {
                result += self.parameter(parameter) + String(decoding: [byte], as: UTF8.self)
                parameter = []
            } else {
                parameter.append(byte)
            }
        }
        return result + self.parameter(parameter)
    }

    private func parameter(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { return text }
        // What follows a second `?` in a text with several URIs is a parameter's name as well.
        let name = FormReader.decoded(bytes[..<equals].split(separator: UInt8(ascii: "?")).last ?? [])
        guard isSecret(parameter: String(decoding: name, as: UTF8.self)) else { return text }
        let value = FormReader.decoded(bytes[(equals + 1)...])
        return String(decoding: bytes[...equals], as: UTF8.self) + redactor.token(value)
    }

    /// `card`, and `card[number]` or `card.number`, which frameworks read as fields of `card`.
    func isSecret(parameter name: String) -> Bool {
        let lowered = name.lowercased()
        let stem = String(lowered.prefix { $0 != "[" && $0 != "." })
        if Redactor.credentialParameters.contains(lowered) || Redactor.credentialParameters.contains(stem) {
            return true
        }
        let parts = lowered.split { $0 == "[" || $0 == "]" || $0 == "." }.map(String.init) + [lowered]
        return patterns.contains { $0.lastName.map { parts.contains($0.lowercased()) } ?? false }
    }

    /// `https://name:password@host/`: everything before the `@` becomes a token, in each of several URIs.
    private func replacingUserInformation(in text: String) -> String {
        var result = ""
        var rest = text[...]
        while let scheme = rest.firstRange(of: "://") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            guard let sign = authority.lastIndex(of: "@") else { continue }
            result += redactor.token(authority[..<sign].utf8)
            rest = rest[sign...]
        }
        return result + rest
    }
}
