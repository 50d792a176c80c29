/// One line of a route file: which requests belong to which extraction.
package struct Route: Sendable {
    package let pattern: RoutePattern
    /// Method tokens, case-sensitive; empty for any. `GET` implies `HEAD`.
    package let methods: [String]
    /// Exact names or `*.example.com` (one label or more in front), in any case, without a port; empty for any.
    package let hosts: [String]
    /// Index of the extraction in the configuration.
    package let extraction: Int
    package let location: SourceLocation

    package init(
        pattern: RoutePattern, methods: [String] = [], hosts: [String] = [], extraction: Int, location: SourceLocation
    ) {
        self.pattern = pattern
        self.methods = methods
        self.hosts = hosts
        self.extraction = extraction
        self.location = location
    }

    /// The methods with what they imply.
    var effectiveMethods: Set<String> {
        methods.contains("GET") ? Set(methods).union(["HEAD"]) : Set(methods)
    }
}

/// Two routes that take the same requests and are equally specific, so that only chance could choose between them.
package struct RouteClash: Sendable, Hashable, CustomStringConvertible {
    package let pattern: String
    package let first: SourceLocation
    package let second: SourceLocation
    /// The shared methods in order; empty when both take any.
    package let methods: [String]
    /// The shared hosts in order; empty when both take any.
    package let hosts: [String]

    package var description: String {
        let what = (methods.isEmpty ? "any method" : methods.joined(separator: ", ")) + " \(pattern)"
        let host = hosts.isEmpty ? "" : " on \(hosts.joined(separator: ", "))"
        return "\(first) and \(second) both take \(what)\(host)"
    }
}

/// All clashes of a table at once, in the order of the later route.
package struct RouteClashes: Error, Sendable, CustomStringConvertible {
    package let clashes: [RouteClash]

    package init(clashes: [RouteClash]) { self.clashes = clashes }

    package var description: String { clashes.map(\.description).joined(separator: "\n") }
}
