import AdminAPI
import Comparison
import DualWrite
import Extraction
import ShadowRunner
import Spool

/// What a walk needs of the ledger and of identities, which are others' business.
struct ReconcileSeams: Sendable {
    /// A request as the other side of `from` takes it.
    enum Translated: Sendable, Equatable {
        case ready(target: String, body: [UInt8])
        /// Something is named in it whose other name is not known.
        case unmapped(String)
    }

    typealias Translate = @Sendable (_ target: String, _ body: [UInt8], _ from: Side) async -> Translated
    typealias Rename = @Sendable (_ answer: Answer, _ from: Side) async -> Answer
    typealias Retry =
        @Sendable (_ write: WriteID, _ extraction: String, _ actor: String, _ reason: String)
        async throws(AdminError) -> Void

    /// As long as nothing else is said, both systems know things by one name.
    var translate: Translate = { target, body, _ in .ready(target: target, body: body) }
    /// An answer of `from`, with the identities in it as the other side calls them.
    var renamed: Rename = { answer, _ in answer }
    /// What was stored of a write that was given up; nil if it cannot be read here.
    var opened: @Sendable (_ write: WriteID, _ payload: [UInt8]) -> OpenWrite? = ReconcileSeams.opener(with: nil)
    /// Has the ledger deliver such a write once more. Throws why it does not.
    var retry: Retry = { (_, _, _, _) async throws(AdminError) in
        throw AdminError(.refused, "this proxy keeps no ledger")
    }

    /// What the process knows of names; nil: nothing is translated.
    var identities: IdentityDirectory?

    /// - Parameter key: of what is encrypted.
    static func opener(with key: SpoolKey?) -> @Sendable (_ write: WriteID, _ payload: [UInt8]) -> OpenWrite? {
        { id, stored in
            guard let payload = try? PayloadSeal.open(stored, of: id, with: key),
                case .carried(let write) = LedgerRecord(payload)
            else { return nil }
            return write
        }
    }

    /// With names translated by what the process and its store know.
    /// - Parameter mapping: nil: no rule maps.
    func naming(by mapping: IdentityMapping?, extraction: String) -> ReconcileSeams {
        guard let mapping, let identities else { return self }
        var seams = self
        let names = KnownNames(mapping: mapping, identities: identities, extraction: extraction)
        seams.translate = { await names.translated($0, $1, from: $2) }
        seams.renamed = { await names.renamed($0, from: $1) }
        return seams
    }
}

/// Waits for what the store knows: a walk has time, unlike an event loop.
private struct KnownNames: Sendable {
    let mapping: IdentityMapping
    let identities: IdentityDirectory
    let extraction: String

    private static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(20)

    func translated(_ target: String, _ body: [UInt8], from side: Side) async -> ReconcileSeams.Translated {
        let request = IdentityMapping.Request(target: Array(target.utf8), fields: [], body: body)
        let made = await untilKnown { mapping.translated(request, from: side, find: $0) }
        if let first = made.unmapped.first { return .unmapped(first.value) }
        if made.isUnreadable { return .unmapped("what its body names") }
        return .ready(target: String(decoding: made.target, as: UTF8.self), body: made.body)
    }

    func renamed(_ answer: Answer, from side: Side) async -> Answer {
        await untilKnown { mapping.translated(answer, from: side, find: $0) }.answer
    }

    /// Asked again as long as the store is being asked for a name.
    private func untilKnown<Made>(_ make: (IdentityMapping.Find) -> Made) async -> Made {
        let end = ContinuousClock.now + Self.patience
        while true {
            var waits = false
            let made = make { kind, side, value in
                let question = IdentityQuestion(extraction: extraction, kind: kind, side: side, value: value)
                switch identities.lookup(question) {
                case .known(let pair): return .known(pair)
                case .unknown: return .unknown(isFinal: true)
                case .notYetKnown:
                    waits = true
                    return .unknown(isFinal: false)
                }
            }
            guard waits, ContinuousClock.now < end, (try? await Task.sleep(for: Self.pause)) != nil else {
                return made
            }
        }
    }
}
