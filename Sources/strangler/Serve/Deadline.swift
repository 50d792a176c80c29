/// What `work` gives, or nil once `limit` is over; it goes on by itself then, and nobody hears of it any more.
func value<Value: Sendable>(
    within limit: Duration, _ work: @escaping @Sendable () async -> Value?
) async -> Value? {
    let (values, found) = AsyncStream.makeStream(of: Value?.self)
    let working = Task { found.yield(await work()) }
    let waiting = Task {
        try? await Task.sleep(for: limit)
        found.yield(nil)
    }
    defer {
        working.cancel()
        waiting.cancel()
    }
    for await value in values { return value }
    return nil
}
