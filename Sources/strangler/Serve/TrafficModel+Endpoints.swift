import Contract
import Extraction
import Foundation
import ProxyConfiguration
import Routing

extension TrafficModel {
    /// The endpoints that the files name, whether anybody asks for them or not, as the evidence names them: those of
    /// routes without `/**` that say their methods, and the operations of the contract that a route of the extraction
    /// takes. HEAD and OPTIONS count only when somebody asks for them: they go with every GET, and few contracts list them.
    func listedEndpoints(of extraction: String) -> Set<String> {
        guard let index = configuration.extractions.firstIndex(where: { $0.definition.name == extraction }) else {
            return []
        }
        var listed: Set<String> = []
        for route in configuration.routes where route.extraction == index && !route.pattern.matchesRest {
            for method in route.methods { listed.insert("\(method) \(route.pattern.text)") }
        }
        for endpoint in configuration.extractions[index].contract?.endpoints ?? [] {
            if let name = taken(endpoint, by: index) { listed.insert(name) }
        }
        return listed.filter { name in !Self.unlisted.contains { name.hasPrefix($0) } }
    }

    private static let unlisted = ["HEAD ", "OPTIONS ", "TRACE "]

    /// What the evidence calls requests to an endpoint of the contract; nil if no route of the extraction takes them.
    private func taken(_ endpoint: String, by extraction: Int) -> String? {
        let parts = endpoint.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let method = String(parts[0])
        // A segment that no route names by itself.
        let path = parts[1].split(separator: "/").map { $0.contains("{") ? "~" : String($0) }.joined(separator: "/")
        let hosts = Set(configuration.routes.lazy.filter { $0.extraction == extraction }.flatMap(\.hosts)).sorted()
        for host in hosts.isEmpty ? [""] : hosts.map({ $0.replacing("*", with: "x") }) {
            let route = configuration.routeTable.match(method: method, path: "/" + path, host: host)
            guard route >= 0, configuration.routes[route].extraction == extraction else { continue }
            return configuration.templates.endpoint(route: route, method: method, path: "/" + path)
        }
        return nil
    }
}
