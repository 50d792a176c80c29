import AdminAPI
import Extraction
import Foundation
import HTTPWire
import ProxyConfiguration
import Routing

extension ProxyBackend {
    func explain(
        method: String, url: String, cookie: String?, client: String?
    ) async throws(AdminError) -> ExplainReport {
        guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A && $0 != 0x2F }) else {
            throw AdminError(.invalid, "the proxy answers 400 to this method")
        }
        let (host, path) = try Self.parts(of: url)
        let model = await keeper.model
        let route = model.configuration.routeTable.match(method: method, path: path, host: host)
        guard route >= 0, route < model.configuration.routes.count else {
            return ExplainReport(
                extraction: nil, endpoint: "\(method) \(path)", primary: Side.monolith.description, shadow: nil,
                why: Why.noExtraction.description)
        }
        let matched = model.configuration.routes[route]
        let definition = model.definitions[matched.extraction]
        guard let state = await keeper.states[definition.name] else {
            throw AdminError(.notFound, "no state is known of \(definition.name)")
        }
        let plan = TrafficPlan(state: state, definition: definition)
        let key = Self.key(
            definition.affinity, path: path, segment: model.affinitySegments[route], cookie: cookie, client: client)
        let bucket = Array(key.value.utf8).withUnsafeBytes {
            AffinityHash.bucket(salt: AffinityHash.seed(for: definition.salt), key: $0)
        }
        let isSafe = Method(token: method).isSafe
        let decision = plan.decide(bucket: bucket, isSafe: isSafe, sampleRoll: 0)
        let why =
            decision.why.description
            + (plan.needsAffinity(isSafe: isSafe) ? " (\(key.said), bucket \(bucket) of 10000)" : "")
        return ExplainReport(
            extraction: definition.name,
            endpoint: model.configuration.templates.endpoint(route: route, method: method, path: path),
            primary: decision.primary.description, shadow: decision.shadow?.description, why: why, stage: state.stage,
            route: matched.location.description)
    }

    /// Host and normalised path of an absolute URL or of a path with an optional query.
    private static func parts(of url: String) throws(AdminError) -> (host: String, path: String) {
        var rest = Substring(url)
        var host = ""
        if let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...]
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        let path = rest.prefix { $0 != "?" && $0 != "#" }
        let result = Array(path.utf8).withUnsafeBytes { PathNormalization.normalize(path: $0) }
        switch result {
        case .unchanged: return (host, String(path))
        case .changed(let normal): return (host, String(decoding: normal, as: UTF8.self))
        case .refused(let reason):
            throw AdminError(.invalid, "the proxy answers 400 to this path: \(reason)")
        }
    }

    private static func key(
        _ affinity: Affinity, path: String, segment: Int, cookie: String?, client: String?
    ) -> (value: String, said: String) {
        let address = client ?? "127.0.0.1"
        if case .pathParameter(let name) = affinity,
            let value = Array(path.utf8).withUnsafeBytes({ bytes in
                PathSegments.value(at: segment, of: bytes).map { String(decoding: $0, as: UTF8.self) }
            })
        {
            return (value, "key: {\(name)} of the path")
        }
        if case .cookie(let name) = affinity, let cookie {
            for pair in cookie.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { continue }
                return (String(parts[1]), "key: cookie \(name)")
            }
        }
        return (address, "key: client address \(address)")
    }
}
