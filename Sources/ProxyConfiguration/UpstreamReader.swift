import Routing
import Yams

/// Reads `monolith` and `service`: `{url: "http://…", health: {path: /healthz}, …}`.
struct UpstreamReader {
    enum Role: String {
        case monolith, service
    }

    private static let keys = [
        "url", "urls", "balance", "resolve", "health", "outlier", "breaker", "connections", "pending",
    ]
    private static let exampleURL = #""http://127.0.0.1:9000""#
    private static let maximumConnections = 1_000_000

    private let fields: FieldReader
    private let role: Role
    private var source: ValueReader { fields.source }

    static func read(_ node: Node, _ role: Role, _ source: ValueReader) -> UpstreamDefinition? {
        guard let fields = FieldReader(node, of: "`\(role.rawValue)`", keys: keys, source) else { return nil }
        return UpstreamReader(fields: fields, role: role).read()
    }

    /// Reads to the end even when there is no address.
    private func read() -> UpstreamDefinition? {
        let addresses = addresses()
        let balancing = fields.value(
            "balance", Values.oneOf(Balancing.allCases.map { (name: $0.rawValue, value: $0) }))
        let resolveInterval = fields.value("resolve", Values.duration)
        let health = health()
        let outlier = outlier()
        let breaker = breaker()
        let connections = fields.value("connections", Values.number(1...Self.maximumConnections))
        let pending = fields.value("pending", Values.number(0...Self.maximumConnections))
        guard let first = addresses.first else { return nil }
        var upstream = UpstreamDefinition(
            first: first, others: Array(addresses.dropFirst()), health: health, outlier: outlier, breaker: breaker)
        upstream.balancing = balancing ?? upstream.balancing
        upstream.resolveInterval = resolveInterval ?? upstream.resolveInterval
        upstream.connections = connections ?? upstream.connections
        upstream.pending = pending ?? upstream.pending
        return upstream
    }

    private func addresses() -> [ServerAddress] {
        guard
            let (key, node) = fields.one(
                of: ["url", "urls"], in: "`\(role.rawValue)`", example: "url: \(Self.exampleURL)")
        else { return [] }
        if key == "url" {
            if node.sequence != nil {
                source.report("`url` is a list", fix: "expected a single value; several stand under `urls`", at: node)
                return []
            }
            return [address(node, key)].compactMap { $0 }
        }
        guard let entries = source.list(node, key, of: "URLs such as \(Self.exampleURL)") else { return [] }
        if entries.isEmpty { source.report("`urls` is empty", fix: "name at least one URL", at: node) }
        var seen: [Values.HostPort: Int] = [:]
        return entries.compactMap { entry in
            guard let address = address(entry, key) else { return nil }
            let server = Values.HostPort(host: address.host.lowercased(), port: address.port)
            if let line = seen[server] {
                source.report("`urls` names this server already in line \(line)", fix: "keep one", at: entry)
            }
            seen[server] = seen[server] ?? address.location.line
            return address
        }
    }

    private func address(_ node: Node, _ key: String) -> ServerAddress? {
        source.value(node, key, Values.upstreamURL).map {
            ServerAddress(host: $0.host, port: $0.port ?? 80, location: source.location(of: node))
        }
    }
}

// MARK: - Who gets no requests

extension UpstreamReader {
    private func health() -> HealthDefinition? {
        guard let fields = fields.fields("health", keys: ["path", "interval", "timeout", "healthy", "unhealthy"])
        else { return nil }
        let path = fields.required("path", example: "path: /healthz")
            .flatMap { source.value($0, "path", Values.requestPath) }
        var health = HealthDefinition(path: path ?? "/")
        let timeout = fields.value("timeout", Values.duration)
        let interval = fields.value("interval", Values.duration)
        health.interval = interval ?? max(health.interval, timeout ?? .zero)
        health.timeout = timeout ?? min(health.timeout, health.interval)
        if health.timeout > health.interval, let node = fields["timeout"] {
            source.report(
                "`timeout` is longer than `interval`", fix: "raise `interval`, or a probe is overtaken by the next",
                at: node)
        }
        health.healthy = fields.value("healthy", Values.number(1...100)) ?? health.healthy
        health.unhealthy = fields.value("unhealthy", Values.number(1...100)) ?? health.unhealthy
        return path == nil ? nil : health
    }

    private func outlier() -> OutlierDefinition? {
        var outlier = OutlierDefinition()
        let keys = ["failures", "ejection", "longest"]
        guard let node = fields["outlier"] else { return outlier }
        if let text = node.scalar?.string {
            if text == "off" { return nil }
            source.report(
                "`outlier`: unknown value `\(text)`", fix: "expected off, or keys: \(keys.joined(separator: ", "))",
                at: node)
            return outlier
        }
        guard let fields = FieldReader(node, of: "`outlier`", keys: keys, source) else { return outlier }
        outlier.failures = fields.value("failures", Values.number(1...1_000)) ?? outlier.failures
        outlier.ejection = fields.value("ejection", Values.duration) ?? outlier.ejection
        outlier.longest = max(outlier.longest, outlier.ejection)
        if let longest = fields.value("longest", Values.duration), let node = fields["longest"] {
            if longest < outlier.ejection {
                source.report(
                    "`longest` is shorter than one `ejection`", fix: "raise it, or lower `ejection`", at: node)
            }
            outlier.longest = longest
        }
        return outlier
    }

    private func breaker() -> BreakerDefinition? {
        if role == .monolith {
            if let node = fields["breaker"] {
                source.report(
                    "`monolith` takes no `breaker`: nothing answers in its place, so an open one would only add errors",
                    fix: "remove it; `outlier`, `connections` and `pending` protect the monolith", at: node)
            }
            return nil
        }
        var breaker = BreakerDefinition()
        let keys = ["failures", "slow", "slow-after", "calls", "open", "probes"]
        guard let fields = fields.fields("breaker", keys: keys) else { return breaker }
        breaker.failurePercent = fields.value("failures", Values.wholePercent(1...100)) ?? breaker.failurePercent
        breaker.slowPercent = fields.value("slow", Values.wholePercent(1...100)) ?? breaker.slowPercent
        breaker.slowAfter = fields.value("slow-after", Values.duration) ?? breaker.slowAfter
        breaker.calls = fields.value("calls", Values.number(1...BreakerDefinition.window)) ?? breaker.calls
        breaker.open = fields.value("open", Values.duration) ?? breaker.open
        breaker.probes = fields.value("probes", Values.number(1...100)) ?? breaker.probes
        return breaker
    }
}
