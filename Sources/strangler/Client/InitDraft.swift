import AdminAPI
import Extraction
import Foundation

/// First files of an extraction, from what the monolith was asked for. What nobody can know from traffic is left as
/// `FILL-IN`, or empty, in places where `strangler check` says so with file and line.
struct InitDraft {
    static let blank = "FILL-IN"
    private static let fewestForBudget = 300

    let name: String
    let paths: [String]
    /// Nil: to be filled in.
    let service: String?
    let report: CandidatesReport
    private let candidate: Candidate?

    init(name: String, paths: [String], service: String?, report: CandidatesReport) {
        self.name = name
        self.paths = paths
        self.service = service
        self.report = report
        candidate = report.candidates.first
    }

    /// `orders` of `/api/v1/orders`; nil where a name cannot be made of it.
    static func suggestedName(_ path: String) -> String? {
        guard let last = path.split(separator: "/").last else { return nil }
        let name = last.lowercased().replacing("_", with: "-").replacing(".", with: "-")
        let isName = name.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D }
        return isName && name.first?.isLetter == true && name.count <= 63 ? name : nil
    }

    // MARK: What was seen

    private struct Seen {
        let method: String
        let path: String
    }

    private var seen: [Seen] {
        (candidate?.endpoints ?? []).compactMap { endpoint in
            let parts = endpoint.endpoint.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].allSatisfy({ $0.isUppercase && $0.isASCII }) else { return nil }
            return Seen(method: parts[0], path: parts[1])
        }
    }

    /// In the order of RFC 9110. GET brings HEAD along; empty where nothing was seen.
    var methods: [String] {
        let known = Set(seen.map(\.method))
        return ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter {
            known.contains($0) && !($0 == "HEAD" && known.contains("GET"))
        }
    }

    private var spokenFor: [Reason] {
        var reasons: [Reason] = []
        for argument in candidate?.reasons ?? [] where !reasons.contains(argument.reason) {
            reasons.append(argument.reason)
        }
        return reasons
    }

    /// What is left to fill in, for people.
    var blanks: [String] {
        var blanks = ["problem: why this has to leave the monolith, in a sentence"]
        let missing = 2 - spokenFor.count
        if missing > 0 { blanks.append("because: \(missing == 1 ? "one more reason" : "two reasons")") }
        if service == nil { blanks.append("service: where it will run") }
        return blanks
    }

    /// `from 4,120 requests of 7 d`
    var basis: String {
        let span = ReportText.duration(report.until.timeIntervalSince(report.since))
        return "\(ReportText.counted(candidate?.requests ?? 0, "request")) of the last \(span)"
    }
}

// MARK: - Files

extension InitDraft {
    var routeFile: String {
        """
        # First draft by `strangler init`, from \(basis). `strangler check` names every place that is
        # still to be filled in. All keys: Routes/README.md.

        extraction: \(name)
        # owner: team-\(name)

        \(comment(said))
        # Why it has to leave the monolith, in a sentence. The numbers above may be part of it.
        problem: ""

        \(comment(reasonsSaid))
        because: [\(reasons)]

        match:
        \(paths.map { "  - {path: \(Self.quoted($0))\(methodsEntry)}" }.joined(separator: "\n"))\(methodsNote)

        # health: parallel, the third stage, is entered when the service answers 2xx there.
        service:  {url: \(service.map(Self.quoted) ?? Self.blank), health: {path: /healthz}}
        contract: contracts/\(name).openapi.yaml

        # writes: `dual-write` sends writes to both systems; until somebody says so the monolith alone sees them.
        # noise: the share of safe requests that are asked twice, to learn where the monolith disagrees with itself.
        shadow:   {sample: 100%, writes: never, noise: 5%}

        cutover:
          affinity: client-address            # who stays on one side; {cookie: NAME} if users have a session
          ramp:     [1%, 5%, 25%, 50%, 100%]
          bake:     30m                       # how long each step has to hold
        \(guardEntry)

        fallback: {window: 30d, quiet: 7d}    # the monolith stays usable; no request may fall back in `quiet`

        """
    }

    var rulesFile: String {
        """
        # How the monolith's and the service's answers of \(name) are compared. All rules: Shadow/README.md.
        # Every rule hides something: add one only when a reviewed difference turned out to be nobody's bug.

        extraction: \(name)

        # ignore:   [{path: "$.requestId", because: "random per request"}]
        # redact:   ["$.password"]             # replaced by a keyed hash before anything is stored

        """
    }

    var contractFile: String {
        let byPath = Dictionary(grouping: seen.filter { !$0.path.contains("**") }, by: \.path)
        let paths = byPath.sorted { $0.key < $1.key }.map { path, seen in
            let (path, parameters) = Self.named(path)
            let declared = parameters.isEmpty ? [] : ["    parameters:"]
            let operations = Set(seen.map(\.method)).sorted().flatMap { method in
                ["    \(method.lowercased()):", "      responses: {default: {description: not described yet}}"]
            }
            return
                (["  \(Self.quoted(path)):"] + declared
                + parameters.map { "      - {name: \($0), in: path, required: true, schema: {type: string}}" }
                + operations).joined(separator: "\n")
        }
        return """
            # First draft by `strangler init`, from \(basis): the endpoints that were asked for. What they take and
            # answer is yours to say; the gate to `contracted` asks for all that the routes match.

            openapi: 3.0.3
            info: {title: \(name), version: 0.1.0}
            paths:\(paths.isEmpty ? " {}" : "\n" + paths.joined(separator: "\n"))

            """
    }

    /// Parameters with names of their own, which OpenAPI and routes demand: `/orders/{id}/items/{id2}`.
    private static func named(_ path: String) -> (String, [String]) {
        var parameters: [String] = []
        let segments = path.split(separator: "/").map { segment in
            guard segment.first == "{", segment.last == "}" else { return String(segment) }
            let name = String(segment.dropFirst().dropLast())
            let number = parameters.count { $0.hasPrefix(name) }
            parameters.append(number == 0 ? name : "\(name)\(number + 1)")
            return "{\(parameters.last ?? name)}"
        }
        return ("/" + segments.joined(separator: "/"), parameters)
    }

    private var said: [String] {
        guard let candidate else { return ["Nothing was asked for on these paths yet."] }
        return [
            ReportText.shares(candidate.share).capitalizedFirst + " that no extraction takes.",
            ReportText.traffic(candidate).capitalizedFirst + ".",
        ]
            + candidate.reasons.map { "For it, \($0.reason.rawValue): \($0.said)." }
            + candidate.against.map { "Against it: \($0)." }
    }

    private var reasonsSaid: [String] {
        let seen = spokenFor.map(\.rawValue).joined(separator: ", ")
        return [
            "At least two reasons. " + (seen.isEmpty ? "Traffic shows none." : "Traffic shows \(seen). ")
                + " What it cannot show:"
        ] + report.questions.map { "  \($0.reason.rawValue): \($0.question)" }
    }

    private var reasons: String {
        let known = spokenFor.map(\.rawValue)
        return (known + Array(repeating: Self.blank, count: max(0, 2 - known.count))).joined(separator: ", ")
    }

    private var methodsEntry: String { methods.isEmpty ? "" : ", methods: [\(methods.joined(separator: ", "))]" }

    private var methodsNote: String {
        methods.isEmpty
            ? "\n  # No request was seen, so every method is taken."
            : "\n  # Methods that were not seen stay with the monolith."
    }

    private var guardEntry: String {
        guard let candidate, let p99 = candidate.p99, candidate.requests >= Self.fewestForBudget else {
            return "  guard:    {error-rate: 1%, mismatch: 0.1%}   # p99: too little was seen to guess a budget"
        }
        return "  guard:    {error-rate: 1%, p99: \(Self.budget(p99))ms, mismatch: 0.1%}"
            + "   # p99: the monolith's own is \(ReportText.milliseconds(p99)) ms"
    }

    /// A quarter more than was seen, as that is known to within a fifth only; rounded up to what people write.
    static func budget(_ p99: Double) -> Int {
        let wanted = Int(min(max(p99 * 1.25, 1), 1e8).rounded(.up))
        let step = wanted < 100 ? 10 : wanted < 1_000 ? 50 : 500
        return (wanted + step - 1) / step * step
    }

    private func comment(_ sentences: [String]) -> String {
        sentences.flatMap { sentence in
            let indent = String(sentence.prefix { $0 == " " })
            return TextLayout.wrapped(sentence, width: 110 - indent.count).map { "# " + indent + $0 }
        }.joined(separator: "\n")
    }

    /// As a YAML 1.2 double-quoted scalar, which JSON strings are.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            default: quoted.unicodeScalars.append(scalar.value < 0x20 ? " " : scalar)
            }
        }
        return quoted + "\""
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
