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
    }

    private let state = NIOLockedValueBox(State())
    private let definition: StoreDefinition
    private let postgres: PrivatePostgres?
    private let logger: Logger

    init(_ definition: StoreDefinition, data: DataDirectory, logger: Logger) {
        self.definition = definition
        self.logger = logger
        postgres =
            switch definition {
            case .privatePostgres: PrivatePostgres(directory: data.file("postgres"), logger: logger)
            case .url: nil
            }
    }

    /// The store, once its schema is up to date.
    func connected() throws(Unavailable) -> PostgresStore {
        let (store, lastError) = state.withLockedValue { ($0.store, $0.lastError) }
        guard let store else { throw Unavailable(description: lastError) }
        return store
    }

    func record(_ batch: EvidenceBatch, at: Date) async throws {
        try await connected().record(batch, at: at)
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
                wait = min(wait * 2, .seconds(10))
            }
        }
        if let postgres { await postgres.monitor() }
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
                connectionString = try await postgres.start()
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

    func stop() async {
        let store = state.withLockedValue { state in
            defer { state.store = nil }
            return state.store
        }
        await store?.close()
        await postgres?.stop()
    }
}
