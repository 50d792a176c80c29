/// A hash of each element that is the same for all that the rules call equal: blind to what they hide.
///
/// Two elements of one hash are taken to belong together and are then compared, so a hash that says too little costs
/// clarity, never truth. The seed is fixed: what is reported must not depend on the process.
extension DocumentComparison {
    /// Scalars that rules only loosen would all be one; their own text says which belong together.
    /// - Returns: nil if the budget ended.
    mutating func hashes(of rest: Sequences) -> (left: [UInt64], right: [UInt64])? {
        var (left, right): ([UInt64], [UInt64]) = ([], [])
        left.reserveCapacity(rest.leftEnd - rest.start)
        right.reserveCapacity(rest.rightEnd - rest.start)
        for index in rest.start..<rest.leftEnd {
            left.append(hash(ofLeft: index, rest, isExact: primary.isScalar(leftElement(index, rest))))
            guard alignmentBudget > 0 else { return nil }
        }
        for index in rest.start..<rest.rightEnd {
            right.append(hash(ofRight: index, rest, isExact: shadow.isScalar(rightElement(index, rest))))
            guard alignmentBudget > 0 else { return nil }
        }
        return (left, right)
    }

    /// - Parameter isExact: see ``hash(of:in:_:isExact:)``.
    mutating func hash(ofLeft index: Int, _ sequences: Sequences, isExact: Bool) -> UInt64 {
        let element = leftElement(index, sequences)
        let name = sequences.of == .members ? primary.name(element - 1) : nil
        return hash(of: element, in: primary, RuleStates.Step(name: name, index: index, isTentative: true), isExact)
    }

    mutating func hash(ofRight index: Int, _ sequences: Sequences, isExact: Bool) -> UInt64 {
        let element = rightElement(index, sequences)
        let name = sequences.of == .members ? shadow.name(element - 1) : nil
        return hash(of: element, in: shadow, RuleStates.Step(name: name, index: index, isTentative: true), isExact)
    }

    private mutating func hash(of element: Int, in view: DocumentView, _ step: RuleStates.Step, _ isExact: Bool)
        -> UInt64
    {
        guard hasRules else { return hash(of: element, in: view) }
        let around = currentFrame()
        guard !around.isEmpty else { return hash(of: element, in: view) }
        let frame = states.push(step, below: around)
        defer { states.pop(frame) }
        return hash(of: element, in: view, frame, isExact: isExact)
    }

    /// - Parameter isExact: tolerances and equivalences do not count: equal hashes then say that two elements are the
    ///   same but for what is ignored.
    private mutating func hash(
        of node: Int, in view: DocumentView, _ frame: RuleStates.Frame, isExact: Bool
    ) -> UInt64 {
        if frame.isEmpty, frame.ignoredBy < 0 { return hash(of: node, in: view) }
        alignmentBudget &-= 1
        guard alignmentBudget > 0, frame.ignoredBy < 0 else { return 0 }
        if !isExact, isLoosened(frame) { return 1 }
        switch view.kind(node) {
        case .object:
            var sum = Self.objectSeed
            var name = node &+ 1
            for _ in 0..<view.count(node) {
                let step = RuleStates.Step(name: view.name(name), index: -1, isTentative: true)
                let next = states.push(step, below: frame)
                if next.ignoredBy < 0, !isAsIfMissing(name &+ 1, in: view, next) {
                    let text = view.name(name).hash(seed: Bytes.fixedSeed)
                    sum &+= Bytes.mixed(
                        text ^ Self.memberSeed, hash(of: name &+ 1, in: view, next, isExact: isExact) | 1)
                }
                states.pop(next)
                guard alignmentBudget > 0 else { return 0 }
                name = view.next(name &+ 1)
            }
            return sum
        case .array:
            let isBag = states.first(at: frame) { if case .unordered = $0 { true } else { false } } != nil
            var result = Self.arraySeed &+ UInt64(view.count(node))
            var element = node &+ 1
            for index in 0..<view.count(node) {
                let next = states.push(RuleStates.Step(name: nil, index: index, isTentative: true), below: frame)
                let own = hash(of: element, in: view, next, isExact: isExact)
                states.pop(next)
                result = isBag ? result &+ Bytes.mixed(own, Self.arraySeed) : Bytes.mixed(result ^ own, Self.arraySeed)
                guard alignmentBudget > 0 else { return 0 }
                element = view.next(element)
            }
            return result
        default: return hash(of: node, in: view)
        }
    }

    /// Where no rule is about anything.
    private mutating func hash(of node: Int, in view: DocumentView) -> UInt64 {
        alignmentBudget &-= 1
        guard alignmentBudget > 0 else { return 0 }
        let kind = view.kind(node)
        switch kind {
        case .object:
            // A sum is blind to the order of members.
            var sum = Self.objectSeed
            var name = node &+ 1
            for _ in 0..<view.count(node) {
                let text = view.name(name).hash(seed: Bytes.fixedSeed)
                sum &+= Bytes.mixed(text ^ Self.memberSeed, hash(of: name &+ 1, in: view) | 1)
                name = view.next(name &+ 1)
            }
            return sum
        case .array:
            var result = Self.arraySeed &+ UInt64(view.count(node))
            var element = node &+ 1
            for _ in 0..<view.count(node) {
                result = Bytes.mixed(result ^ hash(of: element, in: view), Self.arraySeed)
                element = view.next(element)
            }
            return result
        default: return view.name(node).hash(seed: Bytes.fixedSeed &+ UInt64(kind.rawValue))
        }
    }

    private static let objectSeed: UInt64 = 0x8EBC_6AF0_9C88_C6E3
    private static let arraySeed: UInt64 = 0x5899_65CC_7537_4CC3
    private static let memberSeed: UInt64 = 0x1D8E_4E27_C47D_124F

    private func isLoosened(_ frame: RuleStates.Frame) -> Bool {
        states.first(at: frame) { action in
            switch action {
            case .number, .time, .matches: true
            case .equivalence(let kind): kind != .nullMissing
            case .ignore, .unordered: false
            }
        } != nil
    }

    private func isAsIfMissing(_ node: Int, in view: DocumentView, _ frame: RuleStates.Frame) -> Bool {
        guard !frame.isEmpty, view.isEmpty(node) else { return false }
        let isNull = view.kind(node) == .null
        return states.first(at: frame) { action in
            switch action {
            case .equivalence(.nullMissing): isNull
            case .equivalence(.emptyMissing): true
            default: false
            }
        } != nil
    }
}
