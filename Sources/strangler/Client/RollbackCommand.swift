import AdminAPI
import ArgumentParser
import Extraction
import Foundation
import Logging

struct RollbackCommand: StageChangeCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Give the traffic back to the monolith at once, or go back one stage where none was moved.",
        discussion: """
            Never gated. Where writes go to both sides, each affinity key goes back when the monolith has all its writes; \
            with --now at once, also after a rollback without it.

            --now only gives traffic back: said again, it changes nothing. Without it, a rollback where the monolith \
            answers everything already goes back one stage, each time it is said: from shadow to parallel, where writes \
            go to the monolith alone.

            When no proxy can be reached at its admin address, --store writes to Postgres directly; every proxy that runs \
            on it follows within a second, and one that starts later begins there.
            """)

    @Argument(help: "The extraction.") var name: String

    @Option(
        help: ArgumentHelp(
            "Write to this Postgres directly, the `store.url` of proxy.yaml; or the `data` folder of a proxy with a "
                + "Postgres of its own.", valueName: "url"))
    var store: String?

    @Flag(
        help:
            "Do not wait for writes that the monolith has not got yet: until they are delivered, it answers without them."
    )
    var now = false

    @OptionGroup var change: ChangeOptions
    @OptionGroup var client: ClientOptions

    func validate() throws {
        if store?.isEmpty == true { throw ValidationError("--store needs a URL") }
        if name.isEmpty { throw ValidationError("an extraction's name is needed") }
    }

    func execute(_ admin: AdminClient, _ terminal: Terminal) async throws(ClientFailure) {
        guard let store else {
            do throws(ClientFailure) {
                try await perform(admin, terminal)
            } catch {
                throw error.exit == .unreachable ? Self.without(name, error) : error
            }
            return
        }
        let rollback = StoreRollback(name: name, actor: AdminClient.actor, reason: change.reason, atOnce: now)
        let done = try await rollback.run(on: store)
        if client.json {
            guard let data = try? AdminJSON.data(done) else { return }
            terminal.write(String(decoding: data, as: UTF8.self))
        } else {
            for line in done.lines { terminal.text(line) }
        }
    }

    private static func without(_ name: String, _ error: ClientFailure) -> ClientFailure {
        var failure = error
        guard !error.message.contains("Postgres cannot be reached") else {
            failure.note = "Nothing moves until Postgres answers; circuit breakers and fallback still act."
            return failure
        }
        failure.message +=
            "; without a proxy, `strangler rollback \(name) --store URL` writes to Postgres directly "
            + "(URL: `store.url` in proxy.yaml, or its `data` folder)"
        return failure
    }
}
