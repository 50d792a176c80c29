package import Contract
internal import Extraction
internal import Routing

extension ProxyConfiguration {
    /// What an extraction's routes take and its contract says nothing about, a sentence each; none without a contract.
    package func contractProblems(of extraction: String) -> [String] {
        guard let index = extractions.firstIndex(where: { $0.definition.name == extraction }),
            let contract = extractions[index].contract
        else { return [] }
        return uncovered(by: contract, extraction: index)
    }

    /// The same of any contract.
    /// - Parameter extraction: index of the extraction whose routes it is held against.
    package func uncovered(by contract: ContractDocument, extraction: Int) -> [String] {
        let own = routes.indices.filter { routes[$0].extraction == extraction }
        let covered = own.map { number in
            CoveredRoute(
                pattern: routes[number].pattern.text, methods: routes[number].methods, hosts: routes[number].hosts)
        }
        return contract.uncovered(by: covered) { number, method, path in
            let route = routes[own[number]]
            let host = route.hosts.first.map { $0.replacing("*", with: "x") } ?? ""
            return routeTable.match(method: method, path: path, host: host) == own[number]
        }
    }
}
