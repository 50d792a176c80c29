internal import Comparison
internal import FoundationEssentials

/// One run of pairs on one worker: gathers what is counted, and remembers what it has asked the recorder, so that the
/// recorder's lock is taken a few times for a run and not a few times for a pair.
final class JudgingRun {
    let now: Date
    private let recorder: EvidenceRecorder
    private var findings = Findings()
    /// By extraction: endpoints that have a place of their own.
    private var endpoints: [String: Set<String>] = [:]
    /// By signature; those that something was counted in.
    private var groups: [String: EvidenceRecorder.Group] = [:]
    private var noise: [NoiseScope: KnownNoise] = [:]

    init(recorder: EvidenceRecorder, now: Date) {
        self.recorder = recorder
        self.now = now
    }

    /// Brings everything to the recorder.
    func finish() {
        // What is held of the recorder's is let go of first, or changing it would copy it.
        noise.removeAll()
        recorder.take(findings, at: now)
        findings = Findings()
    }

    func count(_ key: VerdictKey, times: Int = 1) { findings.batch.count(key, times: times) }

    func countLatency(_ key: LatencyKey, nanoseconds: Int64) {
        findings.batch.countLatency(key, nanoseconds: nanoseconds)
    }

    func countHidden(_ key: RuleKey, differences: Int) {
        findings.batch.countHidden(key, differences: differences, at: now)
    }

    func countConformance(_ key: ConformanceKey, _ tally: ConformanceTally) {
        findings.batch.countConformance(key, tally, at: now)
    }

    func countNoise(_ scope: NoiseScope, _ tally: NoiseTally) { findings.batch.countNoise(scope, tally) }

    /// See ``EvidenceRecorder/boundedEndpoint(_:of:exists:overflow:limit:)``.
    func boundedEndpoint(
        _ endpoint: String, of extraction: String, exists: Bool, overflow: String, limit: Int
    ) -> String {
        if endpoints[extraction]?.contains(endpoint) == true { return endpoint }
        let bounded = recorder.boundedEndpoint(
            endpoint, of: extraction, exists: exists, overflow: overflow, limit: limit)
        if bounded == endpoint { endpoints[extraction, default: []].insert(endpoint) }
        return bounded
    }

    func knownNoise(of scope: NoiseScope) -> KnownNoise {
        if let known = noise[scope] { return known }
        let known = recorder.knownNoise(of: scope)
        noise[scope] = known
        return known
    }

    /// The primary agreed with itself on these fields while the other side differed.
    func foundSteady(_ fields: Set<GroupedDifference>, in scope: NoiseScope) {
        findings.steady[scope, default: []].formUnion(fields)
    }

    func isConfirmed(_ signature: MismatchSignature) -> Bool {
        (groups[signature.hex] ?? recorder.group(of: signature, counted: false, now: now)).isConfirmed
    }

    /// Counts a mismatch in its group; `makeRecord` runs only when an example of it is wanted.
    /// - Parameter isConfirmed: it stood when both sides were asked again.
    /// - Returns: the group, which is the endpoint's one for all that are too many where there is no room for its own.
    func mismatch(
        _ signature: MismatchSignature, isConfirmed: Bool, makeRecord: (MismatchSignature) -> MismatchRecord
    ) -> MismatchSignature {
        var group = groups[signature.hex] ?? recorder.group(of: signature, counted: true, now: now)
        if isConfirmed {
            group.isConfirmed = true
            findings.confirmed.insert(group.signature.hex)
        }
        groups[signature.hex] = group
        if group.wantsExample, findings.batch.hasRoomForExample(of: group.signature) {
            findings.batch.add(makeRecord(group.signature))
        } else {
            findings.batch.addWithoutExample(group.signature, at: now, isDeclined: group.hasEnoughExamples)
        }
        return group.signature
    }

    func grouped(_ difference: Difference) -> GroupedDifference { GroupedDifference(difference) }
}
