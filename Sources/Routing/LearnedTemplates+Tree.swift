internal import HTTPWire

// The tree of segments.
extension LearnedTemplates {
    /// How far a path is known.
    struct Walk {
        var node = 0
        /// Steps that led there.
        var known = 0
        var template = ""
    }

    func walk(_ steps: [Step]) -> Walk {
        var walk = Walk()
        for step in steps {
            guard let (child, text) = child(of: walk.node, step) else { break }
            walk.node = child
            walk.known += 1
            walk.template += "/" + text
        }
        if walk.template.isEmpty { walk.template = "/" }
        return walk
    }

    private func child(of node: Int, _ step: Step) -> (Int, String)? {
        let node = nodes[node]
        let values = node.values.map { ($0, node.isCollapsed || node.isToCollapse ? Self.value : Self.id) }
        switch step {
        case .word(let word):
            if let child = node.words[word] { return (child, word) }
            return node.isCollapsed ? values : nil
        case .rest: return node.words[Self.rest].map { ($0, Self.rest) }
        case .id, .value: return values
        }
    }

    func has(_ method: Method, at node: Int) -> Bool { nodes[node].methods & Self.bit(method) != 0 }

    private static func bit(_ method: Method) -> UInt16 { 1 << UInt16(method.rawValue) }

    func name(_ method: Method) -> String { method == .other ? "other" : method.name }

    /// - Returns: false if there is no room; then nothing was changed.
    mutating func add(_ steps: [Step], _ method: Method, to walk: inout Walk) -> Bool {
        guard endpoints[Int(method.rawValue)] < limits.endpoints,
            nodeCount + steps.count - walk.known <= limits.nodes
        else { return false }
        var grown: [Int] = []
        for step in steps[walk.known...] {
            let parent = walk.node
            walk.node = newNode(below: parent, step)
            switch step {
            case .word(let word):
                nodes[parent].words[word] = walk.node
                grown.append(parent)
            case .rest: nodes[parent].words[Self.rest] = walk.node
            case .id, .value: nodes[parent].values = walk.node
            }
        }
        walk.known = steps.count
        nodes[walk.node].methods |= Self.bit(method)
        endpoints[Int(method.rawValue)] += 1
        // The uppermost first: what is below it may be gone then.
        for node in grown where nodes[node].words.count > limit(at: node) && !nodes[node].isCollapsed {
            collapse(node)
            if !nodes[node].namesResources { break }
        }
        return true
    }

    /// Where a stored name says `{name}`, words are values.
    mutating func markValues(_ steps: [Step]) {
        guard steps.contains(.value) else { return }
        var node = 0
        for step in steps {
            if step == .value, !nodes[node].isCollapsed { nodes[node].isToCollapse = true }
            guard let (child, _) = child(of: node, step) else { return }
            node = child
        }
    }

    private mutating func newNode(below parent: Int, _ step: Step) -> Int {
        var node = Node()
        if case .word(let word) = step {
            node.namesResources = nodes[parent].namesResources && ResourcePrefix.isCommon(word)
        }
        guard let place = free.popLast() else {
            nodes.append(node)
            return nodes.count - 1
        }
        nodes[place] = node
        return place
    }

    private func limit(at node: Int) -> Int { nodes[node].namesResources ? limits.resources : limits.words }

    /// Adds requests to all nodes on the way.
    /// - Returns: the template.
    mutating func count(_ steps: [Step], _ weight: Int) -> String {
        nodes[0].requests = nodes[0].requests.addingSaturated(weight)
        let found = walk(steps)
        var node = 0
        for step in steps {
            guard let (child, _) = child(of: node, step) else { break }
            node = child
            nodes[node].requests = nodes[node].requests.addingSaturated(weight)
        }
        return found.template
    }

    /// The name of what has no place: as much of its resource's as is known.
    func overflow(_ steps: [Step]) -> String {
        var (node, prefix) = (0, "")
        for step in steps {
            guard case .word(let word) = step, let child = nodes[node].words[word] else { break }
            prefix += "/" + word
            node = child
            if !nodes[node].namesResources { break }
        }
        return prefix + "/" + Self.rest
    }
}

// MARK: - Collapsing

extension LearnedTemplates {
    /// Words of this position are values from now on.
    mutating func collapse(_ node: Int) {
        nodes[node].isCollapsed = true
        guard !nodes[node].namesResources else {
            // Room for what will come.
            if nodes[node].values == nil { nodes[node].values = newNode(below: node, .value) }
            return
        }
        let words = nodes[node].words.filter { $0.key != Self.rest }
        let all = words.values.reduce(0) { $0.addingSaturated(nodes[$1].requests) }
        let enough = max(Self.keptRequests, all / Self.keptPart)
        // In order, so that equal trees collapse into equal ones.
        for (word, child) in words.sorted(by: { $0.key < $1.key }) where nodes[child].requests < enough {
            nodes[node].words[word] = nil
            if let values = nodes[node].values {
                merge(child, into: values)
            } else {
                nodes[node].values = child
            }
        }
        if nodes[node].values == nil { nodes[node].values = newNode(below: node, .value) }
    }

    /// Lays one subtree over another, and frees it.
    private mutating func merge(_ source: Int, into target: Int) {
        let from = nodes[source]
        nodes[source] = Node()
        free.append(source)
        nodes[target].requests = nodes[target].requests.addingSaturated(from.requests)
        // An endpoint that both have is one now.
        for method in Method.allCases where nodes[target].methods & from.methods & Self.bit(method) != 0 {
            endpoints[Int(method.rawValue)] -= 1
        }
        nodes[target].methods |= from.methods
        if let values = from.values { attach(values, to: target, as: nil) }
        for (word, child) in from.words.sorted(by: { $0.key < $1.key }) { attach(child, to: target, as: word) }
        let words = nodes[target].words.count - (nodes[target].words[Self.rest] == nil ? 0 : 1)
        if from.isToCollapse { nodes[target].isToCollapse = true }
        if from.isCollapsed || nodes[target].isCollapsed || words > limit(at: target) { collapse(target) }
    }

    /// - Parameter word: nil for the child of all values.
    private mutating func attach(_ child: Int, to parent: Int, as word: String?) {
        if let known = word.map({ nodes[parent].words[$0] }) ?? nodes[parent].values {
            merge(child, into: known)
        } else if let word {
            nodes[parent].words[word] = child
        } else {
            nodes[parent].values = child
        }
    }
}

extension Int {
    fileprivate func addingSaturated(_ other: Int) -> Int {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
