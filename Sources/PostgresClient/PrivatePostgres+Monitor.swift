import Logging

extension PrivatePostgres {
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(5)
    /// A server that lived this long had started well: what ended it was something new.
    private static let settledAfter = Duration.seconds(30)

    /// Watches the started server and restarts it whenever it dies, with a pause that grows while it keeps dying.
    /// Returns after `stop()` or when its task is cancelled. One caller at a time, after `start()`.
    package func monitor() async {
        var pause = Self.firstPause
        while case .running(let child) = phase {
            let since = ContinuousClock.now
            var ended: ChildProcess.ExitStatus?
            for await status in child.exits { ended = status }
            // Stopped on purpose, or this task was cancelled.
            guard let ended, case .running(let current) = phase, current === child else { return }
            phase = .down
            logger.error("the private Postgres \(ended); restarting it")
            if since.duration(to: .now) > Self.settledAfter { pause = Self.firstPause }
            guard await restart(&pause) else { return }
        }
    }

    /// Tries until the server runs. False if there is no more need: stopped or cancelled.
    private func restart(_ pause: inout Duration) async -> Bool {
        let since = ContinuousClock.now
        var lastMessage: String?
        while !Task.isCancelled {
            // The pause comes first: the backends of the dead server need a moment to notice.
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            guard case .down = phase else { return false }
            do throws(PostgresError) {
                phase = .running(try launch())
                logger.notice("the private Postgres is back after \(since.duration(to: .now).milliseconds) ms")
                return true
            } catch {
                // Said once per reason, not once per try.
                if error.message != lastMessage { logger.error("\(error.message); trying again") }
                lastMessage = error.message
            }
        }
        return false
    }
}

extension Duration {
    /// Whole milliseconds.
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
