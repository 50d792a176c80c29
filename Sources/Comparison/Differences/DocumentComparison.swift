/// One walk over two documents that collects how they differ under the rules.
///
/// It answers for finding and hiding differences; `Comparer` decides what is a document at all, and `Redactor` what a
/// value looks like in print. Members are in `+Members`, arrays in `+Arrays`, `+Bags` and `+Hashing`, what rules say
/// of two values in `+Rules`, and what is reported in `+Report`. Nothing is allocated per value: scratch arrays are
/// stacks that all levels share, and rules are asked only where something differs. It recurses as deep as the
/// documents nest, which ``ComparisonLimits/depth`` bounds.
struct DocumentComparison {
    typealias Value = Document.Value

    /// What one walk has found.
    struct Findings {
        var differences: [Difference] = []
        var truncated = false
        var hiddenByRule: [Int]
        /// Which elements belong together was not found out within the budget, so what is reported may be more
        /// than what there is.
        var isAlignmentAbandoned = false
    }

    /// A place on the way down, with the nodes of both sides there; -1 where there is none, which only the last
    /// place can have.
    struct Place {
        enum Step {
            /// The member's name, in the primary's document or in the shadow's.
            case primaryMember(Int)
            case shadowMember(Int)
            case element
        }

        var step: Step
        /// Of an element; of a member among others of its name, its place among them; -1 for neither.
        var index: Int
        var primary: Int
        var shadow: Int
        var isTentative = false
    }

    let primary: DocumentView
    let shadow: DocumentView
    let primaryDocument: Document
    let shadowDocument: Document
    let rules: LiveRules
    let hasRules: Bool
    let redaction: Redaction
    let limits: ComparisonLimits
    var findings: Findings
    var path: [Place] = []
    /// Values that finding out which elements belong together may still visit.
    var alignmentBudget: Int
    /// Only whether there is a difference is asked; the first one sets `hasQuietDifference` and ends the walk.
    var isQuiet = false
    var hasQuietDifference = false
    /// What rules hid while `isQuiet`, to be taken back if there is a difference after all.
    var quietlyHidden: [Int32] = []

    /// The last place that was named instead of one within it, see `+Report`.
    var standIn: (depth: Int, nodes: (primary: Int, shadow: Int))?

    // Scratch, see `+Members` and `+Arrays`.
    var members: [Member] = []
    var memberTable: [Int32] = []
    var elements: [Int32] = []

    /// Where the rules stand at each place of `path`, the root included, as far as somebody asked.
    var states: RuleStates
    var frames: [RuleStates.Frame] = []

    /// Compares two documents.
    /// - Parameter findings: what was found elsewhere; the document's findings are added.
    static func run(
        primary: Document, shadow: Document, rules: LiveRules, redaction: Redaction, limits: ComparisonLimits,
        findings: Findings
    ) -> Findings {
        primary.withView { first in
            shadow.withView { second in
                var walk = DocumentComparison(
                    first, primary, second, shadow, rules: rules, redaction: redaction, limits: limits,
                    findings: findings)
                walk.compare(0, 0)
                return walk.findings
            }
        }
    }

    private init(
        _ primary: DocumentView, _ primaryDocument: Document, _ shadow: DocumentView, _ shadowDocument: Document,
        rules: LiveRules, redaction: Redaction, limits: ComparisonLimits, findings: Findings
    ) {
        self.primary = primary
        self.shadow = shadow
        self.primaryDocument = primaryDocument
        self.shadowDocument = shadowDocument
        self.rules = rules
        hasRules = !rules.documentRules.isEmpty
        self.redaction = redaction
        self.limits = limits
        self.findings = findings
        states = RuleStates(rules)
        alignmentBudget = limits.alignmentWork + 8 * (primaryDocument.nodes.count + shadowDocument.nodes.count)
    }

    /// Nothing that is still to come could change the result.
    var isDone: Bool { isQuiet ? hasQuietDifference : findings.truncated }

    mutating func compare(_ left: Int, _ right: Int) {
        if isQuiet {
            alignmentBudget &-= 1
            guard alignmentBudget > 0 else {
                hasQuietDifference = true
                return
            }
        }
        let (leftKind, rightKind) = (primary.kind(left), shadow.kind(right))
        switch (leftKind, rightKind) {
        case (.object, .object):
            if !primary.sameBytes(left, as: right, in: shadow) { compareObjects(left, right) }
        case (.array, .array):
            if !primary.sameBytes(left, as: right, in: shadow) { compareArrays(left, right) }
        case (.string, .string):
            if !primary.sameText(left, as: right, in: shadow) { found(.value, left, right) }
        case (.number, .number):
            if !primary.sameContent(left, as: right, in: shadow) { found(.value, left, right) }
        case (.true, .false), (.false, .true): found(.value, left, right)
        default: if leftKind != rightKind { found(.type, left, right) }
        }
    }

    mutating func compare(_ left: Int, _ right: Int, at step: Place.Step, _ index: Int = -1) {
        guard !isDone else { return }
        path.append(Place(step: step, index: index, primary: left, shadow: right, isTentative: isQuiet))
        compare(left, right)
        leave()
    }

    /// Reports a value that only one side has, which is -1 on the other.
    mutating func found(_ kind: DifferenceKind, _ left: Int, _ right: Int, at step: Place.Step, _ index: Int = -1) {
        guard !isDone else { return }
        path.append(Place(step: step, index: index, primary: left, shadow: right, isTentative: isQuiet))
        found(kind, left, right)
        leave()
    }

    /// Goes back up from the last place.
    private mutating func leave() {
        path.removeLast()
        // The root's frame is there, too.
        guard frames.count > path.count + 1, let frame = frames.popLast() else { return }
        states.pop(frame)
    }

    /// Compares without reporting; what rules hide counts only if the two are equal.
    mutating func isEqual(_ left: Int, _ right: Int, at step: Place.Step, _ index: Int) -> Bool {
        let (outer, difference, mark) = (isQuiet, hasQuietDifference, quietlyHidden.count)
        isQuiet = true
        hasQuietDifference = false
        compare(left, right, at: step, index)
        let isEqual = !hasQuietDifference
        isQuiet = outer
        hasQuietDifference = difference
        if !isEqual {
            for rule in quietlyHidden[mark...] { findings.hiddenByRule[Int(rule)] -= 1 }
            quietlyHidden.removeLast(quietlyHidden.count - mark)
        } else if !outer {
            quietlyHidden.removeAll(keepingCapacity: true)
        }
        return isEqual
    }
}

extension Document {
    /// The view is valid only during the call.
    func withView<Result>(_ body: (DocumentView) -> Result) -> Result {
        nodes.withUnsafeBufferPointer { nodes in
            source.withUnsafeBufferPointer { source in
                var nothing: UInt8 = 0
                return withUnsafePointer(to: &nothing) { empty in
                    // A document has at least its root.
                    guard let first = nodes.baseAddress else { return Document.nothing.withView(body) }
                    return body(
                        DocumentView(nodes: first, bytes: source.baseAddress ?? empty, isText: isText))
                }
            }
        }
    }

    private static let nothing = Document(
        source: [], nodes: [Node(kind: .null, flags: [], start: 0, end: 0, count: 0, next: 1)], isText: false)
}

extension Document.Kind {
    var isContainer: Bool { self == .array || self == .object }
}
