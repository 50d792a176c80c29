import Comparison
import Foundation
import Logging
import NIOConcurrencyHelpers
import PostgresClient
import PostgresStore
import ProxyConfiguration

/// The way to Postgres, which may not be there yet: starts a private one if none is named, connects, migrates, and tries
/// again for as long as that fails. Whoever asks in the meantime gets an error at once.
final class StoreLink: EvidenceStore, Sendable {
    struct Unavailable: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var store: PostgresStore?
        var lastError = "Postgres is still being started"
        /// Why its last question, which is asked all the time, has got no answer.
        var silence: String?
        /// Whether a private server that another process keeps is used; two processes share it during a takeover.
        var mayVisit = false
        /// Whether the private server is started here once nobody keeps it.
        var mayKeep = true
        var isGuest = false
    }

    private let state = NIOLockedValueBox(State())
    private let definition: StoreDefinition
    private let postgres: PrivatePostgres?
    private let logger: Logger
    let clock: SharedClock

    init(_ definition: StoreDefinition, data: DataDirectory, logger: Logger) {
        self.definition = definition
        self.logger = logger
        clock = SharedClock(logger: logger)
        postgres =
            switch definition {
            case .privatePostgres: PrivatePostgres(directory: data.file("postgres"), logger: logger)
            case .url: nil
            }
    }

    /// This process takes over from one that may keep the private server: it is used, and kept from when that one ends.
    func startAsGuest() { state.withLockedValue { $0.mayVisit = true } }

    /// Another process takes over: it is to keep the private server from when this one has let go of it.
    func stayGuest() {
        state.withLockedValue { state in
            state.mayVisit = true
            state.mayKeep = false
        }
    }

    /// The store, once its schema is up to date.
    func connected() throws(Unavailable) -> PostgresStore {
        let (store, lastError) = state.withLockedValue { ($0.store, $0.lastError) }
        guard let store else { throw Unavailable(description: lastError) }
        return store
    }

    /// The same for who would rather hear that it does not answer than wait for it: a server that hangs takes every
    /// question, and each waits for its own time limit.
    func answering() throws(Unavailable) -> PostgresStore {
        if let silence = state.withLockedValue(\.silence) { throw Unavailable(description: silence) }
        return try connected()
    }

    /// - Parameter silence: nil: it answers.
    func heard(_ silence: String?) { state.withLockedValue { $0.silence = silence } }

    func record(_ batch: EvidenceBatch, at: Date) async throws {
        try await connected().record(batch, at: at)
    }

    func noise() async throws -> [NoiseScope: NoiseTally] {
        try await connected().noise()
    }

    /// Until it is connected, then watches over a private server. Ends with its task.
    func run() async {
        var wait = Duration.milliseconds(250)
        while !Task.isCancelled {
            do {
                try await connect()
                break
            } catch {
                let message = "\(error)"
                let isNew = state.withLockedValue { state in
                    defer { state.lastError = message }
                    return state.lastError != message
                }
                if isNew {
                    logger.error("\(message); stages cannot change and evidence is kept in memory until then")
                }
                guard (try? await Task.sleep(for: wait)) != nil else { return }
                // The private server is away for a moment only when it goes from one process to the next.
                if !state.withLockedValue(\.mayVisit) { wait = min(wait * 2, .seconds(1)) }
            }
        }
        while state.withLockedValue(\.isGuest), !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            if state.withLockedValue(\.mayKeep) { await becomeKeeper() }
        }
        if let postgres { await postgres.monitor() }
    }

    /// Starts the private server if its keeper has gone.
    private func becomeKeeper() async {
        guard let postgres, (try? await postgres.start()) != nil else { return }
        logger.notice("the private Postgres is this process's now")
        let last = state.withLockedValue { state in
            state.isGuest = false
            return state.store
        }
        // Its address may be another.
        while !Task.isCancelled, (try? await connect()) == nil {
            try? await Task.sleep(for: .milliseconds(250))
        }
        await last?.close()
    }

    private func connect() async throws {
        let connectionString: String
        switch definition {
        case .url(let url): connectionString = url
        case .privatePostgres:
            guard let postgres else { return }
            if let running = try? await postgres.connectionString() {
                connectionString = running
            } else {
                connectionString = try await startOrVisit(postgres)
            }
        }
        let store = PostgresStore(connectionString, logger: logger)
        do {
            try await store.migrate()
        } catch {
            await store.close()
            throw error
        }
        state.withLockedValue { $0.store = store }
    }

    private func startOrVisit(_ postgres: PrivatePostgres) async throws -> String {
        let (mayKeep, mayVisit) = state.withLockedValue { ($0.mayKeep, $0.mayVisit) }
        if mayKeep {
            do {
                return try await postgres.start()
            } catch {
                guard mayVisit else { throw error }
            }
        }
        let other = try await postgres.connectionStringOfKeeper()
        state.withLockedValue { $0.isGuest = true }
        return other
    }

    func stop() async {
        let store = state.withLockedValue { state in
            defer { state.store = nil }
            return state.store
        }
        await store?.close()
        await postgres?.stop()
    }
}
