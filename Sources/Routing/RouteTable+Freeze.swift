import HTTPWire

extension RouteTable {
    /// Builds the tree and freezes it.
    static func freeze(_ routes: [Route]) throws(RouteClashes) -> Frozen {
        var builder = RouteTableBuilder()
        for (index, route) in routes.enumerated() { builder.insert(route, index: index) }
        if !builder.clashes.isEmpty { throw RouteClashes(clashes: builder.clashes) }
        var groups = GroupBuilder(hosts: builder.internedHosts(), otherNames: builder.internedOtherMethods())
        var nodes: [Node] = []
        var literals: [ScopedByteMap.Entry] = []
        for (index, node) in builder.nodes.enumerated() {
            nodes.append(
                Node(
                    parameter: node.parameter.map(Int32.init) ?? -1, exact: groups.group(node.exact),
                    rest: groups.group(node.rest), hasLiterals: !node.literals.isEmpty))
            for (segment, child) in node.literals {
                literals.append(.init(scope: Int32(index), key: segment, value: Int32(child)))
            }
        }
        return Frozen(
            nodes: nodes, candidates: groups.candidates, otherMethods: groups.otherMethods,
            literals: ScopedByteMap(literals), hostNames: groups.hosts.map, otherMethodNames: groups.otherNames.map)
    }
}

/// Lays the routes that end at one node side by side, in order of specificity.
private struct GroupBuilder {
    typealias Names = (map: ScopedByteMap, ids: [String: Int32])

    let hosts: Names
    let otherNames: Names
    private(set) var candidates: [RouteTable.Candidate] = []
    private(set) var otherMethods: [Int32] = []

    init(hosts: Names, otherNames: Names) {
        self.hosts = hosts
        self.otherNames = otherNames
    }

    mutating func group(_ endings: [RouteTableBuilder.Ending]) -> RouteTable.Group {
        let start = candidates.count
        let hosted = endings.map { (host: $0.host.flatMap { hosts.ids[$0] } ?? RouteTable.anyHost, ending: $0) }
        let sorted = hosted.sorted { left, right in
            left.host != right.host
                ? left.host < right.host : !left.ending.methods.isEmpty && right.ending.methods.isEmpty
        }
        for (host, ending) in sorted {
            let others = ending.methods.compactMap { otherNames.ids[$0] }
            candidates.append(
                RouteTable.Candidate(
                    host: host, methods: ending.methods.isEmpty ? RouteTable.allMethods : Self.mask(ending.methods),
                    otherStart: Int32(otherMethods.count), otherCount: Int32(others.count), route: Int32(ending.route)))
            otherMethods += others
        }
        return RouteTable.Group(
            start: Int32(start), count: Int32(sorted.count), hasHosts: endings.contains { $0.host != nil })
    }

    private static func mask(_ methods: Set<String>) -> UInt16 {
        methods.reduce(into: 0) { mask, token in
            let method = Method(token: token)
            if method != .other { mask |= 1 << UInt16(method.rawValue) }
        }
    }
}

/// The tree while it grows: dictionaries and strings, thrown away when the table is frozen.
struct RouteTableBuilder {
    struct Node {
        var literals: [[UInt8]: Int] = [:]
        var parameter: Int?
        var exact: [Ending] = []
        var rest: [Ending] = []
    }

    /// One route at one host.
    struct Ending {
        let host: String?
        let methods: Set<String>
        let route: Int
    }

    /// What only one route may hold; nil stands for any.
    private struct Place: Hashable {
        let node: Int
        let isRest: Bool
        let host: String?
        let method: String?
    }

    private(set) var nodes: [Node] = [Node()]
    private(set) var clashes: [RouteClash] = []
    private var taken: [Place: Int] = [:]
    private var routes: [Route] = []

    mutating func insert(_ route: Route, index: Int) {
        routes.append(route)
        var node = 0
        for segment in route.pattern.segments { node = child(of: node, segment) }
        let methods = route.effectiveMethods
        let hosts: [String?] = route.hosts.isEmpty ? [nil] : Set(route.hosts.map(Self.canonical)).sorted()
        var shared: [Int: (methods: Set<String>, hosts: Set<String>)] = [:]
        for host in hosts {
            for method in methods.isEmpty ? [nil] : methods.sorted().map(Optional.some) {
                let place = Place(node: node, isRest: route.pattern.matchesRest, host: host, method: method)
                guard let other = taken[place] else {
                    taken[place] = index
                    continue
                }
                if let method { shared[other, default: ([], [])].methods.insert(method) }
                if let host { shared[other, default: ([], [])].hosts.insert(host) }
                if method == nil, host == nil { shared[other] = ([], []) }
            }
            let ending = Ending(host: host, methods: methods, route: index)
            if route.pattern.matchesRest { nodes[node].rest.append(ending) } else { nodes[node].exact.append(ending) }
        }
        for (other, what) in shared.sorted(by: { $0.key < $1.key }) {
            clashes.append(
                RouteClash(
                    pattern: route.pattern.text, first: routes[other].location, second: route.location,
                    methods: what.methods.sorted(), hosts: what.hosts.sorted()))
        }
    }

    private mutating func child(of node: Int, _ written: RoutePattern.Segment) -> Int {
        let segment = written.folded
        let existing: Int? =
            switch segment {
            case .literal(let bytes): nodes[node].literals[bytes]
            case .parameter: nodes[node].parameter
            }
        if let existing { return existing }
        let new = nodes.count
        nodes.append(Node())
        switch segment {
        case .literal(let bytes): nodes[node].literals[bytes] = new
        case .parameter: nodes[node].parameter = new
        }
        return new
    }

    /// Numbers for the hosts; a wildcard is filed under what follows its `*.`.
    func internedHosts() -> (map: ScopedByteMap, ids: [String: Int32]) {
        let names = Set(nodes.flatMap { ($0.exact + $0.rest).compactMap(\.host) }).sorted()
        let ids = Dictionary(uniqueKeysWithValues: zip(names, Int32(0)...))
        let entries = ids.map { name, id in
            name.hasPrefix("*.")
                ? ScopedByteMap.Entry(
                    scope: RouteTable.wildcardHostScope, key: Array(name.dropFirst(2).utf8), value: id)
                : ScopedByteMap.Entry(scope: RouteTable.exactHostScope, key: Array(name.utf8), value: id)
        }
        return (ScopedByteMap(entries), ids)
    }

    func internedOtherMethods() -> (map: ScopedByteMap, ids: [String: Int32]) {
        let all = Set(nodes.flatMap { ($0.exact + $0.rest).flatMap(\.methods) })
        let names = all.filter { Method(token: $0) == .other }.sorted()
        let ids = Dictionary(uniqueKeysWithValues: zip(names, Int32(0)...))
        return (ScopedByteMap(ids.map { .init(scope: 0, key: Array($0.key.utf8), value: $0.value) }), ids)
    }

    /// The form in which request hosts are looked up.
    private static func canonical(_ host: String) -> String {
        Array(host.utf8).withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(byteCount: max(bytes.count, 1), alignment: 1) { buffer in
                let length = RouteTable.canonicalHost(bytes, into: buffer)
                return String(decoding: buffer[..<length], as: UTF8.self)
            }
        }
    }
}

extension RoutePattern.Segment {
    /// As it is looked up: literals take a request's segment in any case.
    var folded: Self {
        guard case .literal(let bytes) = self else { return self }
        return .literal(bytes.map(RouteTable.lowercased))
    }
}
