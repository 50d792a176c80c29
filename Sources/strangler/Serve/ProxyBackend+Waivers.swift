import AdminAPI
import Extraction
import Foundation
import Logging
import PostgresStore
import ProxyConfiguration

extension ProxyBackend {
    func waive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        let subject = Self.trimmed(request.subject)
        let evidence = try await evidence(of: name)
        let known = evidence.endpoints.map(\.endpoint) + evidence.gaps.map { GapSubject(id: $0.id).description }
        if subject == "gap" || subject.hasPrefix("gap "), !known.contains(subject) {
            // Those that somebody may mean first.
            let gaps = evidence.gaps.filter { $0.waiver == nil } + evidence.gaps.filter { $0.waiver != nil }
            throw AdminError(
                .refused, subject == "gap" ? "a gap is waived by its number" : "\(name) has no \(subject)",
                reasons: gaps.isEmpty
                    ? ["\(name) has no gap at its present stage"]
                    : gaps.prefix(Self.suggestions).map { ReportText.gap($0, now: keeper.store.clock.now) })
        }
        guard known.contains(subject) else {
            throw AdminError(
                .refused, "\(name) has no endpoint and no gap called \(subject.isEmpty ? "\"\"" : subject)",
                reasons: known.isEmpty
                    ? ["nothing is known of its endpoints yet"]
                    : Self.near(subject, known).map { "did you mean \($0)" })
        }
        _ = try await asking {
            try await $0.waive(
                extraction: name, subject: subject, actor: actor, reason: request.reason ?? "", at: Date())
        }
        return try await report(of: name)
    }

    func unwaive(
        _ request: WaiverRequest, on name: String, actor: String
    ) async throws(AdminError) -> ExtractionReport {
        let subject = Self.trimmed(request.subject)
        do throws(StageKeeper.Failure) {
            _ = try await keeper.find(name)
        } catch {
            throw adminError(error, name: name)
        }
        let revoked = try await asking {
            try await $0.revokeWaiver(extraction: name, subject: subject, actor: actor, at: Date())
        }
        if let revoked {
            keeper.logger.notice(
                "\(name): waiver of \(revoked.subject) revoked by \(actor)\(request.reason.map { ": " + $0 } ?? "")")
        } else {
            let inForce = try await asking { try await $0.waivers(extraction: name) }.filter { $0.revokedAt == nil }
            throw AdminError(
                .refused, "\(name) has no waiver of \(subject)",
                reasons: inForce.isEmpty
                    ? ["it has none"] : Self.near(subject, inForce.map(\.subject)).map { "there is one of \($0)" })
        }
        return try await report(of: name)
    }

    private func evidence(of name: String) async throws(AdminError) -> StageEvidence {
        do throws(StageKeeper.Failure) {
            let (definition, state) = try await keeper.find(name)
            return try await keeper.findings(for: definition, in: state).evidence
        } catch {
            throw adminError(error, name: name)
        }
    }

    private func report(of name: String) async throws(AdminError) -> ExtractionReport {
        guard let report = try await reports(name: name).first else { throw unknown(name, known: []) }
        return report
    }

    private static let suggestions = 5

    /// One blank between words, none around them; a method in capitals, a gap in small letters.
    private static func trimmed(_ subject: String) -> String {
        var words = subject.split(whereSeparator: \.isWhitespace).map(String.init)
        if words.first?.lowercased() == "gap" { words[0] = "gap" }
        if words.count == 2, words[1].hasPrefix("/") { words[0] = words[0].uppercased() }
        return words.joined(separator: " ")
    }

    /// Those that hold the words, or else those that are spelt most alike.
    private static func near(_ subject: String, _ known: [String]) -> [String] {
        let limit = suggestions
        let wanted = subject.lowercased()
        let holding = wanted.isEmpty ? [] : known.filter { $0.lowercased().contains(wanted) }
        if !holding.isEmpty { return Array(holding.prefix(limit)) }
        return known.map { (name: $0, distance: Suggestion.distance(wanted, $0.lowercased())) }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
    }
}
