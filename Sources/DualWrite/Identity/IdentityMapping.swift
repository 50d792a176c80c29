package import Comparison
package import Extraction
package import Routing

/// Where one extraction's requests and answers name things that each side has a name of its own for: the `map` rules, together
/// with what routes and contract call the parameters of paths.
///
/// Pure: who knows the partners is asked through a closure. Only whole values are ever replaced.
package struct IdentityMapping: Sendable {
    /// What is known of one identity.
    package enum Partner: Sendable, Equatable {
        case known(IdentityPair)
        /// Nobody knows one now. `isFinal`: everybody who might has been asked.
        case unknown(isFinal: Bool)
    }

    /// Looks up one side's identity under a rule's kind.
    package typealias Find = (_ kind: String, _ side: Side, _ value: String) -> Partner

    struct Rule: Sendable {
        let kind: String
        /// A rule that adopts: it only keeps others off its places.
        let isAdopted: Bool
        /// Parameters of paths by name; nil: those that the field's name and the collection's say.
        var parameters: Set<String>?
        /// Beginnings of paths that end with the parameter.
        var prefixes: [RoutePattern] = []
        /// The field's name, if it says what it identifies, folded.
        var name: [UInt8]?
        /// What its collection is called in paths, folded.
        var collections: Set<[UInt8]> = []
        /// Folded.
        var query: Set<[UInt8]> = []
        /// Lower-case.
        var headers: Set<String> = []
        var hasLocation = true
        var learn: [PathPattern] = []
        /// Method and path; nil: what looks like a creation.
        var creates: [(method: String, pattern: RoutePattern)]?
        var same: LinearRegex?
        var requestPatterns: [PathPattern] = []
        var answerPatterns: [PathPattern] = []
    }

    let rules: [Rule]
    /// Of requests' bodies and of answers' bodies: each with its rule, in the same order.
    let requestPatterns: [PathPattern]
    let requestRules: [Int]
    let answerPatterns: [PathPattern]
    let answerRules: [Int]
    let paths: IdentityPaths

    /// Nil: no rule maps, and nothing is to be done.
    /// - Parameters:
    ///   - routes: the extraction's.
    ///   - templates: its contract's paths.
    package init?(rules: [IdentityRule], routes: [RoutePattern], templates: [String]) {
        guard rules.contains(where: { $0.places != nil }) else { return nil }
        let own = rules.filter { $0.places != nil || Self.saysIdentity($0.field) }
        let patterns = routes + templates.compactMap { try? RoutePattern(parsing: $0) }
        let compiled = own.map { Rule($0, isOnly: own.count == 1, routes: routes, patterns: patterns) }
        let mapped = compiled.indices.filter { !compiled[$0].isAdopted }
        requestPatterns = mapped.flatMap { compiled[$0].requestPatterns }
        requestRules = mapped.flatMap { Array(repeating: $0, count: compiled[$0].requestPatterns.count) }
        answerPatterns = mapped.flatMap { compiled[$0].answerPatterns }
        answerRules = mapped.flatMap { Array(repeating: $0, count: compiled[$0].answerPatterns.count) }
        self.rules = compiled
        paths = IdentityPaths(rules: self.rules, routes: routes, templates: templates)
    }

    /// `$.createdAt` is adopted, too, and names nothing in a path.
    private static func saysIdentity(_ field: PathPattern) -> Bool {
        guard let name = field.memberNames?.last else { return false }
        return IdentityWords.isBare(name) || IdentityWords.stem(of: name) != nil
    }

    /// A declared value that is there but is not to be looked up: it is the same at both sides.
    func isSame(_ rule: Int, _ bytes: some Collection<UInt8>) -> Bool {
        rules[rule].same?.matches(bytes) ?? false
    }
}

extension IdentityMapping.Rule {
    /// - Parameters:
    ///   - isOnly: no other rule is about an identity, so the routes' collection is this one's if it is called otherwise.
    ///   - patterns: of the routes and the contract.
    fileprivate init(_ rule: IdentityRule, isOnly: Bool, routes: [RoutePattern], patterns: [RoutePattern]) {
        kind = rule.kind
        let names = rule.field.memberNames ?? []
        let last = names.last ?? []
        let isBare = IdentityWords.isBare(last)
        let parent = isBare ? names.dropLast().last : nil
        let name = isBare ? parent.map { IdentityWords.folded($0 + last) } : IdentityWords.folded(last)
        let stem = isBare ? parent.map { IdentityWords.folded($0) } : IdentityWords.stem(of: last)
        var collections = stem.map(IdentityWords.collections) ?? []
        let isFound = patterns.flatMap(\.segments).contains { [collections] segment in
            switch segment {
            case .literal(let text): collections.contains(IdentityWords.folded(text))
            case .parameter(let parameter): IdentityWords.folded(parameter.utf8) == name
            }
        }
        if (isOnly && !isFound) || (isBare && parent == nil) {
            collections.formUnion(Self.collections(of: routes))
        }
        self.name = name
        self.collections = collections
        isAdopted = rule.places == nil
        guard let places = rule.places else { return }
        if let path = places.path {
            parameters = Set(path.filter { !$0.hasPrefix("/") })
            prefixes = path.filter { $0.hasPrefix("/") }.compactMap { try? RoutePattern(parsing: $0) }
        }
        let short = name ?? IdentityWords.folded(last)
        query = Set(places.query.map { $0.map { IdentityWords.folded($0.utf8) } } ?? [short, short + Array("s".utf8)])
        headers = Set(places.headers.map { $0.lowercased() })
        hasLocation = places.location
        learn = places.learn ?? [rule.field]
        creates = places.creates?.compactMap { text in
            guard let endpoint = EndpointName(text), let pattern = try? RoutePattern(parsing: endpoint.template) else {
                return nil
            }
            return (endpoint.method, pattern)
        }
        same = places.same
        requestPatterns = places.body ?? Self.patterns(rule.field, names, isBare: isBare)
        answerPatterns = [rule.field] + (places.learn ?? []) + requestPatterns
    }

    /// A field that says what it identifies does so anywhere, and in the plural as a list; `$.id` only where it stands, and in
    /// the elements of a list.
    private static func patterns(_ field: PathPattern, _ names: [[UInt8]], isBare: Bool) -> [PathPattern] {
        guard let last = names.last else { return [field] }
        guard isBare else { return [field, .anywhere([last]), .anywhere([last + Array("s".utf8)])] }
        let tail = names.suffix(2)
        return tail.count == 2 ? [field, .anywhere(Array(tail))] : [field, .inElements([last])]
    }

    /// What routes call the collection, folded: `orders` of `/api/{tenant}/orders/**` and of `/api/{tenant}/orders/{id}/items`.
    /// Where none says so clearly, what stands before their first parameters.
    private static func collections(of routes: [RoutePattern]) -> Set<[UInt8]> {
        let clear = Set(routes.compactMap { collection(of: $0, isClear: true) })
        return clear.isEmpty ? Set(routes.compactMap { collection(of: $0, isClear: false) }) : clear
    }

    private static func collection(of route: RoutePattern, isClear: Bool) -> [UInt8]? {
        if route.matchesRest, case .literal(let text) = route.segments.last { return IdentityWords.folded(text) }
        var last: [UInt8]?
        for (index, segment) in route.segments.enumerated() {
            guard case .literal(let text) = segment else { continue }
            last = text
            guard route.segments.indices.contains(index + 1), case .parameter(let name) = route.segments[index + 1],
                !isClear || IdentityWords.isBare(Array(name.utf8))
            else { continue }
            return IdentityWords.folded(text)
        }
        return isClear ? nil : last.map { IdentityWords.folded($0) }
    }
}
