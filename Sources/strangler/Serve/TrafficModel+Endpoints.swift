import Extraction
import Foundation
import ProxyConfiguration
import Routing

extension TrafficModel {
    /// The endpoints that the files name, whether anybody asks for them or not, as the evidence names them: those of
    /// routes without `/**` that say their methods. HEAD and OPTIONS count only when somebody asks for them: no contract
    /// lists them and every GET has them.
    func listedEndpoints(of extraction: String) -> Set<String> {
        guard let index = configuration.extractions.firstIndex(where: { $0.definition.name == extraction }) else {
            return []
        }
        return configuration.routes.reduce(into: []) { listed, route in
            guard route.extraction == index, !route.pattern.matchesRest else { return }
            for method in route.methods where !Self.unlisted.contains(method) {
                listed.insert("\(method) \(route.pattern.text)")
            }
        }
    }

    private static let unlisted: Set = ["HEAD", "OPTIONS", "TRACE"]
}
