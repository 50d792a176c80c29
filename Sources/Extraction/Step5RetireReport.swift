package import FoundationEssentials

/// What retiring an extraction leaves behind: the code of the monolith that nothing can reach through the proxy any more,
/// and so may be deleted. Pure; stored as it was when the extraction was retired.
package struct RetireReport: Sendable, Codable, Equatable {
    /// Which requests an entry of `match` takes.
    package struct Route: Sendable, Codable, Equatable {
        /// `/api/v1/orders/**`.
        package var path: String
        /// Empty for any; GET stands for HEAD too.
        package var methods: [String]
        /// Empty for any.
        package var hosts: [String]

        package init(path: String, methods: [String], hosts: [String]) {
            self.path = path
            self.methods = methods
            self.hosts = hosts
        }

        /// `GET, POST /api/v1/orders/** on shop.example.com`.
        package var said: String {
            let hosts = hosts.isEmpty ? "" : " on \(hosts.joined(separator: ", "))"
            return "\(methods.isEmpty ? "every method of" : methods.joined(separator: ", ")) \(path)\(hosts)"
        }
    }

    /// An endpoint of the monolith that only the service answers now.
    package struct Endpoint: Sendable, Codable, Equatable {
        /// `GET /api/v1/orders/{id}`.
        package var endpoint: String
        /// When the monolith answered it as the one who is asked; nil: never since counting began.
        package var lastAnswered: Date?
        /// Of the monolith, in the 30 days before it was asked for the last time for any of them.
        package var requestsBefore: Int
        /// The entry of `match` that takes it; nil for an endpoint of before that no entry takes by itself.
        package var route: String?

        package init(endpoint: String, lastAnswered: Date?, requestsBefore: Int, route: String?) {
            self.endpoint = endpoint
            self.lastAnswered = lastAnswered
            self.requestsBefore = requestsBefore
            self.route = route
        }
    }

    /// Something on the same paths that still goes to the monolith.
    package struct Reachable: Sendable, Codable, Equatable {
        /// `DELETE /api/v1/orders/{id}`, or which requests in words.
        package var what: String
        package var why: String
        /// Asked of the monolith in the last 30 days.
        package var requests: Int

        package init(what: String, why: String, requests: Int) {
            self.what = what
            self.why = why
            self.requests = requests
        }
    }

    /// Seconds, see ``Endpoint/requestsBefore``.
    package static let before = 30 * 86_400.0

    package var extraction: String
    /// When the monolith stopped to be asked; in a preview, now.
    package var at: Date
    /// Nil before anything was counted.
    package var countingSince: Date?
    package var routes: [Route]
    /// In the order of their names.
    package var unreachable: [Endpoint]
    package var stillReachable: [Reachable]
}

extension RetireReport {
    /// - Parameters:
    ///   - unreachable: what the monolith was asked for and the routes take, and what they and the contract name.
    ///   - stillAsked: endpoints on the routes' paths that no route takes, with their requests in the last 30 days.
    package init(
        extraction: String, at: Date, countingSince: Date?, routes: [Route], unreachable: [Endpoint],
        stillAsked: [String: Int]
    ) {
        self.extraction = extraction
        self.at = at
        self.countingSince = countingSince
        self.routes = routes
        self.unreachable = Self.merged(unreachable)
        stillReachable =
            stillAsked.sorted { $0.key < $1.key }.map { endpoint, requests in
                Reachable(what: endpoint, why: "no entry of match takes it", requests: requests)
            } + Self.gaps(routes)
    }

    /// One row an endpoint, however many sources know of it.
    private static func merged(_ endpoints: [Endpoint]) -> [Endpoint] {
        var merged: [String: Endpoint] = [:]
        for endpoint in endpoints {
            guard var known = merged[endpoint.endpoint] else {
                merged[endpoint.endpoint] = endpoint
                continue
            }
            known.lastAnswered = [known.lastAnswered, endpoint.lastAnswered].compactMap(\.self).max()
            known.requestsBefore &+= endpoint.requestsBefore
            known.route = known.route ?? endpoint.route
            merged[endpoint.endpoint] = known
        }
        return merged.values.sorted { $0.endpoint.pathFirst < $1.endpoint.pathFirst }
    }

    /// What the routes themselves leave to the monolith, asked for or not.
    private static func gaps(_ routes: [Route]) -> [Reachable] {
        var gaps: [Reachable] = []
        for (path, entries) in Dictionary(grouping: routes, by: \.path).sorted(by: { $0.key < $1.key }) {
            // An entry for any host takes its methods everywhere; without one, other hosts go on.
            let everywhere = entries.filter(\.hosts.isEmpty)
            if everywhere.isEmpty {
                let hosts = Set(entries.flatMap(\.hosts)).sorted()
                gaps.append(
                    Reachable(
                        what: "\(path) on other hosts", why: "match takes it only on \(listed(hosts))", requests: 0))
            } else if everywhere.allSatisfy({ !$0.methods.isEmpty }) {
                let methods = Set(everywhere.flatMap(\.methods)).sorted()
                gaps.append(
                    Reachable(
                        what: "other methods of \(path)", why: "match takes only \(methods.joined(separator: ", "))",
                        requests: 0))
            }
        }
        return gaps
    }

    /// One sentence: what may be deleted.
    package var said: String {
        let answered = unreachable.count { $0.lastAnswered != nil }
        let never = unreachable.count - answered
        let rest =
            never > 0
            ? ", \(never) of them never asked for" + (countingSince == nil ? "" : " since counting began") : ""
        return "\(counted(unreachable.count, "endpoint")) of the monolith cannot be reached through the proxy\(rest)"
    }
}

extension String {
    /// Endpoints in the order of their paths, then of their methods.
    fileprivate var pathFirst: String {
        guard let blank = firstIndex(of: " ") else { return self }
        return String(self[index(after: blank)...]) + " " + self[..<blank]
    }
}
