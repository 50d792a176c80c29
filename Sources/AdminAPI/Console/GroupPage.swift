import Comparison

/// What the template of one group reads.
struct GroupPage {
    let signature: String
    let shortSignature: String
    let extraction: String
    let endpoint: String
    let state: String
    let stateClass: String
    let stateNote: String
    let history: [String]
    let count: String
    let share: String
    let firstSeen: String
    let lastSeen: String
    let differences: [GroupRow.DifferenceText]
    let examples: [ExampleView]
    let hasExamples: Bool

    init(_ detail: GroupDetail) {
        let group = detail.group
        signature = group.signature
        shortSignature = String(group.signature.prefix(8))
        extraction = group.extraction
        endpoint = group.endpoint
        state = group.state
        stateClass = ConsoleText.stateClass(group.state)
        stateNote = [
            group.stateBy.map { "by \($0)" }, group.stateAt.map { "at \(ReportText.time($0))" },
            group.stateReason.map { "because: \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
        history = (group.history ?? []).map(ReportText.event)
        count = ReportText.counted(group.count, "time")
        share = ReportText.shareOfCompared(group)
        firstSeen = ReportText.time(group.firstSeen)
        lastSeen = ReportText.time(group.lastSeen)
        differences = group.differences.map(GroupRow.DifferenceText.init)
        let noise = Set(group.differences.filter { $0.noise == true }.map(\.grouped))
        examples = detail.examples.map { ExampleView($0, noise: noise) }
        hasExamples = !examples.isEmpty
    }
}

/// One recorded pair of answers.
struct ExampleView {
    struct DifferenceRow {
        let path: String
        let kind: String
        let primaryValue: String
        let shadowValue: String
    }

    struct FieldLine {
        let name: String
        let value: String
        let fieldDiffers: Bool
    }

    struct TextLine {
        /// With its line break, which the template could not keep.
        let text: String
        let lineDiffers: Bool
    }

    struct AnswerView {
        let side: String
        let status: String
        let statusDiffers: Bool
        let fields: [FieldLine]
        let lines: [TextLine]
        let hasLines: Bool
        let noBody: String
    }

    let at: String
    let requestLine: String
    let requestFields: [FieldLine]
    let requestBody: [TextLine]
    let hasRequestBody: Bool
    let found: [DifferenceRow]
    let answers: [AnswerView]

    init(_ example: ExampleReport, noise: Set<GroupedDifference> = []) {
        at = ReportText.time(example.at)
        requestLine = "\(example.request.method) \(example.request.target)"
        requestFields = example.request.headers.map {
            FieldLine(name: $0.name, value: $0.value, fieldDiffers: false)
        }
        requestBody = Self.lines(BodyLines.lines(example.request.body, [], side: .primary))
        hasRequestBody = !requestBody.isEmpty
        found = example.differences.map {
            DifferenceRow(
                path: $0.path, kind: $0.kind.rawValue + (noise.contains(GroupedDifference($0)) ? " ~ noise" : ""),
                primaryValue: $0.primary, shadowValue: $0.shadow)
        }
        answers = [
            Self.answer(example.primary, example.differences, .primary, "Primary"),
            Self.answer(example.shadow, example.differences, .shadow, "Shadow"),
        ]
    }

    private static func answer(
        _ answer: RecordedAnswer, _ differences: [Difference], _ side: BodySide, _ title: String
    ) -> AnswerView {
        let paths = Set(differences.map(\.path))
        let lines = Self.lines(BodyLines.lines(answer.body, differences, side: side))
        return AnswerView(
            side: title, status: "\(answer.status)", statusDiffers: paths.contains("status"),
            fields: answer.headers.map {
                FieldLine(
                    name: $0.name, value: $0.value, fieldDiffers: paths.contains("header." + $0.name.lowercased()))
            },
            lines: lines, hasLines: !lines.isEmpty,
            noBody: answer.bodyBytes == 0
                ? "no body" : "a body of \(ReportText.counted(answer.bodyBytes, "byte")), not shown: it is not text")
    }

    private static func lines(_ lines: [BodyLine]) -> [TextLine] {
        lines.map { TextLine(text: $0.text + "\n", lineDiffers: $0.differs) }
    }
}
