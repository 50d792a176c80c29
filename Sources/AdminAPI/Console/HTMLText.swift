import Mustache

/// Escapes text for HTML, by Unicode scalars.
///
/// The template engine's own escaping goes by `Character`: a quote followed by a combining mark is one character and
/// not a quote to it, yet to a browser it ends the attribute.
struct HTMLText: MustacheContentType {
    /// Templates begin with `{{% CONTENT_TYPE:STRANGLER-HTML}}`.
    static let name = "STRANGLER-HTML"

    func escapeText(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
