import AdminAPI
import AsyncHTTPClient
import Comparison
import DualWrite
import Extraction
import NIOCore
import NIOHTTP1
import PostgresStore

/// Brings the side that is behind to where the other one is, by what was really written: writes that were given up are
/// delivered again, in their order, with their keys. Only where the route file says so, the representation that counts is PUT
/// instead. Nothing else is invented, and nothing is ever deleted.
struct EntityRepair: Sendable {
    let reading: EntityReading
    let store: PostgresStore
    let actor: String
    let reason: String
    /// The route file allows PUT.
    let puts: Bool

    /// Of deliveries and their filing.
    private static let patience = Duration.seconds(4)
    private static let pause = Duration.milliseconds(100)

    /// - Returns: what there is to say about the entity now.
    func repair(_ entity: WalkedEntity, _ look: EntityReading.Look) async -> ReconcileWalk.Outcome {
        guard case .looked(var finding) = look.outcome, [.differs, .missing].contains(finding.result) else {
            return look.outcome
        }
        do throws(NotRepaired) {
            let how = try await act(entity, look)
            let after = await reading.look(entity)
            guard case .looked(let now) = after.outcome else { return after.outcome }
            finding = now
            if now.result == .same {
                finding.result = .repaired
                finding.reason = how
            } else {
                finding.reason = "\(how), and they are still apart"
            }
        } catch {
            finding.reason = [finding.reason, "not repaired: \(error.why)"].compactMap(\.self).joined(separator: "; ")
        }
        return .looked(finding)
    }

    /// - Returns: what was done.
    private func act(_ entity: WalkedEntity, _ look: EntityReading.Look) async throws(NotRepaired) -> String {
        guard entity.uncertain == 0 else {
            throw NotRepaired(
                "\(ReportText.counted(entity.uncertain, "write")) of it may or may not have been carried out: "
                    + "strangler writes decides that")
        }
        if entity.dead > 0 { return try await deliverAgain(entity) }
        if puts, let pair = look.pair { return try await put(entity, pair) }
        throw NotRepaired(
            "its writes have been delivered, so none is kept; `reconcile: {put: true}` would write what the "
                + "\(entity.primary) has to the \(entity.primary.other)")
    }

    // MARK: - Writes that were given up

    private func deliverAgain(_ entity: WalkedEntity) async throws(NotRepaired) -> String {
        let dead = try await asking { try await $0.deadWrites(extraction: reading.extraction, entity: entity.path) }
        if let overtaken = dead.first(where: \.isOvertaken) {
            throw NotRepaired("write \(overtaken.id) would come after later ones that have been delivered")
        }
        if let unknown = dead.first(where: { !$0.hasPayload }) {
            throw NotRepaired("what write \(unknown.id) takes is not stored")
        }
        guard !dead.isEmpty else { throw NotRepaired("somebody else has just decided about its writes") }
        for (place, write) in dead.enumerated() {
            do throws(AdminError) {
                try await reading.seams.retry(write.id, reading.extraction, actor, reason)
            } catch {
                let before = place == 0 ? "" : " (\(place) before it were handed over)"
                throw NotRepaired("write \(write.id)\(before): \(error)")
            }
            // One after the other: the second may rest on what the first has made.
            try await delivered(entity, dead.count - place - 1)
        }
        return "\(ReportText.counted(dead.count, "write")) delivered again"
    }

    /// - Parameter left: that wait for their turn.
    private func delivered(_ entity: WalkedEntity, _ left: Int) async throws(NotRepaired) {
        let end = ContinuousClock.now + Self.patience
        while true {
            let open = try await asking {
                try await $0.openWrites(extraction: reading.extraction, entity: entity.path)
            }
            let dead = try await asking {
                try await $0.deadWrites(extraction: reading.extraction, entity: entity.path)
            }.count
            if open == 0, dead == left { return }
            guard ContinuousClock.now < end, (try? await Task.sleep(for: Self.pause)) != nil else { break }
        }
        throw NotRepaired("handed over for delivery, which is not done yet: look again later")
    }

    // MARK: - PUT

    private func put(_ entity: WalkedEntity, _ pair: EntityReading.Pair) async throws(NotRepaired) -> String {
        let other = entity.primary.other
        guard 200...299 ~= pair.primary.status, !pair.primary.body.isEmpty else {
            throw NotRepaired("only the \(other) has it, and nothing is deleted here")
        }
        let open = try await asking { try await $0.openWrites(extraction: reading.extraction, entity: entity.path) }
        guard open == 0 else { throw NotRepaired("\(ReportText.counted(open, "write")) of it still to be delivered") }
        guard let representation = try? pair.primary.decoded(limit: EntityReading.bodyLimit) else {
            throw NotRepaired("what the \(entity.primary) answers cannot be decoded")
        }
        let translated = await reading.seams.translate(
            pair.primaryPath, representation.body, entity.primary)
        guard case .ready(let path, let body) = translated else {
            throw NotRepaired("it names things whose other name is not known")
        }
        let key = EntityReading.newID().description
        let answer = await reading.send(other, path) { message in
            message.method = .PUT
            message.headers.replaceOrAdd(name: "idempotency-key", value: key)
            for name in ["content-type", "content-language"] {
                for value in pair.primary.values(of: name) { message.headers.add(name: name, value: value) }
            }
            // What has changed since it was read is not overwritten (RFC 9110 §13.1), if the side looks at that.
            if EntityReading.isGone(pair.other.status) {
                message.headers.add(name: "if-none-match", value: "*")
            } else if let tag = pair.other.values(of: "etag").first, !tag.hasPrefix("W/") {
                message.headers.add(name: "if-match", value: tag)
            }
            message.body = .bytes(ByteBuffer(bytes: body))
        }
        switch answer {
        case .failure(let failure): throw NotRepaired("PUT at the \(other): \(failure.why)")
        case .success(let answer):
            guard 200...299 ~= answer.status else { throw NotRepaired("the \(other) answers \(answer.status) to PUT") }
        }
        return "the \(entity.primary)'s representation was PUT to the \(other)"
    }

    private func asking<Value: Sendable>(
        _ question: (PostgresStore) async throws -> Value
    ) async throws(NotRepaired) -> Value {
        do {
            return try await question(store)
        } catch {
            throw NotRepaired("Postgres cannot be reached: \(error)")
        }
    }
}

private struct NotRepaired: Error {
    let why: String

    init(_ why: String) { self.why = why }
}
