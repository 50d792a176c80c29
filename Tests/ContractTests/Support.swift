import Comparison
import Contract
import ProxyConfiguration

/// A contract of YAML without the first lines.
func contract(_ paths: String, components: String = "", version: String = "1.4.2", openapi: String = "3.1.0") throws
    -> ContractDocument
{
    try ContractDocument.parse(
        ConfigurationFile(
            name: "c.yaml",
            text: """
                openapi: \(openapi)
                info: {title: T, version: \(version)}
                paths:
                \(paths.indented)
                \(components.isEmpty ? "" : "components:\n" + components.indented)
                """))
}

func errors(_ text: String) -> [String] {
    do throws(ConfigurationErrors) {
        _ = try ContractDocument.parse(ConfigurationFile(name: "c.yaml", text: text))
        return []
    } catch {
        return error.errors.map(\.description)
    }
}

/// One operation that answers with a schema, and one that takes it.
func answering(_ schema: String, version: String = "1.0.0", components: String = "") throws -> ContractDocument {
    try contract(
        """
        /x:
          get:
            responses: {"200": {content: {application/json: {schema: \(schema)}}}}
        """, components: components, version: version)
}

func taking(_ schema: String, version: String = "1.0.0") throws -> ContractDocument {
    try contract(
        """
        /x:
          post:
            requestBody: {content: {application/json: {schema: \(schema)}}}
            responses: {"204": {}}
        """, version: version)
}

/// `!` before what breaks.
func differences(_ old: ContractDocument, _ new: ContractDocument) -> [String] {
    ContractDiff(from: old, to: new).changes.map {
        ($0.effect == .breaking ? "! " : "  ") + $0.place + ": " + $0.sentence
    }
}

func json(_ text: String) throws -> Document { try Document(json: Array(text.utf8)) }

extension String {
    fileprivate var indented: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
    }
}
