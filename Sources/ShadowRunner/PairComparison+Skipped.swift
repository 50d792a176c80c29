internal import Comparison
internal import HTTPWire
internal import Routing

internal import struct FoundationEssentials.Date

extension PairComparison {
    /// What was not captured at all.
    func count(_ skipped: ShadowGate.Skipped, _ settings: ShadowSettings, now: Date) {
        let run = JudgingRun(recorder: recorder, now: now)
        for (skip, times) in skipped.counts {
            guard settings.extractions.indices.contains(skip.slot), let extraction = settings.extractions[skip.slot]
            else { continue }
            let path = skip.shape.flatMap { skipped.paths[$0] }
            run.count(
                VerdictKey(
                    extraction: extraction.name, endpoint: endpoint(of: skip, path, extraction.name, settings, in: run),
                    verdict: .notCompared, reason: skip.reason.rawValue), times: times)
        }
        run.finish()
    }

    /// The name that a comparison would have been counted under: that of the contract or the route, or the guessed one
    /// if it has a place already. What was skipped gives no new ones: nobody has seen its answer, and a scanner's paths
    /// would take them all. So what comes before the first comparison of such an endpoint, and what the primary answers
    /// 404 or 405, is counted under the route's pattern.
    private func endpoint(
        of skip: ShadowGate.Skip, _ path: [UInt8]?, _ extraction: String, _ settings: ShadowSettings, in run: JudgingRun
    ) -> String {
        let (templates, limit) = (settings.templates, settings.maximumEndpoints)
        let overflow = overflow(skip.method)
        if let path {
            let guessed = templates.endpoint(
                route: skip.route, method: skip.method.name, path: String(decoding: path, as: UTF8.self))
            let bounded = run.boundedEndpoint(
                guessed, of: extraction, exists: false, overflow: overflow, limit: limit)
            if bounded == guessed { return guessed }
        }
        return run.boundedEndpoint(
            "\(skip.method.name) \(templates.name(route: skip.route, template: skip.template))", of: extraction,
            exists: skip.method != .other, overflow: overflow, limit: limit)
    }
}
