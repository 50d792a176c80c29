/// What rules say of two values that are not the same.
extension DocumentComparison {
    /// The first rule that hides the difference at the current place. A time rule may find the difference to be one of
    /// format.
    mutating func ruleHiding(_ kind: inout DifferenceKind, _ left: Int, _ right: Int) -> Int? {
        if hasRules {
            let frame = currentFrame()
            if frame.ignoredBy >= 0 { return Int(frame.ignoredBy) }
            if !frame.isEmpty {
                var isFormat = false
                let rule = states.first(at: frame) { hides($0, left, right, &isFormat) }
                if let rule { return rule }
                if isFormat { kind = .format }
            }
        }
        return rules.ignoreRule(covering: .body)
    }

    /// The rule that makes the array at the current place a bag.
    mutating func unorderedRule() -> (rule: Int, key: PathPattern?)? {
        guard hasRules else { return nil }
        // On its own: a call's receiver is read before its arguments are, and this one moves the states on.
        let frame = currentFrame()
        return unorderedRule(at: frame)
    }

    /// The rule that makes the members of this name a bag. It names them as one, without an index.
    mutating func unorderedRule(ofMembers name: DocumentView.Name) -> (rule: Int, key: PathPattern?)? {
        guard hasRules else { return nil }
        let around = currentFrame()
        guard !around.isEmpty else { return nil }
        let frame = states.push(RuleStates.Step(name: name, index: -1, isTentative: isQuiet), below: around)
        defer { states.pop(frame) }
        return unorderedRule(at: frame)
    }

    private func unorderedRule(at frame: RuleStates.Frame) -> (rule: Int, key: PathPattern?)? {
        guard !frame.isEmpty else { return nil }
        var found: PathPattern?
        let rule = states.first(at: frame) { action in
            guard case .unordered(let key) = action else { return false }
            found = key
            return true
        }
        return rule.map { ($0, found) }
    }

    /// The rules' states at the current place. They are kept for the places around it, so that a thousand
    /// differences in one array do not walk the way down to it a thousand times.
    mutating func currentFrame() -> RuleStates.Frame {
        if frames.isEmpty { frames.append(states.root) }
        while frames.count <= path.count {
            let place = path[frames.count - 1]
            let name: DocumentView.Name? =
                switch place.step {
                case .primaryMember(let node): primary.name(node)
                case .shadowMember(let node): shadow.name(node)
                case .element: nil
                }
            let step = RuleStates.Step(name: name, index: place.index, isTentative: place.isTentative)
            frames.append(states.push(step, below: frames[frames.count - 1]))
        }
        return frames[path.count]
    }

    /// Whether two values, of which one may be absent (-1), are equal in a rule's eyes.
    private func hides(_ action: CompiledRules.Action, _ left: Int, _ right: Int, _ isFormat: inout Bool) -> Bool {
        switch action {
        case .ignore, .unordered: return false
        case .equivalence(.nullMissing):
            return (left < 0 && shadow.kind(right) == .null) || (right < 0 && primary.kind(left) == .null)
        case .equivalence(.emptyMissing):
            return (left < 0 || primary.isEmpty(left)) && (right < 0 || shadow.isEmpty(right))
        default: break
        }
        guard left >= 0, right >= 0 else { return false }
        let (leftKind, rightKind) = (primary.kind(left), shadow.kind(right))
        switch action {
        case .number(let limit):
            guard let limit, leftKind == .number, rightKind == .number,
                let one = ExactDecimal(primary.content(left)), let other = ExactDecimal(shadow.content(right))
            else { return false }
            return ExactDecimal.areClose(one, other, within: limit)
        case .time(let seconds):
            guard leftKind == .string, rightKind == .string else { return false }
            switch (Timestamp(primary.text(left)), Timestamp(shadow.text(right))) {
            case (let one?, let other?) where one.hasOffset == other.hasOffset:
                return one.distance(to: other) <= seconds
            case (nil, nil): return false
            default:
                isFormat = true
                return false
            }
        case .equivalence(.number):
            guard leftKind == .number, rightKind == .number else { return false }
            return sameNumber(left, right)
        case .equivalence(.stringNumber): return sameNumber(left, right)
        case .equivalence(.case), .equivalence(.space):
            guard leftKind == .string, rightKind == .string else { return false }
            return sameWords(action, left, right)
        case .matches(let regex):
            guard !leftKind.isContainer, !rightKind.isContainer else { return false }
            return regex.matches(primary.text(left)) && regex.matches(shadow.text(right))
        default: return false
        }
    }

    /// Numbers, or strings that hold nothing else, of the same value.
    private func sameNumber(_ left: Int, _ right: Int) -> Bool {
        guard let one = Self.number(in: primary, left), let other = Self.number(in: shadow, right) else { return false }
        return one == other
    }

    private static func number(in view: DocumentView, _ index: Int) -> ExactDecimal? {
        switch view.kind(index) {
        case .number: ExactDecimal(view.content(index))
        case .string: ExactDecimal(parsing: view.text(index))
        default: nil
        }
    }

    /// Both rules may be about one place: what either of them allows, they allow together.
    private func sameWords(_ action: CompiledRules.Action, _ left: Int, _ right: Int) -> Bool {
        guard let frame = frames.last else { return false }
        let isAlso = { (wanted: EquivalenceRule.Kind) in
            states.first(at: frame) { if case .equivalence(wanted) = $0 { true } else { false } } != nil
        }
        let (ignoresCase, ignoresSpace) = (isAlso(.case), isAlso(.space))
        let words = { (text: [UInt8]) in
            Self.words(text, ignoringCase: ignoresCase, ignoringSpace: ignoresSpace)
        }
        return words(primary.text(left)) == words(shadow.text(right))
    }

    private static func words(_ text: [UInt8], ignoringCase: Bool, ignoringSpace: Bool) -> [UInt8] {
        var text = text
        if ignoringSpace {
            let words = text.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
            text = Array(words.joined(separator: [0x20]))
        }
        return ignoringCase ? Array(String(decoding: text, as: UTF8.self).lowercased().utf8) : text
    }
}
