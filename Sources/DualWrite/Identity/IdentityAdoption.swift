package import Comparison

/// Lets the shadow write carry the identity that the primary made up, so that both systems know the new
/// entity by one name (DESIGN §3, Identity).
package enum IdentityAdoption {
    /// What the shadow is sent.
    package struct Adopted: Sendable, Equatable {
        /// The request body; every byte outside the adopted fields is as it was.
        package var body: [UInt8]
        /// To be added to the request's head.
        package var headers: [HeaderField]
        /// Fields that the primary's answer did not have (or had as null), as the rule names them.
        package var missing: [String]
        /// Fields that the answer had and the request has no place for: its body is no JSON object, something
        /// else stands where an object should, or the value cannot stand in a header.
        package var unplaced: [String]

        package init(body: [UInt8], headers: [HeaderField] = [], missing: [String] = [], unplaced: [String] = []) {
            self.body = body
            self.headers = headers
            self.missing = missing
            self.unplaced = unplaced
        }
    }

    /// - Parameters:
    ///   - primaryAnswer: the body of the primary's answer to the write.
    ///   - shadowRequestBody: the body that the client sent.
    package static func apply(
        rules: [IdentityRule], primaryAnswer: [UInt8], shadowRequestBody: [UInt8]
    ) -> Adopted {
        var adopted = Adopted(body: shadowRequestBody)
        guard !rules.isEmpty else { return adopted }
        let answer = try? Document(json: primaryAnswer)
        for rule in rules {
            guard let adoption = rule.adoption else { continue }
            guard let names = rule.field.memberNames, let answer,
                let value = value(at: names, in: answer), answer.kind(of: value) != .null
            else {
                adopted.missing.append(rule.field.description)
                continue
            }
            let isPlaced =
                switch adoption {
                case .body: place(answer.lexeme(of: value), at: names, in: &adopted.body)
                case .header(let name): place(value, of: answer, inHeader: name, &adopted.headers)
                }
            if !isPlaced { adopted.unplaced.append(rule.field.description) }
        }
        return adopted
    }

    /// Of a repeated name the last one counts, as for most readers of JSON.
    private static func value(at names: [[UInt8]], in document: Document) -> Document.Value? {
        var value = document.root
        for name in names {
            guard let member = members(named: name, of: value, in: document).last else { return nil }
            value = member
        }
        return value
    }

    private static func members(
        named name: [UInt8], of object: Document.Value, in document: Document
    ) -> [Document.Value] {
        document.members(of: object).filter { document.text(of: $0.name) == name }.map(\.value)
    }

    // MARK: - Into the body

    /// Replaces the field, or adds it at the end of the innermost object that is there.
    private static func place(_ lexeme: ArraySlice<UInt8>, at names: [[UInt8]], in body: inout [UInt8]) -> Bool {
        guard let document = try? Document(json: body) else { return false }
        var object = document.root
        for (depth, name) in names.enumerated() {
            guard document.kind(of: object) == .object else { return false }
            let found = members(named: name, of: object, in: document)
            guard let member = found.last else {
                body = document.applying([addition(of: names[depth...], lexeme, to: object, in: document)])
                return true
            }
            if depth == names.count - 1 {
                // All of a repeated name, or the shadow might read the one that was left.
                body = document.applying(
                    found.map { Document.Edit(range: document.range(of: $0), replacement: Array(lexeme)) })
                return true
            }
            object = member
        }
        return false
    }

    /// `,"a":{"b":value}` after the last member, or without the comma in an empty object.
    private static func addition(
        of names: ArraySlice<[UInt8]>, _ lexeme: ArraySlice<UInt8>, to object: Document.Value,
        in document: Document
    ) -> Document.Edit {
        let last = document.members(of: object).last?.value
        let position = last.map { document.range(of: $0).upperBound } ?? document.range(of: object).lowerBound + 1
        var text: [UInt8] = last == nil ? [] : [UInt8(ascii: ",")]
        for (offset, name) in names.enumerated() {
            if offset > 0 { text.append(UInt8(ascii: "{")) }
            text += Document.quoted(name) + [UInt8(ascii: ":")]
        }
        text += lexeme + Array(repeating: UInt8(ascii: "}"), count: names.count - 1)
        return Document.Edit(range: position..<position, replacement: text)
    }

    // MARK: - Into a header

    /// Only visible ASCII and blanks inside: a value from an answer must not be able to end the field.
    private static func place(
        _ value: Document.Value, of document: Document, inHeader name: String, _ headers: inout [HeaderField]
    ) -> Bool {
        let kind = document.kind(of: value)
        let text = document.text(of: value)
        guard kind != .object, kind != .array, !text.isEmpty, text.count <= 1024,
            text.allSatisfy({ 0x20...0x7E ~= $0 }), text.first != 0x20, text.last != 0x20
        else { return false }
        headers.append(HeaderField(name: name, value: String(decoding: text, as: UTF8.self)))
        return true
    }
}
