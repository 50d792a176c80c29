/// Follows the notifications of one channel (PostgreSQL manual, LISTEN) on a connection of its own, for as long as
/// somebody takes its events.
///
/// Answers for: waiting without polling, noticing within about four seconds that the server is gone or frozen, connecting
/// anew with growing pauses. Does not answer for what was announced in between: `.connected` says that anything may have
/// happened. Notifications do not pass a connection pooler that lends a session per transaction.
package enum PostgresListener {
    package enum Event: Sendable, Equatable {
        /// From now on nothing is missed: what was to be known before has to be read. Also sent where the consumer was too
        /// slow and events were dropped.
        case connected
        /// A notification's payload.
        case notified(String)
        /// Nothing is heard until the next `.connected`. Sent once, however often connecting fails.
        case lost(PostgresError)
    }

    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(1)
    /// Milliseconds of silence after which the server is asked whether it is there.
    private static let checkEvery = 2000
    /// Events that wait for a slow consumer.
    private static let bufferSize = 256

    /// Ends when the task that takes the events is cancelled, or nobody keeps the stream.
    package static func events(
        _ connectionString: String, channel: String, options: PostgresOptions = .brief
    ) -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(bufferSize))
        let wakeUp = WakeUp()
        let task = Task {
            await listen(connectionString, channel, options, wakeUp) { event in
                // What was dropped may have been anything.
                if case .dropped = continuation.yield(event) { continuation.yield(.connected) }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in
            task.cancel()
            wakeUp.signal()
        }
        return stream
    }

    private static func listen(
        _ connectionString: String, _ channel: String, _ options: PostgresOptions, _ wakeUp: WakeUp,
        _ yield: @Sendable (Event) -> Void
    ) async {
        var pause = firstPause
        var isLost = false
        while !Task.isCancelled {
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(connectionString, options: options)
                try await connection.query("LISTEN \(PostgresConnection.quotedIdentifier(channel))")
                isLost = false
                yield(.connected)
                while !Task.isCancelled {
                    let payloads = try await connection.notifications(channel, wakeUp, within: checkEvery)
                    if payloads.isEmpty { try await connection.query("SELECT 1") }
                    for payload in payloads { yield(.notified(payload)) }
                    pause = firstPause
                }
                await connection.close()
            } catch {
                if !isLost { yield(.lost(error)) }
                isLost = true
            }
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, longestPause)
        }
    }
}

extension PostgresConnection {
    /// The payloads of `channel` that have arrived; waits for the first, for a wake-up, or for `milliseconds`.
    func notifications(
        _ channel: String, _ wakeUp: WakeUp, within milliseconds: Int
    ) throws(PostgresError) -> [String] {
        let known = try takeNotifications(channel)
        guard known.isEmpty else { return known }
        try waitForInput(or: wakeUp, milliseconds: milliseconds)
        return try takeNotifications(channel)
    }

    static func quotedIdentifier(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
