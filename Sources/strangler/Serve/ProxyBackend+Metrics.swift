import AdminAPI
import Extraction
import ProxyServer
import Resilience
import Upstreams

extension ProxyBackend {
    /// Counters of this process since its start; evidence that Postgres holds is not repeated here.
    func metrics() async -> [MetricFamily] {
        let (counters, open) = await server.counters()
        let model = await keeper.model
        let names = model.slots.names
        let files = await configuration.report()
        let isFollowing = await keeper.isFollowing
        let states = await keeper.states
        return [
            family(
                "strangler_connections_total", "Client connections accepted.", .counter, Double(counters.connections)),
            family(
                "strangler_connections_refused_total", "Client connections turned away at the limit.", .counter,
                Double(counters.connectionsRefused)),
            family(
                "strangler_configuration_generation", "Configurations loaded since the start, the first among them.",
                .gauge, Double(files.generation)),
            family(
                "strangler_configuration_current", "Whether the files on disk are what is running.", .gauge,
                files.current ? 1 : 0),
            family("strangler_connections_open", "Client connections open now.", .gauge, Double(open)),
            family(
                "strangler_requests_refused_total", "Requests refused as malformed, too large or too slow.", .counter,
                Double(counters.refused)),
            family(
                "strangler_client_aborts_total", "Clients that left before their answer was complete.", .counter,
                Double(counters.clientAborts)),
            family(
                "strangler_upgraded_total", "Connections that became tunnels (WebSocket).", .counter,
                Double(counters.upgraded)),
            family(
                "strangler_accept_failures_total", "Connections that could not be accepted.", .counter,
                Double(counters.acceptFailures)),
            family(
                "strangler_overdue_exchanges_total", "Exchanges that took longer than an exchange may.", .counter,
                Double(counters.overdue)),
            family("strangler_postgres_up", "Whether Postgres answers.", .gauge, isFollowing ? 1 : 0),
            MetricFamily(
                name: "strangler_requests_total", help: "Requests by extraction and the side that was asked first.",
                kind: .counter, samples: requests(counters, names)),
            MetricFamily(
                name: "strangler_fallbacks_total", help: "Requests that the monolith answered in the service's place.",
                kind: .counter, samples: fallbacks(counters, names)),
            MetricFamily(
                name: "strangler_upstream_errors_total", help: "Requests that no upstream answered.", kind: .counter,
                samples: perExtraction(counters, names) { Double($0.upstreamErrors) }),
            MetricFamily(
                name: "strangler_origin_errors_total",
                help: "Answers 502, 503 and 504 that were an upstream's own and were passed on.", kind: .counter,
                samples: perExtraction(counters, names) { Double($0.originErrors) }),
            MetricFamily(
                name: "strangler_shadowed_total", help: "Requests handed to the shadow.", kind: .counter,
                samples: perExtraction(counters, names) { Double($0.shadowed) }),
            MetricFamily(
                name: "strangler_weight_percent", help: "Share of keys that the service answers.", kind: .gauge,
                samples: model.definitions.compactMap { states[$0.name] }.sorted { $0.name < $1.name }.map {
                    .init(labels: [.init("extraction", $0.name)], value: $0.weight.percent)
                }),
        ] + (await machineMetrics()) + (await writeMetrics()) + upstreamMetrics(await server.upstreams())
    }

    private func upstreamMetrics(_ upstreams: [UpstreamStatus]) -> [MetricFamily] {
        func endpoints(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: (UpstreamStatus.Endpoint) -> Int
        ) -> MetricFamily {
            let samples = upstreams.flatMap { upstream in
                upstream.endpoints.map { endpoint in
                    MetricFamily.Sample(
                        labels: [.init("upstream", upstream.name), .init("endpoint", endpoint.address)],
                        value: Double(value(endpoint)))
                }
            }
            return MetricFamily(name: name, help: help, kind: kind, samples: samples)
        }
        func each(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: (UpstreamStatus) -> Int
        ) -> MetricFamily {
            MetricFamily(
                name: name, help: help, kind: kind,
                samples: upstreams.map { .init(labels: [.init("upstream", $0.name)], value: Double(value($0))) })
        }
        return [
            endpoints("strangler_endpoint_unhealthy", "Whether active health checks fail.", .gauge) {
                $0.health == .unhealthy ? 1 : 0
            },
            endpoints(
                "strangler_endpoint_ejected_loops", "Event loops that leave the endpoint alone after failures.", .gauge
            ) { $0.ejectedOnLoops },
            endpoints("strangler_endpoint_active_requests", "Requests under way.", .gauge) { $0.activeRequests },
            endpoints("strangler_endpoint_connections", "Connections, idle ones among them.", .gauge) {
                $0.connections
            },
            endpoints("strangler_endpoint_faults_total", "Requests and connections that failed there.", .counter) {
                $0.faults
            },
            each("strangler_upstream_pending", "Requests that wait for a connection.", .gauge) { $0.pending },
            each("strangler_upstream_open_breakers", "Event loops whose circuit breaker keeps requests away.", .gauge) {
                $0.openBreakers
            },
            each("strangler_upstream_resolution_failures_total", "Look-ups of names that failed.", .counter) {
                $0.failedResolutions
            },
        ]
    }

    private func family(_ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: Double) -> MetricFamily {
        MetricFamily(name: name, help: help, kind: kind, samples: [.init(value: value)])
    }

    private func perExtraction(
        _ counters: TrafficCounters, _ names: [String], _ value: (TrafficCounters.PerExtraction) -> Double
    ) -> [MetricFamily.Sample] {
        [.init(labels: [.init("extraction", "")], value: value(counters.unmatched))]
            + zip(names, counters.extractions).map { .init(labels: [.init("extraction", $0)], value: value($1)) }
    }

    private func requests(_ counters: TrafficCounters, _ names: [String]) -> [MetricFamily.Sample] {
        func sample(_ name: String, _ side: Side, _ count: Int) -> MetricFamily.Sample {
            .init(labels: [.init("extraction", name), .init("side", side.description)], value: Double(count))
        }
        return [sample("", .monolith, counters.unmatched.toMonolith)]
            + zip(names, counters.extractions).flatMap { name, counts in
                [sample(name, .monolith, counts.toMonolith), sample(name, .service, counts.toService)]
            }
    }

    private func fallbacks(_ counters: TrafficCounters, _ names: [String]) -> [MetricFamily.Sample] {
        zip(names, counters.extractions).flatMap { name, counts in
            zip(FallbackReason.allCases, counts.fellBack).map { reason, count in
                .init(labels: [.init("extraction", name), .init("reason", reason.rawValue)], value: Double(count))
            }
        }
    }
}
