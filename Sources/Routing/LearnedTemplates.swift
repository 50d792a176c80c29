internal import HTTPWire

/// Names the endpoints of a system that nobody has described, from what it is asked: `GET /orders/{id}`.
///
/// A tree of the segments that paths are made of. Segments that look like identifiers (`EndpointTemplates`) are one child,
/// `{id}`. Where too many different words follow each other they are values too (slugs, names of users): the position
/// collapses into `{name}`, its subtrees are laid over each other, and so it stays; words that have a good part of the
/// position's requests to themselves (`/users/me`) keep their place. Where resources are named, at the root and below
/// `api` and versions, more words fit, and those that came first keep their place in any case: a resource that vanished
/// into a `{name}` would be no candidate any more.
///
/// Bounded in everything, whatever clients send: nodes, endpoints of a method, depth, the length of words. What finds no
/// place is counted for its resource, `/orders/**`, or where that is not known either for `/**`. What does not exist gets
/// no place: paths made up by a scanner are all `(not-found)`.
///
/// Deterministic: the same requests in the same order get the same names. Names said before a position collapsed are
/// brought up to date by `current(_:)`.
package struct LearnedTemplates: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Different words at one position, before they count as values.
        package var words: Int
        /// The same where resources are named.
        package var resources: Int
        /// Segments of a template; what is below is one endpoint, `/…/**`.
        package var depth: Int
        package var nodes: Int
        /// Of one method.
        package var endpoints: Int

        package init(
            words: Int = 20, resources: Int = 60, depth: Int = 8, nodes: Int = 4_000, endpoints: Int = 300
        ) {
            self.words = max(1, words)
            self.resources = max(1, resources)
            self.depth = max(1, depth)
            self.nodes = max(1, nodes)
            self.endpoints = max(1, endpoints)
        }
    }

    /// In place of a path: nothing is there.
    package static let notFound = "(not-found)"
    static let id = "{id}"
    static let value = "{name}"
    static let rest = "**"
    /// A word stays beside `{name}` with one in this many of the position's requests, and at least so many.
    static let keptPart = 8
    static let keptRequests = 100

    struct Node {
        var words: [String: Int] = [:]
        /// The child of all values.
        var values: Int?
        /// Further words are values.
        var isCollapsed = false
        /// A stored name says that it is collapsed.
        var isToCollapse = false
        /// Here resources are named.
        var namesResources = false
        var requests = 0
        /// A bit for each method with an endpoint that ends here.
        var methods: UInt16 = 0
    }

    let limits: Limits
    /// The first is the root.
    var nodes: [Node]
    var free: [Int] = []
    var endpoints = [Int](repeating: 0, count: Method.allCases.count)

    package init(limits: Limits = Limits()) {
        self.limits = limits
        nodes = [Node(namesResources: true)]
    }

    /// How many there are now, of all methods.
    package var endpointCount: Int { endpoints.reduce(0, +) }
    var nodeCount: Int { nodes.count - free.count }

    // MARK: Requests

    /// The endpoint of a request, which from now on is known.
    ///
    /// - Parameters:
    ///   - path: normalised, without the query.
    ///   - status: of the answer, 0 where there was none.
    ///   - weight: how many requests this one stands for.
    package mutating func endpoint(method token: String, path: String, status: Int, weight: Int = 1) -> String {
        let method = Method(token: token)
        let steps = steps(path)
        var walk = walk(steps)
        if walk.known < steps.count || !has(method, at: walk.node) {
            guard Self.exists(status) else { return "\(name(method)) \(Self.notFound)" }
            guard status != 0, add(steps, method, to: &walk) else { return "\(name(method)) \(overflow(steps))" }
        }
        let template = count(steps, max(0, weight))
        return "\(name(method)) \(template)"
    }

    /// Whether such an answer may be the first of an endpoint.
    private static func exists(_ status: Int) -> Bool {
        switch status {
        // Malformed and too long ones beside those that are not there: this is what scanners send.
        case 400, 404, 405, 410, 414, 431, 501: false
        default: true
        }
    }

    /// An endpoint's name as it would be given now. Names that were not given here stay as they are.
    package func current(_ endpoint: String) -> String {
        guard let (method, template) = Self.parts(of: endpoint) else { return endpoint }
        let steps = template.split(separator: "/").map(Self.step(ofTemplate:))
        let walk = walk(steps)
        return walk.known == steps.count && !steps.isEmpty ? "\(method) \(walk.template)" : endpoint
    }

    // MARK: Names given before

    /// Takes over the names that were given before, here or by other replicas.
    ///
    /// - Parameter stored: each with its number of requests; they count for names that are new here.
    package mutating func learn(_ stored: [String: Int]) {
        // The busiest first, as they would have come; then by name, so that equal stores teach the same.
        for (endpoint, requests) in stored.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            guard let (token, template) = Self.parts(of: endpoint), !template.hasSuffix("/" + Self.rest) else {
                continue
            }
            let method = Method(token: String(token))
            let steps = template.split(separator: "/").prefix(limits.depth).map(Self.step(ofTemplate:))
            var walk = walk(steps)
            let isNew = walk.known < steps.count || !has(method, at: walk.node)
            if isNew, add(steps, method, to: &walk) { _ = count(steps, max(0, requests)) }
            // Not at once: which words keep their place is decided when all are here.
            markValues(steps)
        }
        for node in nodes.indices where nodes[node].isToCollapse {
            nodes[node].isToCollapse = false
            collapse(node)
        }
    }

    private static func parts(of endpoint: String) -> (Substring, Substring)? {
        guard let blank = endpoint.firstIndex(of: " ") else { return nil }
        let template = endpoint[endpoint.index(after: blank)...]
        return template.first == "/" ? (endpoint[..<blank], template) : nil
    }
}

// MARK: - Segments

extension LearnedTemplates {
    enum Step: Equatable {
        case word(String)
        case id
        /// Of a stored name.
        case value
        case rest
    }

    /// At most `depth` of them, and `rest` for more.
    private func steps(_ path: String) -> [Step] {
        var steps: [Step] = []
        for segment in path.split(separator: "/", maxSplits: limits.depth + 1) {
            guard steps.count < limits.depth else { return steps + [.rest] }
            let word = segment.prefix { $0 != ";" }
            if !word.isEmpty { steps.append(Self.isWord(word) ? .word(String(word)) : .id) }
        }
        return steps
    }

    /// What has other characters than words of an interface have is a value: also braces, which would make it look like
    /// a template.
    private static func isWord(_ segment: Substring) -> Bool {
        guard !EndpointTemplates.looksLikeIdentifier(segment) else { return false }
        return segment.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
    }

    private static func step(ofTemplate segment: Substring) -> Step {
        switch segment {
        case rest: .rest
        case value: .value
        default: isWord(segment) ? .word(String(segment)) : .id
        }
    }
}
