import Routing
import Yams

/// Reads `Routes/proxy.yaml`.
struct ProxyFileReader {
    struct Draft {
        var listen: [ListenerDefinition] = []
        var admin: BindAddress?
        var monolith: UpstreamDefinition?
        var store: StoreDefinition = .privatePostgres
        var data = ".strangler"
        var limits = LimitsDefinition()
        var timeouts = Timeouts()
        var retry = RetryDefinition()
        var drain: Duration = .seconds(120)
        var trustedProxies: [String] = []
        var threads: Int?
        var spool = SpoolDefinition()
    }

    private static let keys = [
        "listen", "admin", "monolith", "store", "data", "limits", "timeouts", "retry", "drain",
        "trusted-proxies", "threads", "spool",
    ]
    private static let defaultAdmin = (host: "127.0.0.1", port: 9901)

    /// What could be read; errors are in `diagnostics`.
    static func read(_ file: ConfigurationFile, _ diagnostics: Diagnostics) -> Draft {
        let source = ValueReader(file: file.name, diagnostics: diagnostics)
        var draft = Draft()
        guard let root = YAMLFile.root(of: file, diagnostics),
            let fields = FieldReader(root, of: "the proxy's file", keys: keys, source)
        else { return draft }
        draft.listen = listen(fields)
        draft.admin = admin(fields)
        if let monolith = fields.required("monolith", example: #"monolith: {url: "http://127.0.0.1:9000"}"#) {
            draft.monolith = UpstreamReader.read(monolith, .monolith, source)
        }
        if let store = fields.fields("store", keys: ["url"])?.value("url", storeURL) { draft.store = .url(store) }
        draft.data = fields.value("data", Values.text) ?? draft.data
        draft.limits = limits(fields)
        draft.timeouts = timeouts(fields)
        draft.retry = retry(fields)
        draft.drain = fields.value("drain", Values.durationOrZero) ?? draft.drain
        if let networks = fields.list("trusted-proxies", of: "networks such as 10.0.0.0/8") {
            draft.trustedProxies = source.values(networks, "trusted-proxies", Values.network)
        }
        draft.spool = spool(fields)
        draft.threads = fields.value("threads", Values.number(1...1_024))
        return draft
    }

    private static func listen(_ fields: FieldReader) -> [ListenerDefinition] {
        guard let node = fields.required("listen", example: "listen: [{address: 0.0.0.0:8080}]"),
            let entries = fields.source.list(node, "listen", of: "addresses such as {address: 0.0.0.0:8080}")
        else { return [] }
        if entries.isEmpty { fields.source.report("`listen` is empty", fix: "name at least one address", at: node) }
        var seen: [Values.HostPort: SourceLocation] = [:]
        return entries.compactMap { entry in
            guard let listener = listener(entry, fields.source) else { return nil }
            let address = listener.address
            let key = Values.HostPort(host: address.host, port: address.port)
            if let first = seen[key], address.port != 0 {
                fields.source.report("the address is listened on already in line \(first.line)", at: entry)
            }
            seen[key] = seen[key] ?? address.location
            return listener
        }
    }

    private static func listener(_ node: Node, _ source: ValueReader) -> ListenerDefinition? {
        let keys = ["address", "proxy-protocol"]
        guard let fields = FieldReader(node, of: "an entry of `listen`", keys: keys, source) else { return nil }
        let networks = fields.list("proxy-protocol", of: "networks such as 10.0.0.0/8")
        if let networks, networks.isEmpty, let node = fields["proxy-protocol"] {
            source.report("`proxy-protocol` is empty", fix: "remove the key to take it from nobody", at: node)
        }
        let peers = source.values(networks ?? [], "proxy-protocol", Values.network)
        return address(fields).map { ListenerDefinition(address: $0, proxyProtocol: peers) }
    }

    private static func admin(_ fields: FieldReader) -> BindAddress? {
        guard let node = fields["admin"] else {
            return BindAddress(host: defaultAdmin.host, port: defaultAdmin.port, location: fields.location)
        }
        guard let own = FieldReader(node, of: "`admin`", keys: ["address"], fields.source), let address = address(own)
        else { return nil }
        guard isLoopback(address.host) else {
            fields.source.report(
                "the admin address is not loopback, and it has no authentication yet",
                fix: "expected 127.0.0.1, [::1] or localhost", at: node)
            return nil
        }
        return address
    }

    private static func address(_ fields: FieldReader) -> BindAddress? {
        guard let text = fields.required("address", example: "address: 127.0.0.1:8080"),
            let parsed = fields.source.value(text, "address", Values.bindAddress), let port = parsed.port
        else { return nil }
        return BindAddress(host: parsed.host, port: port, location: fields.source.location(of: text))
    }

    private static func isLoopback(_ host: String) -> Bool {
        if let octets = Values.ipv4(host) { return octets[0] == 127 }
        if let groups = Values.ipv6(host) { return groups.dropLast().allSatisfy { $0 == 0 } && groups.last == 1 }
        return host.lowercased() == "localhost"
    }

    private static func storeURL(_ text: String) throws(ValueError) -> String {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else {
            // Not repeated in the message: it may hold a password.
            throw ValueError(
                "the URL is not one of Postgres", fix: "expected such as postgres://user@host:5432/database")
        }
        return text
    }
}
