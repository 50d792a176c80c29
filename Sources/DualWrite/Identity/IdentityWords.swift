internal import Routing

/// What names say: that `{order_id}`, `?orderId=` and `/orders/17` are about the thing that `$.orderId` identifies.
enum IdentityWords {
    /// Last words of a field's name that say only that it is an identity.
    private static let endings: Set<String> = [
        "id", "identifier", "uuid", "guid", "key", "number", "no", "nr", "ref", "code",
    ]

    /// In lower case, without what separates words: `order_id`, `orderID` and `order-id[]` are one.
    static func folded(_ text: some Collection<UInt8>) -> [UInt8] {
        text.compactMap { byte in
            switch byte {
            case 0x41...0x5A: byte | 0x20
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "]"), 0x20:
                nil
            default: byte
            }
        }
    }

    /// The name says nothing of what it identifies: `id`, `uuid`.
    static func isBare(_ name: [UInt8]) -> Bool { endings.contains(text(folded(name))) }

    /// What a field's name identifies, folded: `order` for `orderId`; nil if it does not say.
    static func stem(of name: [UInt8]) -> [UInt8]? {
        let words = words(of: name)
        guard let last = words.last else { return nil }
        if words.count > 1, endings.contains(text(last)) { return words.dropLast().flatMap { $0 } }
        if words.count == 1, last.count > 4, last.suffix(2) == [0x69, 0x64] { return last.dropLast(2) }
        return nil
    }

    /// What a collection of such things may be called in a path, folded.
    static func collections(of stem: [UInt8]) -> Set<[UInt8]> {
        guard let last = stem.last else { return [] }
        var names: Set = [stem, stem + Array("s".utf8), stem + Array("es".utf8)]
        if last == UInt8(ascii: "y") { names.insert(stem.dropLast() + Array("ies".utf8)) }
        if last == UInt8(ascii: "s") { names.insert(stem.dropLast()) }
        return names
    }

    /// `orderLineID` and `order_line_id` are `order`, `line`, `id`.
    private static func words(of name: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = [[]]
        for (offset, byte) in name.enumerated() {
            let isUpper = 0x41...0x5A ~= byte
            let followsUpper = offset > 0 && 0x41...0x5A ~= name[offset - 1]
            let isSeparator = folded([byte]).isEmpty
            if isSeparator || (isUpper && !followsUpper) { words.append([]) }
            if !isSeparator { words[words.count - 1] += folded([byte]) }
        }
        return words.filter { !$0.isEmpty }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// An identity as a text that can be kept, asked for, and written into a URI.
enum IdentityText {
    /// Longer ones could not be keys of an index.
    static let maximumBytes = 512

    /// Nil for what is no identity: nothing, a control character, no UTF-8, or what would change the path that it stands in.
    static func text(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...maximumBytes).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            let text = String(validating: bytes, as: UTF8.self), text != ".", text != ".."
        else { return nil }
        return text
    }

    /// What a text looks like in a message when it is no identity.
    static func shown(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.prefix(64), as: UTF8.self)
    }

    /// An integer as JSON writes it (RFC 8259 §6).
    static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let digits = rest.prefix { 0x30...0x39 ~= $0 }
        guard !digits.isEmpty, digits.count == 1 || digits.first != 0x30 else { return false }
        return rest.count == digits.count
    }

    /// For one segment of a path, RFC 3986 §3.3: `;` and `/` would end the value.
    static func segment(_ text: String) -> [UInt8] { escaped(text, keeping: Set(":@!$'()*,=".utf8)) }

    /// For a query's or form's value.
    static func component(_ text: String) -> [UInt8] { escaped(text, keeping: []) }

    private static func escaped(_ text: String, keeping: Set<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            case let byte where keeping.contains(byte): result.append(byte)
            default: PercentEncoding.append(byte, to: &result)
            }
        }
        return result
    }

    /// A query's or form's name or value (WHATWG URL §5.1).
    static func decodedComponent(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        PercentEncoding.decoded(ArraySlice(bytes.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }))
    }
}
