/// One walk over two JSON documents that collects how they differ under the rules.
///
/// It answers for finding, hiding and placing differences; `Comparer` decides what is a document at all, and
/// `Redactor` what a value looks like in print. Pairing of array elements is in `+Arrays` and `+Alignment`.
struct DocumentComparison {
    typealias Value = Document.Value

    /// What one walk has found. A value of its own, so that an attempt can be taken back.
    struct Findings {
        var differences: [Difference] = []
        var truncated = false
        var hiddenByRule: [Int]
        /// Elements of an unordered array could not be paired within the budget.
        var isAlignmentAbandoned = false
    }

    /// A place on the way down, with the values of both sides there. At the end one may be absent.
    struct Place {
        var step: Step
        var primary: Value?
        var shadow: Value?
    }

    enum Step {
        /// The member's name, in the primary's document or in the shadow's.
        case primaryMember(Value)
        case shadowMember(Value)
        case element(Int)
    }

    let primary: Document
    let shadow: Document
    let rules: CompiledRules
    let redaction: Redaction
    let limits: ComparisonLimits
    var findings: Findings
    var path: [Place] = []
    /// Values that looking for reordered elements may still visit.
    var alignmentBudget: Int
    /// Only whether there is a difference is asked; the first one sets `hasQuietDifference` and ends the walk.
    var isQuiet = false
    var hasQuietDifference = false

    init(
        primary: Document, shadow: Document, rules: CompiledRules, redaction: Redaction,
        limits: ComparisonLimits, findings: Findings
    ) {
        self.primary = primary
        self.shadow = shadow
        self.rules = rules
        self.redaction = redaction
        self.limits = limits
        self.findings = findings
        alignmentBudget = limits.alignmentWork + 8 * (primary.nodes.count + shadow.nodes.count)
    }

    mutating func run() -> Findings {
        compare(primary.root, shadow.root)
        return findings
    }

    /// Nothing that is still to come could change the result.
    var isDone: Bool { isQuiet ? hasQuietDifference : findings.truncated }

    mutating func compare(_ left: Value, _ right: Value) {
        if isQuiet {
            alignmentBudget -= 1
            guard alignmentBudget > 0 else {
                hasQuietDifference = true
                return
            }
        }
        let (leftKind, rightKind) = (primary.kind(of: left), shadow.kind(of: right))
        guard leftKind.typeName == rightKind.typeName else { return report(.type, left, right) }
        switch leftKind {
        case .null: break
        case .true, .false: if leftKind != rightKind { report(.value, left, right) }
        case .number: compareNumbers(left, right)
        case .string: compareStrings(left, right)
        case .object: compareObjects(left, right)
        case .array: compareArrays(left, right)
        }
    }

    mutating func compare(_ left: Value, _ right: Value, at step: Step) {
        guard !isDone else { return }
        path.append(Place(step: step, primary: left, shadow: right))
        compare(left, right)
        path.removeLast()
    }

    private mutating func compareNumbers(_ left: Value, _ right: Value) {
        let (first, second) = (primary.lexeme(of: left), shadow.lexeme(of: right))
        guard first != second else { return }
        for case .number(let limit) in rules.tolerances(at: segments) {
            if let bound = ExactDecimal(limit: limit), let one = ExactDecimal(first), let other = ExactDecimal(second),
                ExactDecimal.areClose(one, other, within: bound)
            {
                return
            }
        }
        report(.value, left, right)
    }

    private mutating func compareStrings(_ left: Value, _ right: Value) {
        guard !primary.sameText(left, as: right, in: shadow) else { return }
        var kind = DifferenceKind.value
        for case .time(let limit) in rules.tolerances(at: segments) {
            let times = (Timestamp(primary.text(of: left)), Timestamp(shadow.text(of: right)))
            switch times {
            case (let one?, let other?) where one.hasOffset == other.hasOffset:
                if one.distance(to: other) <= limit { return }
            case (nil, nil): break
            default: kind = .format
            }
        }
        report(kind, left, right)
    }

    private mutating func compareObjects(_ left: Value, _ right: Value) {
        let pairing = MemberPairing(primary, primary.members(of: left), shadow, shadow.members(of: right))
        for pair in pairing.both { compare(pair.primary, pair.shadow, at: .primaryMember(pair.name)) }
        for member in pairing.missing { report(.missing, member.value, nil, at: .primaryMember(member.name)) }
        for member in pairing.extra { report(.extra, nil, member.value, at: .shadowMember(member.name)) }
    }
}

extension DocumentComparison {
    /// Reports a value that only one side has.
    mutating func report(_ kind: DifferenceKind, _ left: Value?, _ right: Value?, at step: Step) {
        guard !isDone else { return }
        path.append(Place(step: step, primary: left, shadow: right))
        report(kind, left, right)
        path.removeLast()
    }

    /// Reports a difference at the current place, unless a rule hides it.
    mutating func report(_ kind: DifferenceKind, _ left: Value?, _ right: Value?) {
        let place = segments
        if let rule = rules.ignoreRule(covering: place) ?? rules.ignoreRule(covering: .body) {
            findings.hiddenByRule[rule] += 1
            return
        }
        if isQuiet {
            hasQuietDifference = true
            return
        }
        let difference = printed(kind, left, right, at: place)
        // Below a redacted place all differences print the same; one says it.
        guard findings.differences.last != difference else { return }
        guard findings.differences.count < limits.differences else {
            findings.truncated = true
            return
        }
        findings.differences.append(difference)
    }

    private func printed(
        _ kind: DifferenceKind, _ left: Value?, _ right: Value?, at place: [PathSegment]
    ) -> Difference {
        var (kind, left, right, place) = (kind, left, right, place)
        if let cover = redaction.firstCover(of: place), cover < place.count {
            // The names below a redacted place are part of what it keeps to itself.
            let around = cover == 0 ? nil : path[cover - 1]
            left = cover == 0 ? primary.root : around?.primary
            right = cover == 0 ? shadow.root : around?.shadow
            place = Array(place.prefix(cover))
            kind = .value
        }
        let expectsContainer =
            left.map { primary.kind(of: $0).isContainer } == true
            || right.map { shadow.kind(of: $0).isContainer } == true
        let texts = Printing.shortened(
            left.map { redaction.text(of: $0, in: primary, at: place, expectsContainer: expectsContainer) },
            right.map { redaction.text(of: $0, in: shadow, at: place, expectsContainer: expectsContainer) },
            to: limits.renderedBytes)
        return Difference(path: Printing.path(place), kind: kind, primary: texts.0, shadow: texts.1)
    }

    /// The current place as names and indices.
    var segments: [PathSegment] {
        path.map { place in
            switch place.step {
            case .primaryMember(let name): .name(primary.text(of: name))
            case .shadowMember(let name): .name(shadow.text(of: name))
            case .element(let index): .index(index)
            }
        }
    }
}

extension Document.Kind {
    /// JSON's own types: true and false are values of one.
    var typeName: String {
        switch self {
        case .null: "null"
        case .true, .false: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    var isContainer: Bool { self == .array || self == .object }
}
