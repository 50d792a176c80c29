import Comparison
import Extraction
import FoundationEssentials

/// What the overview's template reads. All of it text and flags; the template escapes every text. A name that a list's
/// element lacks is looked up further out by the engine, so no name stands on two levels.
struct OverviewPage {
    let updated: String
    let notices: [String]
    let extractions: [ExtractionCard]
    let hasExtractions: Bool
    let groups: [GroupRow]
    let hasGroups: Bool
    let groupTotal: String

    /// More would make the page slow to read and to send; the command line lists them all.
    private static let groupLimit = 200

    init(reports: [ExtractionReport], groups: [GroupReport], notice: String?, now: Date) {
        updated = ReportText.time(now)
        let storeAway = reports.contains { !$0.storeConnected }
        notices =
            (storeAway ? ["Postgres is away: stages are the last ones known, counters stand still."] : [])
            + (notice.map { [$0] } ?? []) + (reports.first?.configuration?.notices ?? [])
        extractions = reports.map { ExtractionCard($0, now: now) }
        hasExtractions = !reports.isEmpty
        self.groups = groups.prefix(Self.groupLimit).map { GroupRow($0, now: now) }
        hasGroups = !groups.isEmpty
        groupTotal =
            groups.count > Self.groupLimit
            ? "the \(Self.groupLimit) most frequent of \(ReportText.count(groups.count))"
            : ReportText.count(groups.count)
    }
}

/// One extraction on the overview.
struct ExtractionCard {
    struct TrackStage {
        let label: String
        /// `done`, `now` or `ahead`: a class of the style sheet.
        let place: String
    }

    struct Tile {
        let label: String
        let number: String
        let isBad: Bool
    }

    struct EndpointRow {
        let endpointName: String
        let endpointCompared: String
        let endpointMismatch: String
        let endpointCoverage: String
        /// What became of the rest.
        let endpointParts: String
        let endpointMonolith: String
        let endpointService: String
    }

    let name: String
    let subtitle: String
    let problem: String
    let hasProblem: Bool
    let track: [TrackStage]
    let bars: [WeightBar]
    let traffic: String
    let alarms: [String]
    let moving: [Fact]
    let hasMoving: Bool
    let gateTitle: String
    let requirements: [RequirementLine]
    let isPlainlyOpen: Bool
    let moreMet: [String]
    let hasMoreMet: Bool
    let moreMetTitle: String
    let replicas: [ReplicaRow]
    let hasReplicas: Bool
    let hasBadReplicas: Bool
    let replicasTitle: String
    let tiles: [Tile]
    let coverage: String
    let endpoints: [EndpointRow]
    let hasEndpoints: Bool
    let noise: [NoiseRow]
    let hasNoise: Bool
    let noiseTitle: String
    let rules: [RuleRow]
    let hasRules: Bool
    let hasIdleRules: Bool
    let rulesTitle: String
    let losses: String
    let hasLosses: Bool
    let undecided: [WriteRow]
    let hasUndecided: Bool
    let undecidedTitle: String
    let window: String
    let windowShare: String
    let fellBack: String
    let fallbackNotes: [String]

    init(_ report: ExtractionReport, now: Date) {
        name = report.extraction
        let owner = report.owner.map { "\($0) · " } ?? ""
        subtitle =
            "\(owner)\(ReportText.step(report.stage)), since \(ReportText.time(report.since)) "
            + "(\(ReportText.ago(report.since, now: now)))"
        problem = report.problem ?? ""
        hasProblem = report.problem != nil
        track = Stage.allCases.map { stage in
            TrackStage(
                label: stage.rawValue,
                place: stage < report.stage ? "done" : stage == report.stage ? "now" : "ahead")
        }
        bars = WeightBar.bars(report)
        traffic =
            "\(ReportText.counted(report.traffic.monolith, "request")) answered by the monolith, "
            + "\(ReportText.count(report.traffic.service)) by the service since this proxy started"
        alarms = Fact.alarms(report, now: now)
        moving = Fact.moving(report, now: now)
        hasMoving = !moving.isEmpty
        gateTitle = ReportText.gate(report.gate)
        let checklist = RequirementLine.checklist(report.gate)
        requirements = checklist.shown
        isPlainlyOpen = report.gate.open && checklist.shown.isEmpty
        moreMet = checklist.moreMet
        hasMoreMet = !moreMet.isEmpty
        moreMetTitle = "\(ReportText.count(moreMet.count)) more that are met"
        let known = report.replicas ?? []
        replicas = known.map { ReplicaRow($0, extraction: report.extraction) }
        hasReplicas = !replicas.isEmpty
        hasBadReplicas = replicas.contains { $0.isSilent || $0.isBehind }
        replicasTitle = ReportText.replicas(known, extraction: report.extraction)
        tiles = Self.tiles(report)
        coverage = ReportText.coverage(report.shadow)
        endpoints = (report.endpoints ?? []).map(Self.row)
        hasEndpoints = !endpoints.isEmpty
        noise = (report.noise ?? []).map(NoiseRow.init)
        hasNoise = !noise.isEmpty
        noiseTitle = "Noise: the primary disagrees with itself at \(ReportText.counted(noise.count, "field"))"
        rules = (report.rules ?? []).map { RuleRow($0, now: now) }
        hasRules = !rules.isEmpty
        hasIdleRules = rules.contains(where: \.ruleIsIdle)
        rulesTitle = ReportText.rules(report.rules ?? [])
        hasLosses = !(report.losses ?? [:]).isEmpty
        losses = ReportText.losses(report.losses ?? [:])
        undecided = (report.undecidedWrites ?? []).map { WriteRow($0, now: now) }
        hasUndecided = !undecided.isEmpty
        undecidedTitle = report.dualWrite.flatMap { ReportText.undecided($0, of: report.extraction) } ?? ""
        window = ReportText.window(report)
        windowShare = Self.share(report)
        fellBack = ReportText.fellBack(report.fallback, now: now)
        fallbackNotes = Fact.fallback(report)
    }

    private static func tiles(_ report: ExtractionReport) -> [Tile] {
        let shadow = report.shadow
        let tile = { (label: String, number: Int, isBad: Bool) in
            Tile(label: label, number: ReportText.count(number), isBad: isBad && number > 0)
        }
        let accepted = shadow.accepted > 0 ? " (\(ReportText.count(shadow.accepted)) accepted)" : ""
        let mismatch = Tile(
            label: "mismatch" + accepted, number: ReportText.count(shadow.mismatch),
            isBad: shadow.mismatch > shadow.accepted)
        return [
            tile("compared", shadow.compared, false), tile("match", shadow.match, false),
            mismatch, tile("transient", shadow.transient, false),
            tile("primary failed", shadow.primaryFailed, true), tile("shadow failed", shadow.shadowFailed, true),
            tile("not compared", shadow.notComparedTotal, false), tile("backlog", report.backlog, true),
        ]
    }

    private static func row(_ endpoint: EndpointReport) -> EndpointRow {
        EndpointRow(
            endpointName: endpoint.endpoint, endpointCompared: ReportText.count(endpoint.verdicts.compared),
            endpointMismatch: ReportText.count(endpoint.verdicts.mismatch),
            endpointCoverage: endpoint.verdicts.coverage.map(ReportText.percent) ?? "–",
            endpointParts: endpoint.coverage.map { ReportText.coverage($0, endpoint.verdicts) } ?? "",
            endpointMonolith: endpoint.latency?.monolith.map { "monolith " + ReportText.latency($0) } ?? "–",
            endpointService: endpoint.latency?.service.map { "service " + ReportText.latency($0) } ?? "")
    }

    /// How much of the fallback window is over, 0 … 100, for a bar.
    private static func share(_ report: ExtractionReport) -> String {
        switch report.stage {
        case .retired: return "100"
        case .fallback where report.fallback.window > 0:
            let share = Double(report.fallback.elapsed) / Double(report.fallback.window)
            return "\(Int(min(max(share, 0), 1) * 100))"
        default: return "0"
        }
    }
}

/// One group of mismatches on the overview.
struct GroupRow {
    struct DifferenceText {
        let path: String
        let kind: String
        let isNoisy: Bool

        init(_ difference: ReportedDifference) {
            path = difference.path
            kind = difference.kind.rawValue
            isNoisy = difference.noise == true
        }
    }

    /// Of one group in the list; its page has them all.
    private static let differenceLimit = 8

    let link: String
    let shortSignature: String
    let extractionName: String
    let endpoint: String
    let differences: [DifferenceText]
    let more: String
    let count: String
    let share: String
    let state: String
    let stateClass: String
    let firstSeen: String
    let lastSeen: String

    init(_ group: GroupReport, now: Date) {
        link = ConsoleText.link(group.signature)
        shortSignature = String(group.signature.prefix(8))
        extractionName = group.extraction
        endpoint = group.endpoint
        differences = group.differences.prefix(Self.differenceLimit).map(DifferenceText.init)
        let rest = group.differences.count - differences.count
        more = rest > 0 ? "and \(rest) more" : ""
        count = ReportText.count(group.count)
        share = group.share.map(ReportText.share) ?? "–"
        state = group.isNoise ? group.state + ", noise" : group.state
        stateClass = ConsoleText.stateClass(group.state)
        firstSeen = ReportText.ago(group.firstSeen, now: now)
        lastSeen = ReportText.ago(group.lastSeen, now: now)
    }
}

/// One field in which the primary disagrees with itself.
struct NoiseRow {
    let noiseEndpoint: String
    let noisePath: String
    let noiseKind: String
    let noiseTwins: String
    let noisePairs: String
    let noiseExceeds: Bool

    init(_ noise: NoiseReport) {
        noiseEndpoint = noise.endpoint
        noisePath = noise.path
        noiseKind = noise.kind.rawValue
        noiseTwins = ReportText.part(noise.twinsDiffering, of: noise.twins)
        noisePairs = ReportText.part(noise.pairsDiffering, of: noise.pairs)
        noiseExceeds = noise.exceeds
    }
}

/// One rule that can hide differences.
struct RuleRow {
    let ruleName: String
    let ruleBecause: String
    let ruleHidden: String
    let ruleLast: String
    let ruleState: String
    let ruleIsIdle: Bool

    init(_ rule: RuleReport, now: Date) {
        ruleName = rule.rule
        ruleBecause = rule.because ?? ""
        ruleHidden = ReportText.part(rule.pairs, of: rule.compared)
        ruleLast = rule.lastHit.map { ReportText.ago($0, now: now) } ?? "never"
        ruleState = ReportText.state(of: rule)
        ruleIsIdle = rule.dead || rule.expired
    }
}

enum ConsoleText {
    /// The page of a group. Signatures are hex; whatever else came along may not lead elsewhere.
    static func link(_ signature: String) -> String {
        "/groups/" + String(decoding: signature.utf8.filter(isUnreserved), as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// A class of the style sheet, whatever state a newer version may know.
    static func stateClass(_ state: String) -> String {
        ["new", "acknowledged", "accepted", "fixed", "regressed"].contains(state) ? state : "new"
    }
}
