/// What goes into a key is cut to a length that an index takes (a third of a page, 2704 bytes, for all columns
/// together): request methods and failure reasons come from outside.
enum KeyText {
    static func extraction(_ text: String) -> String { cut(text, to: 256) }
    static func endpoint(_ text: String) -> String { cut(text, to: 1024) }
    static func reason(_ text: String) -> String { cut(text, to: 256) }
    static func rule(_ text: String) -> String { cut(text, to: 1024) }
    /// Of a field. One that was cut equals no real field.
    static func path(_ text: String) -> String { cut(text, to: 1024) }

    /// At most `limit` bytes of UTF-8, as Postgres will get them (NUL takes three there); what is cut ends in `…`.
    static func cut(_ text: String, to limit: Int) -> String {
        let size = { (scalar: Unicode.Scalar) in scalar.value == 0 ? 3 : scalar.utf8.count }
        var total = 0
        guard
            text.unicodeScalars.contains(where: {
                total += size($0); return total > limit
            })
        else { return text }
        var kept = String.UnicodeScalarView()
        var length = 3
        for scalar in text.unicodeScalars {
            length += size(scalar)
            if length > limit { break }
            kept.append(scalar)
        }
        return String(kept) + "…"
    }
}
