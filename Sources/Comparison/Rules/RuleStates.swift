/// Where every rule's pattern stands on the way down a document: one frame per place, kept in one stack that grows
/// and shrinks with the walk. A pattern that can match nothing further down is in no deeper frame, so a subtree that no
/// rule is about costs nothing.
struct RuleStates {
    struct Frame {
        /// Entries of the patterns that are still alive.
        fileprivate var start: Int32
        fileprivate var end: Int32
        /// The first ignore rule that names this place or one around it; -1 if there is none.
        var ignoredBy: Int32

        var isEmpty: Bool { start == end }
    }

    struct Entry: Sendable {
        var rule: Int32
        var states: PathPattern.States
    }

    /// One step down, of one side.
    struct Step {
        /// Of a member, its name.
        var name: DocumentView.Name?
        /// Of an element; of a member among others of its name, its place among them; -1 for neither.
        var index: Int
        /// The element may belong elsewhere, so what names one index is not asked.
        var isTentative: Bool
    }

    private let rules: [CompiledRules.Rule]
    private var entries: [Entry]

    init(_ live: LiveRules) {
        rules = live.rules.rules
        entries = live.documentRules
    }

    /// Of the root.
    var root: Frame {
        var frame = Frame(start: 0, end: Int32(entries.count), ignoredBy: -1)
        frame.ignoredBy = ignoredBy(in: frame, around: -1)
        return frame
    }

    /// Pushes the frame of a place one step below `frame`, which must not have been popped.
    mutating func push(_ step: Step, below frame: Frame) -> Frame {
        var next = Frame(start: Int32(entries.count), end: 0, ignoredBy: -1)
        for index in Int(frame.start)..<Int(frame.end) {
            let entry = entries[index]
            let states = advanced(entry.states, of: rules[Int(entry.rule)], by: step)
            if states != 0 { entries.append(Entry(rule: entry.rule, states: states)) }
        }
        next.end = Int32(entries.count)
        next.ignoredBy = ignoredBy(in: next, around: frame.ignoredBy)
        return next
    }

    /// Takes this frame and all that were pushed after it off the stack.
    mutating func pop(_ frame: Frame) { entries.removeLast(entries.count - Int(frame.start)) }

    /// Calls for every rule that names exactly this place, in the rules' order, until one says true.
    func first(at frame: Frame, where isWanted: (CompiledRules.Action) -> Bool) -> Int? {
        for index in Int(frame.start)..<Int(frame.end) {
            let entry = entries[index]
            let rule = rules[Int(entry.rule)]
            if rule.pattern.accepts(entry.states), isWanted(rule.action) { return Int(entry.rule) }
        }
        return nil
    }

    private func ignoredBy(in frame: Frame, around: Int32) -> Int32 {
        let own = first(at: frame) { if case .ignore = $0 { true } else { false } }
        guard let own else { return around }
        return around < 0 ? Int32(own) : min(around, Int32(own))
    }

    private func advanced(_ states: PathPattern.States, of rule: CompiledRules.Rule, by step: Step)
        -> PathPattern.States
    {
        guard let name = step.name else { return advanced(states, of: rule, byIndex: step) }
        let result = advanced(states, of: rule) { number, selector in
            guard case .name(let text) = selector else { return false }
            return rule.nameHashes[number] == name.hash && name.equals(text)
        }
        // Members that share a name are an array that is not written as one: rules may name all, or one by its index.
        return step.index < 0 ? result : result | advanced(result, of: rule, byIndex: step)
    }

    private func advanced(
        _ states: PathPattern.States, of rule: CompiledRules.Rule, byIndex step: Step
    ) -> PathPattern.States {
        advanced(states, of: rule) { _, selector in
            guard case .index(let index) = selector else { return false }
            return index == step.index && !step.isTentative
        }
    }

    /// - Parameter isNamed: whether a selector that is no wildcard, and the number of its step, name the place.
    private func advanced(
        _ states: PathPattern.States, of rule: CompiledRules.Rule, where isNamed: (Int, PathPattern.Selector) -> Bool
    ) -> PathPattern.States {
        var result: PathPattern.States = 0
        var rest = states & ~(1 << rule.pattern.steps.count)
        while rest != 0 {
            let number = rest.trailingZeroBitCount
            rest &= rest &- 1
            let wanted = rule.pattern.steps[number]
            if wanted.descendant { result |= 1 << number }
            let isAny = if case .any = wanted.selector { true } else { false }
            if isAny || isNamed(number, wanted.selector) { result |= 1 << (number + 1) }
        }
        return result
    }
}
