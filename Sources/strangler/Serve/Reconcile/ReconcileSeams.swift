import AdminAPI
import Comparison
import DualWrite
import Extraction

/// What a walk needs of the ledger and of identities, which are others' business.
struct ReconcileSeams: Sendable {
    /// A request as the other side of `from` takes it.
    enum Translated: Sendable, Equatable {
        case ready(target: String, body: [UInt8])
        /// Something is named in it whose other name is not known.
        case unmapped(String)
    }

    typealias Translate =
        @Sendable (_ extraction: String, _ target: String, _ body: [UInt8], _ from: Side) async -> Translated

    /// Both systems know things by one name.
    var translate: Translate = { _, target, body, _ in .ready(target: target, body: body) }
    /// An answer of `from`, with the identities in it as the other side calls them.
    var renamed: @Sendable (_ extraction: String, _ answer: Answer, _ from: Side) async -> Answer = { _, answer, _ in
        answer
    }
    /// What was stored of a write that was given up; nil if it cannot be read here.
    var opened: @Sendable (_ payload: [UInt8]) -> OpenWrite? = { _ in nil }
    /// Has the ledger deliver such a write once more. Throws why it does not.
    var retry:
        @Sendable (_ write: WriteID, _ extraction: String, _ actor: String, _ reason: String)
            async throws(AdminError) -> Void = { (_, _, _, _) async throws(AdminError) in
                throw AdminError(.refused, "this proxy keeps no ledger")
            }
}
