/// Bounds of what clients may ask for and of what it may cost. Beyond them a request is refused, never queued for ever.
package struct LimitsDefinition: Sendable, Hashable {
    /// Bytes of a request head. 431.
    package var head: Int
    /// Bytes of one field line (431), and of the request line (414). At most `head`.
    package var field: Int
    /// Field lines of a head. 431.
    package var fields: Int
    /// Bytes of a request body, by its length or by counted chunks; nil: any, for bodies stream through. 413.
    package var body: Int?
    /// Client connections of the process, over all listeners and event loops.
    ///
    /// The default is twice the 5,000 slow clients that a good one must not notice; with both buffers full it is worth
    /// 625 MiB, and with a connection to an upstream for each 20,000 descriptors.
    package var connections: Int
    /// Bytes that wait in one connection in one direction before the other side is no longer read from.
    package var buffer: Int

    package init(
        head: Int = 32 << 10, field: Int = 16 << 10, fields: Int = 100, body: Int? = nil, connections: Int = 10_000,
        buffer: Int = 32 << 10
    ) {
        self.head = head
        self.field = field
        self.fields = fields
        self.body = body
        self.connections = connections
        self.buffer = buffer
    }
}

/// Limits of waiting, all above 0.
package struct Timeouts: Sendable, Hashable {
    /// Until a connection to an upstream stands.
    package var connect: Duration
    /// From the end of the request to the first byte of the answer.
    package var firstByte: Duration
    /// Between two bytes of a body, of a request and of an answer.
    package var body: Duration
    /// How long a connection may rest between requests, a client's and an upstream's.
    package var idle: Duration
    /// Until a client's request head is complete.
    package var head: Duration
    /// From the first byte of a request to the last of its answer; nil: as long as its parts take.
    package var exchange: Duration?

    package init(
        connect: Duration = .seconds(1), firstByte: Duration = .seconds(30), body: Duration = .seconds(60),
        idle: Duration = .seconds(60), head: Duration = .seconds(15), exchange: Duration? = nil
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.body = body
        self.idle = idle
        self.head = head
        self.exchange = exchange
    }
}

/// How many retries an upstream may be asked for: one that fails for everybody must not be asked twice as often.
package struct RetryDefinition: Sendable, Hashable {
    /// Retries as a share of an upstream's requests, 0…100 percent.
    package var budgetPercent: Int
    /// So many retries at a time are allowed whatever the share says. 0…1,000.
    package var atLeast: Int

    package init(budgetPercent: Int = 20, atLeast: Int = 3) {
        self.budgetPercent = budgetPercent
        self.atLeast = atLeast
    }
}
