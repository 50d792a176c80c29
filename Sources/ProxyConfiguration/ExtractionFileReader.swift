import Extraction
import Routing
import Yams

/// Reads one `Routes/<extraction>.yaml`.
struct ExtractionFileReader {
    struct Draft {
        var location: SourceLocation
        /// Nil after an error, like all that is mandatory.
        var name: String?
        var nameLocation: SourceLocation
        var definition: ExtractionDefinition?
        var service: UpstreamDefinition?
        var contract: (path: String, location: SourceLocation)?
        var shadowTimeout: Duration = .seconds(2)
        var routes: [Route] = []
        /// By place in `routes`.
        var routeWrites: [RouteWrites] = []
    }

    /// What one entry of `match` says of its writes; nil: what `shadow` says.
    struct RouteWrites {
        var success: StatusSet?
        var whenFull: WriteRules.WhenFull?

        func rules(_ rules: WriteRules) -> WriteRules {
            var rules = rules
            rules.success = success ?? rules.success
            rules.whenFull = whenFull ?? rules.whenFull
            return rules
        }
    }

    private static let keys = [
        "extraction", "owner", "problem", "because", "match", "service", "contract", "shadow", "cutover", "fallback",
        "reconcile",
    ]

    let fields: FieldReader
    var source: ValueReader { fields.source }

    /// What could be read; errors are in `diagnostics`.
    static func read(_ file: ConfigurationFile, extraction: Int, _ diagnostics: Diagnostics) -> Draft {
        let source = ValueReader(file: file.name, diagnostics: diagnostics)
        let top = SourceLocation(file: file.name, line: 1, column: 1)
        guard let root = YAMLFile.root(of: file, diagnostics),
            let fields = FieldReader(root, of: "the extraction's file", keys: keys, source)
        else { return Draft(location: top, nameLocation: top) }
        return ExtractionFileReader(fields: fields).read(extraction: extraction)
    }

    private func read(extraction: Int) -> Draft {
        var draft = Draft(location: fields.location, nameLocation: fields.location)
        if let node = fields.required("extraction", example: "extraction: orders") {
            draft.name = source.value(node, "extraction", Values.extractionName)
            draft.nameLocation = source.location(of: node)
        }
        if let node = fields.required("service", example: #"service: {url: "http://127.0.0.1:9100"}"#) {
            draft.service = UpstreamReader.read(node, .service, source)
        }
        if let contract = fields.value("contract", Values.text), let node = fields["contract"] {
            draft.contract = (contract, source.location(of: node))
        }
        let entries = routes(extraction: extraction)
        draft.routes = entries.map(\.route)
        draft.routeWrites = entries.map(\.writes)
        let shadow = fields.fields("shadow", keys: ["sample", "writes", "timeout", "noise"] + Self.writeKeys)
        draft.shadowTimeout = shadow?.value("timeout", Values.duration) ?? draft.shadowTimeout
        draft.definition = definition(
            name: draft.name, hasContract: draft.contract != nil, shadow: shadow, routes: draft.routes)
        return draft
    }

    /// Everything but the routes and the service. Read to the end even when something mandatory is missing.
    private func definition(
        name: String?, hasContract: Bool, shadow: FieldReader?, routes: [Route]
    ) -> ExtractionDefinition? {
        let problem = fields.required("problem", example: "problem: \"why this has to leave the monolith\"")
            .flatMap { source.value($0, "problem", Values.text) }
        let because = because()
        let owner = fields.value("owner", Values.text)
        let writes = Values.oneOf([("never", WritePolicy.never), ("dual-write", .dualWrite)])
        let policy = shadow?.value("writes", writes) ?? .never
        let sample = shadow?.value("sample", Values.percent) ?? .all
        let noise = shadow?.value("noise", Values.percent) ?? .none
        let rules = writeRules(shadow, policy, routes)
        let cutover = cutover(routes)
        let times = fallbackTimes()
        guard let name, let problem, let because else { return nil }
        return ExtractionDefinition(
            name: name, owner: owner, problem: problem, because: because, hasContract: hasContract,
            affinity: cutover.affinity, cohort: cutover.cohort, sample: sample, writes: policy, noise: noise,
            ramp: cutover.ramp, bake: cutover.bake, guardLimits: cutover.limits, window: times.window,
            quiet: times.quiet, coverageLimits: cutover.coverage, pin: cutover.pin, warnings: times.warnings,
            writeRules: rules)
    }

    private func because() -> [Reason]? {
        let names = Reason.allCases.map(\.rawValue)
        guard let node = fields.required("because", example: "because: [\(names.prefix(2).joined(separator: ", "))]"),
            let entries = source.list(node, "because", of: "at least two reasons: \(names.joined(separator: ", "))")
        else { return nil }
        let parse = Values.oneOf(Reason.allCases.map { (name: $0.rawValue, value: $0) })
        let reasons = source.values(entries, "because", parse)
        guard reasons.count == entries.count else { return nil }
        guard Set(reasons).count >= 2 else {
            source.report(
                "`because` names \(Set(reasons).count == 1 ? "one reason" : "no reason"), an extraction needs two",
                fix:
                    "add another of: \(names.filter { name in !reasons.contains { $0.rawValue == name } }.joined(separator: ", "))",
                at: node)
            return nil
        }
        return reasons
    }
}

// MARK: - match

extension ExtractionFileReader {
    private func routes(extraction: Int) -> [(route: Route, writes: RouteWrites)] {
        guard let node = fields.required("match", example: #"match: [{path: "/api/v1/orders/**"}]"#),
            let entries = source.list(node, "match", of: #"routes such as {path: "/api/v1/orders/**"}"#)
        else { return [] }
        if entries.isEmpty { source.report("`match` is empty", fix: "name at least one path", at: node) }
        return entries.compactMap { route($0, extraction: extraction) }
    }

    private func route(_ node: Node, extraction: Int) -> (route: Route, writes: RouteWrites)? {
        let keys = ["path", "methods", "hosts", "success", "on-spool-full"]
        guard let entry = FieldReader(node, of: "an entry of `match`", keys: keys, source),
            let path = entry.required("path", example: #"path: "/api/v1/orders/**""#),
            let pattern = source.value(path, "path", Self.pattern)
        else { return nil }
        let route = Route(
            pattern: pattern, methods: names(entry, "methods", "methods such as GET", Values.method),
            hosts: names(entry, "hosts", "hosts such as shop.example.com", Values.hostPattern), extraction: extraction,
            location: source.location(of: node))
        return (route, RouteWrites(success: statuses(entry), whenFull: whenFull(entry)))
    }

    /// An optional list; an empty one is an error, because it reads like "none" and would mean "any".
    private func names(
        _ entry: FieldReader, _ key: String, _ what: String, _ parse: (String) throws(ValueError) -> String
    ) -> [String] {
        guard let nodes = entry.list(key, of: what) else { return [] }
        if nodes.isEmpty, let node = entry[key] {
            source.report("`\(key)` is empty", fix: "remove the key to take any", at: node)
        }
        return source.values(nodes, key, parse)
    }

    private static func pattern(_ text: String) throws(ValueError) -> RoutePattern {
        do throws(RoutePatternError) {
            return try RoutePattern(parsing: text)
        } catch {
            throw ValueError(
                "\(error)", fix: error == .noLeadingSlash ? "expected such as \"/api/v1/orders/**\"" : nil)
        }
    }
}

// MARK: - cutover

extension ExtractionFileReader {
    private struct Cutover {
        var affinity = Affinity.clientAddress
        var cohort: String?
        var ramp = [1, 5, 25, 50, 100].map { Weight(clamping: $0 * 100) }
        var bake: Duration = .seconds(30 * 60)
        var limits = GuardLimits()
        var coverage = CoverageLimits()
        var pin: Pin?
    }

    private func cutover(_ routes: [Route]) -> Cutover {
        var cutover = Cutover()
        guard
            let fields = fields.fields(
                "cutover", keys: ["affinity", "cohort", "ramp", "bake", "guard", "gate", "pin"])
        else {
            return cutover
        }
        if let node = fields["affinity"] { cutover.affinity = affinity(node, routes) ?? cutover.affinity }
        cutover.pin = pin(fields)
        cutover.cohort = fields.value("cohort", Values.extractionName)
        if let node = fields["ramp"] { cutover.ramp = ramp(node) ?? cutover.ramp }
        cutover.bake = fields.value("bake", Values.durationOrZero) ?? cutover.bake
        cutover.limits = guardLimits(fields)
        cutover.coverage = coverageLimits(fields)
        return cutover
    }

    private func ramp(_ node: Node) -> [Weight]? {
        guard let entries = source.list(node, "ramp", of: "percentages such as 5%") else { return nil }
        let steps = source.values(entries, "ramp", Values.percent)
        guard steps.count == entries.count else { return nil }
        let isRising = zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }
        guard isRising, let first = steps.first, first > .none else {
            source.report("`ramp` does not rise", fix: "expected such as [1%, 5%, 25%, 50%, 100%]", at: node)
            return nil
        }
        return steps
    }
}
