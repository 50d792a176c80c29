package import HTTPWire

/// The endpoints of a configuration by number, for those who count on the hot path and make names of it later.
///
/// Each route has an endpoint of its own, and below a `/**` one more for each of its extraction's contract templates. What a
/// contract says nothing about counts at the route's own. So there are only as many endpoints as the files name, whatever
/// clients send.
package final class EndpointIndex: Sendable {
    private struct Place {
        /// The number of the route's own endpoint; its templates' follow.
        let first: Int
        /// Of the contract's templates, where they matter.
        let table: RouteTable?
    }

    private struct Endpoint {
        let extraction: String
        /// Without the method.
        let name: String
    }

    private let places: [Place]
    private let endpoints: [Endpoint]

    /// - Parameter extractions: their names, by the index that `Route.extraction` holds.
    package init(routes: [Route], templates: EndpointTemplates, extractions: [String]) {
        var places: [Place] = []
        var endpoints: [Endpoint] = []
        for (number, route) in routes.enumerated() {
            let extraction = extractions.indices.contains(route.extraction) ? extractions[route.extraction] : ""
            let table = templates.table(of: number)
            places.append(Place(first: endpoints.count, table: table))
            endpoints.append(Endpoint(extraction: extraction, name: route.pattern.text))
            for template in 0..<(table == nil ? 0 : templates.count(of: number)) {
                let name = templates.name(route: number, template: template)
                endpoints.append(Endpoint(extraction: extraction, name: name))
            }
        }
        self.places = places
        self.endpoints = endpoints
    }

    /// Without endpoints: nothing is counted.
    package static let none = EndpointIndex(
        routes: [], templates: EndpointTemplates(routes: [], known: []), extractions: [])

    package var count: Int { endpoints.count }

    /// The number of the endpoint that a request belongs to, 0 ..< `count`; -1 for a route that is not in the index.
    ///
    /// - Parameters:
    ///   - route: what `RouteTable.match` gave.
    ///   - path: normalised, without the query.
    package func endpoint(route: Int, path: UnsafeRawBufferPointer) -> Int {
        guard route >= 0, route < places.count else { return -1 }
        let first = places[route].first
        guard let table = places[route].table else { return first }
        let noHost = UnsafeRawBufferPointer(start: nil, count: 0)
        return first &+ 1 &+ table.match(method: .get, methodToken: noHost, path: path, host: noHost)
    }

    /// `orders` and `GET /api/v1/orders/{id}`. Methods that are not registered are one, `other`.
    package func names(endpoint: Int, method: Method) -> (extraction: String, endpoint: String)? {
        guard endpoints.indices.contains(endpoint) else { return nil }
        let named = endpoints[endpoint]
        return (named.extraction, "\(method == .other ? "other" : method.name) \(named.name)")
    }
}
