package import FoundationEssentials

/// What a guard judges by: both sides in one span of time, summed over replicas.
package struct GuardEvidence: Sendable, Equatable {
    /// One span of time.
    package struct Span: Sendable, Equatable {
        /// By endpoint; all of the extraction's traffic is their sum.
        package var endpoints: [String: TrafficPair]
        /// Comparisons, and those that differed as nobody has accepted, by endpoint.
        package var differing: [String: Share]

        package init(endpoints: [String: TrafficPair] = [:], differing: [String: Share] = [:]) {
            self.endpoints = endpoints
            self.differing = differing
        }

        package var total: TrafficPair { endpoints.values.reduce(into: TrafficPair()) { $0.add($1) } }
    }

    /// The last minute or two: what has just begun must not drown in weeks of good answers. Not from before the present
    /// weight: of a bad minute, the side that has most of the traffic then would look worse than the other.
    package var recent: Span
    /// Since the present weight began to bake.
    package var step: Span
    /// Replicas whose circuit breaker for the service is not closed, on any of their event loops.
    package var openBreakers: [String]
    /// Replicas that see the monolith fail: by its health check, or its circuit breaker.
    package var failingMonolith: [String]
    /// Writes that the other side has not got yet: of replicas, and of spools that none holds.
    package var backlog: Int
    /// Among those received since the present weight began to bake: writes that were given up, which the other side has
    /// not got either, and those of which nobody knows whether the primary carried them out.
    package var deadWrites: Int
    package var uncertainWrites: Int
    /// Replicas that have not been heard of for longer than a heartbeat takes, and have not said goodbye.
    package var silentReplicas: [String]
    /// Replicas that are heard of and serve another version of the state than the one judged.
    package var laggingReplicas: [String]

    package init(
        recent: Span = Span(), step: Span = Span(), openBreakers: [String] = [], backlog: Int = 0,
        deadWrites: Int = 0, uncertainWrites: Int = 0, silentReplicas: [String] = [], laggingReplicas: [String] = [],
        failingMonolith: [String] = []
    ) {
        self.recent = recent
        self.step = step
        self.openBreakers = openBreakers
        self.failingMonolith = failingMonolith
        self.backlog = backlog
        self.deadWrites = deadWrites
        self.uncertainWrites = uncertainWrites
        self.silentReplicas = silentReplicas
        self.laggingReplicas = laggingReplicas
    }
}

/// What a guard found. Stored in history with what it led to.
package struct GuardFindings: Sendable, Codable, Equatable {
    /// One side, boiled down.
    package struct Side: Sendable, Codable, Equatable {
        package var requests: Int
        package var errors: Int
        /// Milliseconds, known to within a fifth; nil of nothing.
        package var p99: Double?

        package init(_ traffic: SideTraffic) {
            requests = traffic.requests
            errors = traffic.errors
            p99 = traffic.latency.quantile(0.99).map { (Double($0) / 1000).rounded() / 1000 }
        }
    }

    package var judgedAt: Date
    /// What is broken, a sentence each, with numbers: a reason to roll back.
    package var breaches: [String]
    /// Why the weight must not rise now, though nothing is broken.
    package var cautions: [String]
    /// Since the present weight began to bake.
    package var service: Side
    package var monolith: Side
    /// Of the service's requests, those that are reads; nil in findings of older versions.
    package var serviceReads: Int?

    /// - Parameter step: what was seen since the present weight began to bake.
    package init(judgedAt: Date, breaches: [String], cautions: [String], step: GuardEvidence.Span) {
        let total = step.total
        self.init(
            judgedAt: judgedAt, breaches: breaches, cautions: cautions, service: total.service,
            monolith: total.monolith)
        serviceReads = step.endpoints.reduce(0) {
            EndpointEvidence.isWrite($1.key) ? $0 : $0 &+ $1.value.service.requests
        }
    }

    package init(
        judgedAt: Date, breaches: [String], cautions: [String], service: SideTraffic, monolith: SideTraffic
    ) {
        self.judgedAt = judgedAt
        self.breaches = breaches
        self.cautions = cautions
        self.service = Side(service)
        self.monolith = Side(monolith)
    }
}
