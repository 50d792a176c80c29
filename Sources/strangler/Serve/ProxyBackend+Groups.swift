import AdminAPI
import Comparison
import Extraction
import Foundation
import PostgresStore
import ShadowRunner

// What reviewers ask, and decide.
extension ProxyBackend {
    func groups(extraction: String?) async throws(AdminError) -> [GroupReport] {
        try await checkKnown(extraction)
        await recorder.flush()
        let found = try await asking { try await $0.groups(extraction: extraction) }
        let noise = await learnedNoise()
        var primaries: [String: ComparedSide] = [:]
        for name in Set(found.map(\.extraction)) { primaries[name] = await primary(of: name) }
        return found.map { GroupReport($0, noise, primary: primaries[$0.extraction] ?? .monolith) }
    }

    func group(signature: String) async throws(AdminError) -> GroupDetail {
        await recorder.flush()
        guard let found = try await asking({ try await $0.group(signaturePrefix: signature) }) else {
            throw AdminError(.notFound, "there is no group of mismatches whose signature begins with \(signature)")
        }
        let history = try await asking { try await $0.groupHistory(found.group.signature) }
        var group = GroupReport(
            found.group, await learnedNoise(), primary: await primary(of: found.group.extraction))
        group.history = history.reversed().map {
            GroupEvent(at: $0.at, state: $0.to.rawValue, actor: $0.actor, reason: $0.reason)
        }
        return GroupDetail(
            group: group,
            examples: found.examples.map {
                ExampleReport(
                    at: $0.at, request: $0.request, primary: $0.primary, shadow: $0.shadow, differences: $0.differences)
            })
    }

    func setGroupState(
        signature: String, state: String, actor: String, reason: String?
    ) async throws(AdminError) -> GroupReport {
        guard let wanted = GroupState(rawValue: state), GroupReport.settableStates.contains(state) else {
            throw AdminError(
                .invalid, "\(state) is no state to set",
                reasons: ["use one of " + GroupReport.settableStates.joined(separator: ", ")])
        }
        let whole = try await group(signature: signature).group.signature
        let changed = try await asking {
            try await $0.setGroupState(whole, wanted, actor: actor, reason: reason, at: Date())
        }
        guard changed != nil else { throw AdminError(.notFound, "group \(whole) is gone") }
        return try await group(signature: whole).group
    }

    func noise(extraction: String?) async throws(AdminError) -> NoiseSummary {
        try await checkKnown(extraction)
        await recorder.flush()
        let learned = LearnedNoise(try await asking { try await $0.noise() })
        var totals: [NoiseTotal] = []
        for name in await keeper.model.definitions.map(\.name) where extraction == nil || extraction == name {
            let hits = try await asking { try await $0.ruleHits(extraction: name) }
            totals.append(noiseTotal(name, hits, fields: learned.reports(of: name).count))
        }
        return NoiseSummary(totals: totals, fields: learned.reports(of: extraction))
    }

    func noiseTotal(_ extraction: String, _ hits: [String: RuleTally], fields: Int) -> NoiseTotal {
        NoiseTotal(extraction: extraction, tally: hits[RuleKey.noise], fields: fields)
    }

    func checkKnown(_ extraction: String?) async throws(AdminError) {
        let model = await keeper.model
        if let extraction, !model.definitions.contains(where: { $0.name == extraction }) {
            throw unknown(extraction, known: model.definitions.map(\.name))
        }
    }

    /// What the store knows; nothing while it is away, and groups are shown without it.
    func learnedNoise() async -> LearnedNoise {
        let tallies = try? await store.noise()
        return LearnedNoise(tallies ?? [:])
    }

    /// Whose answers clients get, or most of them.
    func primary(of extraction: String) async -> ComparedSide {
        guard let state = await keeper.states[extraction] else { return .monolith }
        return state.stage >= .fallback ? .service : .monolith
    }
}

extension GroupReport {
    fileprivate init(_ group: MismatchGroup, _ noise: LearnedNoise, primary: ComparedSide) {
        self.init(
            signature: group.signature, extraction: group.extraction, endpoint: group.endpoint,
            state: group.state.rawValue, count: group.count, differences: group.differences,
            firstSeen: group.firstSeen, lastSeen: group.lastSeen, stateAt: group.stateAt, stateBy: group.stateBy,
            stateReason: group.stateWhy, endpointCompared: group.endpointCompared,
            noisy: noise.noisy(
                among: group.differences, extraction: group.extraction, endpoint: group.endpoint, primary: primary))
    }
}
