internal import Extraction

/// Counts of one loop; plain integers, read on the loop and summed by whoever asks.
package struct TrafficCounters: Sendable, Equatable {
    package struct PerExtraction: Sendable, Equatable {
        package var toMonolith = 0
        package var toService = 0
        /// By `FallbackReason`, in the order of its cases.
        package var fellBack = [Int](repeating: 0, count: FallbackReason.allCases.count)
        /// Requests that the proxy had to answer by itself because no upstream did.
        package var upstreamErrors = 0
        /// Answers 502, 503 and 504 that were an upstream's own, and went to the client as they came.
        package var originErrors = 0
        package var shadowed = 0

        package init() {}

        mutating func add(_ other: PerExtraction) {
            toMonolith += other.toMonolith
            toService += other.toService
            for i in fellBack.indices where i < other.fellBack.count { fellBack[i] += other.fellBack[i] }
            upstreamErrors += other.upstreamErrors
            originErrors += other.originErrors
            shadowed += other.shadowed
        }
    }

    package var connections = 0
    /// Connections turned away because as many were open as may be.
    package var connectionsRefused = 0
    /// Requests refused as malformed, too large or too slow.
    package var refused = 0
    /// Connections that could not be accepted, for want of descriptors above all.
    package var acceptFailures = 0
    /// Exchanges that took longer than an exchange may.
    package var overdue = 0
    /// Clients that left before their answer was complete.
    package var clientAborts = 0
    /// Connections that became tunnels: 101 was asked for and given.
    package var upgraded = 0
    /// Requests that no route matched.
    package var unmatched = PerExtraction()
    package var extractions: [PerExtraction]

    package init(extractions: Int) {
        self.extractions = [PerExtraction](repeating: PerExtraction(), count: extractions)
    }

    /// Room for extractions up to this slot; none is ever taken away.
    mutating func grow(to slots: Int) {
        while extractions.count < slots { extractions.append(PerExtraction()) }
    }

    package mutating func add(_ other: TrafficCounters) {
        connections += other.connections
        connectionsRefused += other.connectionsRefused
        refused += other.refused
        clientAborts += other.clientAborts
        overdue += other.overdue
        acceptFailures += other.acceptFailures
        upgraded += other.upgraded
        unmatched.add(other.unmatched)
        for i in extractions.indices where i < other.extractions.count { extractions[i].add(other.extractions[i]) }
    }
}
