@testable import ProxyConfiguration

/// Files in memory, put together as the loader would.
struct Sample {
    static let proxy = """
        listen: [{address: 127.0.0.1:0}]
        monolith: {url: "http://127.0.0.1:9000"}
        """
    static let orders = """
        extraction: orders
        problem: "Releases wait."
        because: [team-size, fault-isolation]
        match: [{path: "/api/v1/orders/**"}]
        service: {url: "http://orders.internal"}
        """

    var proxy = Self.proxy
    var extractions: [(name: String, text: String)] = []
    var rules: [(name: String, text: String)] = []
    var contracts: [String: String] = [:]

    func parse() throws(ConfigurationErrors) -> ProxyConfiguration {
        let contracts = contracts
        return try ProxyConfiguration.parse(
            files: ConfigurationFiles(
                proxy: ConfigurationFile(name: "Routes/proxy.yaml", text: proxy),
                extractions: extractions.map { ConfigurationFile(name: "Routes/\($0.name).yaml", text: $0.text) },
                rules: rules.map { ConfigurationFile(name: "Shadow/\($0.name).yaml", text: $0.text) },
                routesFolder: "/srv/shop/Routes",
                contract: { path in
                    contracts[path].map { ConfigurationFile(name: path, text: $0) }
                }))
    }

    /// All errors as text; empty when there are none.
    func errors() -> String {
        do throws(ConfigurationErrors) {
            _ = try parse()
            return ""
        } catch {
            return error.description
        }
    }

    /// The errors of a proxy file alone.
    static func errors(proxy: String) -> String { Sample(proxy: proxy).errors() }

    /// The errors of an extraction's file, with every mandatory key of `orders` that `text` does not have itself.
    static func errors(extraction text: String) -> String {
        let missing = orders.split(separator: "\n").filter { line in
            !text.contains(line.prefix { $0 != ":" } + ":")
        }
        return Sample(extractions: [("orders", ([text] + missing.map(String.init)).joined(separator: "\n"))]).errors()
    }

    static func errors(rules text: String) -> String {
        Sample(extractions: [("orders", orders)], rules: [("orders", text + "\nextraction: orders")]).errors()
    }
}
