import AdminAPI
import Extraction
import Foundation
import Logging
import PostgresClient
import PostgresStore

/// A rollback that needs no proxy: the same decision and the same compare-and-set, straight to Postgres.
struct StoreRollback {
    let name: String
    let actor: String
    let reason: String?
    /// Lanes change sides before their writes are delivered.
    var atOnce = false

    /// What was written, or what somebody else had written before.
    struct Done: Encodable, Equatable {
        var extraction: String
        var from: StagePoint
        var to: StagePoint
        /// Of the state that holds now.
        var version: Int64
        /// False: nothing was left to do. Somebody had rolled it back, before or meanwhile.
        var written: Bool
        /// Writes that Postgres has on record as not delivered to the monolith; nil where that is not known.
        var behind: Int?
        /// Affinity keys go back without waiting for them.
        var atOnce: Bool

        var lines: [String] {
            guard written || from != to else { return [ReportText.backAlready(extraction, to.stage)] }
            guard written else {
                return [
                    "\(extraction) was rolled back by somebody else meanwhile: it is at \(ReportText.point(to)), "
                        + "version \(version)."
                ]
            }
            return [
                (from == to
                    ? "\(extraction) stays at \(ReportText.point(to)), and no key waits any more"
                    : "\(extraction): \(ReportText.point(from)) → \(ReportText.point(to))")
                    + ", written to Postgres as version \(version).",
                "Every proxy that runs on it follows within a second.",
            ] + waiting
        }

        private var waiting: [String] {
            guard let behind, behind > 0 else { return [] }
            let writes = "\(ReportText.counted(behind, "write")) to the monolith"
            return [
                atOnce
                    ? "At once, with \(writes) behind: until they are delivered, answers lack them."
                    : "Keys go back as their writes are delivered: \(writes) behind; --now does not wait."
            ]
        }
    }

    private func behind(_ store: PostgresStore) async -> Int? {
        try? await store.writeStanding(extraction: name).open.filter { $0.to == .monolith }.reduce(0) { $0 + $1.writes }
    }

    /// Somebody who keeps changing it wins so often at most.
    private static let attempts = 20

    /// - Parameter place: a libpq connection string, or the `data` folder of a proxy with a private Postgres.
    func run(on place: String) async throws(ClientFailure) -> Done {
        let store = PostgresStore(try await Self.connectionString(place), logger: Log.quiet())
        do {
            var done = try await rollBack(on: store)
            done.behind = await behind(store)
            await store.close()
            return done
        } catch {
            await store.close()
            throw Self.failure(error)
        }
    }

    /// A rollback wins over whoever raises a weight at the same time; over another rollback it does not go further back.
    func rollBack(on store: any StageStore) async throws -> Done {
        var first: StageTransition?
        for _ in 0..<Self.attempts {
            let states = try await store.load()
            guard let state = states.first(where: { $0.name == name }) else {
                throw unknown(states.map(\.name).sorted())
            }
            if atOnce ? ExtractionMachine.isBackAtOnce(state) : first.map({ state.stage <= $0.to.stage }) ?? false {
                return Done(
                    extraction: name, from: first?.from.point ?? state.point, to: state.point, version: state.version,
                    written: false,
                    atOnce: state.flipsAtOnce)
            }
            let now = Date()
            let transition = try ExtractionMachine.rollBack(state, atOnce: atOnce, now: now)
            do {
                let stored = try await store.apply(
                    transition, actor: actor, reason: reason, evidence: StageEvidence(), at: now)
                return Done(
                    extraction: name, from: state.point, to: stored.point, version: stored.version, written: true,
                    atOnce: stored.flipsAtOnce)
            } catch is StageConflict {
                first = first ?? transition
            }
        }
        throw ClientFailure(
            exit: .refused, message: "\(name) was changed by somebody else \(Self.attempts) times meanwhile: try again")
    }

    private func unknown(_ known: [String]) -> ClientFailure {
        ClientFailure(
            exit: .refused, message: "no stage of \(name) is stored there",
            reasons: [known.isEmpty ? "nothing is" : "known: " + known.joined(separator: ", ")])
    }

    private static func connectionString(_ place: String) async throws(ClientFailure) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder), isFolder.boolValue else {
            return place
        }
        do throws(PostgresError) {
            let postgres = PrivatePostgres(directory: place + "/postgres", logger: Log.quiet())
            return try await postgres.connectionStringOfKeeper()
        } catch {
            throw ClientFailure(
                exit: .unreachable, message: "no private Postgres runs in \(place)", reasons: [error.description])
        }
    }

    /// Messages of libpq may name the address, but never the password.
    private static func failure(_ error: any Error) -> ClientFailure {
        switch error {
        case let failure as ClientFailure: return failure
        case let refusal as Refusal:
            return ClientFailure(exit: .refused, message: "refused", reasons: refusal.reasons)
        case let mismatch as SchemaMismatch: return ClientFailure(exit: .refused, message: mismatch.description)
        case let error as PostgresError where error.code == .decoding:
            return ClientFailure(exit: .refused, message: "the stages there cannot be read", reasons: [error.message])
        default:
            return ClientFailure(exit: .unreachable, message: "Postgres cannot be reached", reasons: ["\(error)"])
        }
    }
}
