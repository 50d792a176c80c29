import Routing
import Yams

/// Reads `Routes/proxy.yaml`.
struct ProxyFileReader {
    struct Draft {
        var listen: [BindAddress] = []
        var admin: BindAddress?
        var monolith: UpstreamDefinition?
        var store: StoreDefinition = .privatePostgres
        var data = ".strangler"
        var timeouts = Timeouts()
        var trustedProxies: [String] = []
        var threads: Int?
    }

    private static let keys = [
        "listen", "admin", "monolith", "store", "data", "timeouts", "trusted-proxies", "threads",
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
            draft.monolith = UpstreamReader.read(monolith, "monolith", source)
        }
        if let store = fields.fields("store", keys: ["url"])?.value("url", storeURL) { draft.store = .url(store) }
        draft.data = fields.value("data", Values.text) ?? draft.data
        draft.timeouts = timeouts(fields)
        if let networks = fields.list("trusted-proxies", of: "networks such as 10.0.0.0/8") {
            draft.trustedProxies = source.values(networks, "trusted-proxies", Values.network)
        }
        draft.threads = fields.value("threads", Values.number(1...1_024))
        return draft
    }

    private static func listen(_ fields: FieldReader) -> [BindAddress] {
        guard let node = fields.required("listen", example: "listen: [{address: 0.0.0.0:8080}]"),
            let entries = fields.source.list(node, "listen", of: "addresses such as {address: 0.0.0.0:8080}")
        else { return [] }
        if entries.isEmpty { fields.source.report("`listen` is empty", fix: "name at least one address", at: node) }
        var seen: [Values.HostPort: SourceLocation] = [:]
        return entries.compactMap { entry in
            guard let address = address(entry, "an entry of `listen`", fields.source) else { return nil }
            let key = Values.HostPort(host: address.host, port: address.port)
            if let first = seen[key], address.port != 0 {
                fields.source.report("the address is listened on already in line \(first.line)", at: entry)
            }
            seen[key] = seen[key] ?? address.location
            return address
        }
    }

    private static func admin(_ fields: FieldReader) -> BindAddress? {
        guard let node = fields["admin"] else {
            return BindAddress(host: defaultAdmin.host, port: defaultAdmin.port, location: fields.location)
        }
        guard let address = address(node, "`admin`", fields.source) else { return nil }
        guard isLoopback(address.host) else {
            fields.source.report(
                "the admin address is not loopback, and it has no authentication yet",
                fix: "expected 127.0.0.1, [::1] or localhost", at: node)
            return nil
        }
        return address
    }

    private static func address(_ node: Node, _ what: String, _ source: ValueReader) -> BindAddress? {
        guard let fields = FieldReader(node, of: what, keys: ["address"], source),
            let text = fields.required("address", example: "address: 127.0.0.1:8080"),
            let parsed = source.value(text, "address", Values.bindAddress), let port = parsed.port
        else { return nil }
        return BindAddress(host: parsed.host, port: port, location: source.location(of: text))
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

    private static func timeouts(_ fields: FieldReader) -> Timeouts {
        var timeouts = Timeouts()
        guard let fields = fields.fields("timeouts", keys: ["connect", "first-byte", "idle", "head"]) else {
            return timeouts
        }
        timeouts.connect = fields.value("connect", Values.duration) ?? timeouts.connect
        timeouts.firstByte = fields.value("first-byte", Values.duration) ?? timeouts.firstByte
        timeouts.idle = fields.value("idle", Values.duration) ?? timeouts.idle
        timeouts.head = fields.value("head", Values.duration) ?? timeouts.head
        return timeouts
    }
}

/// Reads `{url: "http://…", health: {path: /healthz}}`.
enum UpstreamReader {
    static func read(_ node: Node, _ key: String, _ source: ValueReader) -> UpstreamDefinition? {
        guard let fields = FieldReader(node, of: "`\(key)`", keys: ["url", "health"], source) else { return nil }
        var healthPath: String?
        if let health = fields.fields("health", keys: ["path"]),
            let path = health.required("path", example: "path: /healthz")
        {
            healthPath = source.value(path, "path", Values.requestPath)
        }
        guard let url = fields.required("url", example: #"url: "http://127.0.0.1:9000""#),
            let address = source.value(url, "url", Values.upstreamURL)
        else { return nil }
        return UpstreamDefinition(
            host: address.host, port: address.port ?? 80, healthPath: healthPath, location: source.location(of: url))
    }
}
