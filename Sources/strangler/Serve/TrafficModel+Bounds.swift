import Extraction
import HTTPWire
import NIOCore
import ProxyConfiguration
import ProxyServer
import Resilience
import Upstreams

// What the files say of limits, times and upstreams, in the words of the modules that keep to it.

extension ProxySettings {
    init(_ configuration: ProxyConfiguration) {
        let timeouts = configuration.timeouts
        let limits = configuration.limits
        self.init(
            upstream: UpstreamTimeouts(
                connect: TimeAmount(timeouts.connect), firstByte: TimeAmount(timeouts.firstByte),
                idle: TimeAmount(timeouts.body), keepAlive: TimeAmount(timeouts.idle)),
            head: TimeAmount(timeouts.head), idle: TimeAmount(timeouts.idle),
            trustedProxies: configuration.trustedProxies.compactMap(AddressRange.init),
            heads: HeadLimits(head: limits.head, field: limits.field, fields: limits.fields),
            bodyLimit: limits.body, connections: limits.connections)
        body = TimeAmount(timeouts.body)
        exchange = timeouts.exchange.map(TimeAmount.init)
        buffer = limits.buffer
        recording = TimeAmount(configuration.spool.wait)
    }
}

extension UpstreamSettings {
    init(monolithOf configuration: ProxyConfiguration) {
        self.init(configuration.monolith, name: "monolith", configuration)
    }

    init(_ extraction: ExtractionConfiguration, _ configuration: ProxyConfiguration) {
        self.init(extraction.service, name: extraction.definition.name, configuration)
    }

    private init(_ definition: UpstreamDefinition, name: String, _ configuration: ProxyConfiguration) {
        self.init(name: name, addresses: definition.addresses.map(UpstreamAddress.init))
        balancing = definition.balancing == .roundRobin ? .roundRobin : .leastRequests
        resolveEvery = TimeAmount(definition.resolveInterval)
        health = definition.health.map(HealthCheckSettings.init)
        outlier = definition.outlier.map(OutlierDetection.Limits.init)
        breaker = definition.breaker.map(CircuitBreaker.Limits.init)
        retries = RetryBudget.Limits(percent: configuration.retry.budgetPercent, minimum: configuration.retry.atLeast)
        connections = definition.connections
        pending = definition.pending
        buffer = configuration.limits.buffer
    }
}

extension HealthCheckSettings {
    fileprivate init(_ definition: HealthDefinition) {
        self.init(
            path: definition.path, timeout: TimeAmount(definition.timeout),
            limits: HealthCheck.Limits(
                interval: TimeAmount(definition.interval).nanoseconds, unhealthyAfter: definition.unhealthy,
                healthyAfter: definition.healthy))
    }
}

extension OutlierDetection.Limits {
    fileprivate init(_ definition: OutlierDefinition) {
        self.init(
            consecutiveFailures: definition.failures, base: TimeAmount(definition.ejection).nanoseconds,
            longest: TimeAmount(definition.longest).nanoseconds)
    }
}

extension CircuitBreaker.Limits {
    fileprivate init(_ definition: BreakerDefinition) {
        self.init(
            window: BreakerDefinition.window, minimumCalls: definition.calls,
            failurePercent: definition.failurePercent, slowPercent: definition.slowPercent,
            slowAfter: TimeAmount(definition.slowAfter).nanoseconds, openFor: TimeAmount(definition.open).nanoseconds,
            probes: definition.probes)
    }
}

extension ProxyServer.ListenOptions {
    init(_ definition: ListenerDefinition) {
        self.init(proxyProtocol: definition.proxyProtocol.compactMap(AddressRange.init))
    }
}
