import AdminAPI
import AsyncHTTPClient
import Comparison
import DualWrite
import Extraction
import Foundation
import NIOCore
import NIOHTTP1

/// An entity of the walk.
struct WalkedEntity: Sendable, Equatable {
    var place: ReconcileWalk.Place
    var path: String
    /// Who knows it by this path.
    var side: Side
    /// Whose representation counts.
    var primary: Side
    var isDeleted = false
    /// Of its writes: still to be delivered, given up, not known to have been carried out.
    var open = 0
    var dead = 0
    var uncertain = 0
}

/// Asks both sides for one entity and holds the answers against each other.
struct EntityReading: Sendable {
    let extraction: String
    let http: HTTPClient
    /// `host:port` of both sides.
    let monolith: String
    let service: String
    let headers: [HeaderField]
    let timeout: TimeAmount
    let comparer: Comparer
    let readable: ReadablePaths
    let noise: LearnedNoise
    let seams: ReconcileSeams
    /// Before a difference is believed: a write may have come between the two answers.
    let settle: Duration

    static let bodyLimit = 8 * 1024 * 1024

    /// Both answers, in the order of who counts.
    struct Pair: Sendable {
        var primary: Answer
        var other: Answer
        /// The paths that they were read at.
        var primaryPath: String
        var otherPath: String
    }

    struct Look: Sendable {
        var outcome: ReconcileWalk.Outcome
        /// Nil: not both were read.
        var pair: Pair?
    }

    func look(_ entity: WalkedEntity) async -> Look {
        let first = await ask(entity)
        guard case .looked(let finding) = first.outcome, [.differs, .missing].contains(finding.result),
            (try? await Task.sleep(for: settle)) != nil
        else { return first }
        return await ask(entity)
    }

    private func ask(_ entity: WalkedEntity) async -> Look {
        let paths: [Side: String]
        switch await seams.translate(entity.path, [], entity.side) {
        case .ready(let path, _): paths = [entity.side: entity.path, entity.side.other: path]
        case .unmapped(let what):
            let reason = "how the \(entity.side.other) calls \(what) is not known"
            return Look(outcome: .looked(finding(entity, .unreadable, reason)))
        }
        let (primaryPath, otherPath) = (paths[entity.primary] ?? "", paths[entity.primary.other] ?? "")
        async let first = answer(entity.primary, primaryPath)
        async let second = answer(entity.primary.other, otherPath)
        switch (await first, await second) {
        case (.success(let primary), .success(let other)):
            let pair = Pair(primary: primary, other: other, primaryPath: primaryPath, otherPath: otherPath)
            return Look(outcome: await judge(entity, pair), pair: pair)
        case (.failure(let failure), _): return silent(entity, entity.primary, failure)
        case (_, .failure(let failure)): return silent(entity, entity.primary.other, failure)
        }
    }

    private func silent(_ entity: WalkedEntity, _ side: Side, _ failure: ReadingFailure) -> Look {
        let finding = finding(entity, .unreadable, "the \(side): \(failure.why)")
        return Look(outcome: failure.isOfTheAnswer ? .looked(finding) : .unreachable(finding))
    }

    // MARK: - Judging

    private func judge(_ entity: WalkedEntity, _ pair: Pair) async -> ReconcileWalk.Outcome {
        let statuses = [pair.primary.status, pair.other.status]
        let (isGone, isOtherGone) = (Self.isGone(statuses[0]), Self.isGone(statuses[1]))
        if let away = statuses.firstIndex(where: { (502...504).contains($0) }) {
            let side = away == 0 ? entity.primary : entity.primary.other
            return .unreachable(finding(entity, .unreadable, "the \(side) answers \(statuses[away])"))
        }
        switch (isGone, isOtherGone) {
        case (true, true):
            guard !entity.isDeleted else { return .looked(finding(entity, .same)) }
            return .looked(finding(entity, .unreadable, "both sides answer \(Self.listed(statuses))"))
        case (true, false) where 200...299 ~= statuses[1]:
            return .looked(missing(entity, at: entity.primary))
        case (false, true) where 200...299 ~= statuses[0]:
            return .looked(missing(entity, at: entity.primary.other))
        default: break
        }
        guard statuses.allSatisfy({ 200...299 ~= $0 }) else {
            let hint = statuses.contains { [401, 403].contains($0) } ? ": --header supplies credentials" : ""
            return .looked(finding(entity, .unreadable, "answered \(Self.listed(statuses))\(hint)"))
        }
        return .looked(await compared(entity, pair))
    }

    private func compared(_ entity: WalkedEntity, _ pair: Pair) async -> ReconcileFinding {
        let other = await seams.renamed(pair.other, entity.primary.other)
        let result = comparer.compare(primary: pair.primary, shadow: other, now: Date())
        let endpoint = "GET " + (readable.template(of: pair.primaryPath) ?? pair.primaryPath)
        let baseline = noise.baseline(
            extraction: extraction, endpoint: endpoint, primary: entity.primary == .monolith ? .monolith : .service)
        let differences = result.differences.filter { baseline?.judge(GroupedDifference($0)) != .noise }
        if differences.isEmpty {
            guard let reason = result.notCompared else { return finding(entity, .same) }
            return finding(entity, .unreadable, "not compared: \(reason.rawValue)")
        }
        var found = apart(entity, .differs, nil)
        found.differences = differences
        return found
    }

    private func missing(_ entity: WalkedEntity, at side: Side) -> ReconcileFinding {
        apart(entity, .missing, "the \(side) does not have it")
    }

    /// Not alike: a difference only if nothing is on its way.
    private func apart(
        _ entity: WalkedEntity, _ result: ReconcileFinding.Result, _ reason: String?
    ) -> ReconcileFinding {
        guard entity.open > 0 else { return finding(entity, result, reason) }
        return finding(
            entity, .behind, "\(ReportText.counted(entity.open, "write")) of it still to be delivered")
    }

    func finding(
        _ entity: WalkedEntity, _ result: ReconcileFinding.Result, _ reason: String? = nil
    ) -> ReconcileFinding {
        ReconcileFinding(entity: entity.path, result: result, primary: entity.primary, reason: reason)
    }

    /// Not found, or found to be there no more (RFC 9110 §15.5.5, §15.5.11).
    static func isGone(_ status: Int) -> Bool { status == 404 || status == 410 }

    private static func listed(_ statuses: [Int]) -> String {
        statuses[0] == statuses[1] ? "\(statuses[0])" : "\(statuses[0]) and \(statuses[1])"
    }

    // MARK: - Asking

    func answer(_ side: Side, _ path: String) async -> Result<Answer, ReadingFailure> {
        await send(side, path) { message in
            if !message.headers.contains(name: "accept") { message.headers.add(name: "accept", value: "*/*") }
        }
    }

    /// Marked as a shadow's request, so that the side holds back what it would do beside answering.
    func send(
        _ side: Side, _ path: String, _ prepare: (inout HTTPClientRequest) -> Void
    ) async -> Result<Answer, ReadingFailure> {
        var message = HTTPClientRequest(url: "http://\(side == .monolith ? monolith : service)\(path)")
        message.headers.add(name: "user-agent", value: "strangler-reconcile")
        for field in headers { message.headers.replaceOrAdd(name: field.name, value: field.value) }
        prepare(&message)
        message.headers.replaceOrAdd(name: "strangler-shadow", value: "1")
        message.headers.replaceOrAdd(name: "strangler-request-id", value: Self.newID().description)
        do {
            let response = try await http.execute(message, timeout: timeout)
            return .success(try await BoundedAnswer.read(response, limit: Self.bodyLimit))
        } catch let error as AnswerTooLarge {
            return .failure(ReadingFailure(why: "\(error)", isOfTheAnswer: true))
        } catch {
            return .failure(ReadingFailure(why: FailureText.of(error), isOfTheAnswer: false))
        }
    }

    static func newID() -> WriteID {
        WriteID(high: UInt64.random(in: .min ... .max), low: UInt64.random(in: .min ... .max))
    }
}

struct ReadingFailure: Error, Sendable, Equatable {
    var why: String
    /// The side is there; what it answers cannot be used.
    var isOfTheAnswer: Bool
}
