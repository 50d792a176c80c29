import AdminAPI
import DualWrite
import Extraction
import Foundation
import PostgresStore
import ShadowRunner

// Writes that go to both sides, for dashboards and alarms.
extension ProxyBackend {
    /// Of this process, and of all what Postgres knows.
    func writeMetrics() async -> [MetricFamily] {
        let ledger = keeper.ledger
        let definitions = await keeper.model.definitions.filter { $0.writes == .dualWrite }.map(\.name).sorted()
        let standings = await ledger.standings()
        let counts = await shadow.ledgerCounts()
        let conflicts = ledger.identities.counts.conflictsOf
        let now = keeper.store.clock.now
        let stored = await storedStandings(definitions)
        func each(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind = .gauge, _ value: (String) -> Int?
        ) -> MetricFamily {
            MetricFamily(
                name: name, help: help, kind: kind,
                samples: definitions.compactMap { extraction in
                    value(extraction).map { .init(labels: [.init("extraction", extraction)], value: Double($0)) }
                })
        }
        func owed(_ name: String, _ help: String, _ value: (LedgerStanding.Owed) -> Double) -> MetricFamily {
            MetricFamily(
                name: name, help: help, kind: .gauge,
                samples: definitions.flatMap { extraction in
                    [Side.monolith, .service].map { side in
                        .init(
                            labels: [.init("extraction", extraction), .init("to", side.description)],
                            value: value(standings[extraction]?[side] ?? .init()))
                    }
                })
        }
        return [
            owed("strangler_writes_owed", "Writes of this proxy that one side has and the other has not got yet.") {
                Double($0.writes)
            },
            owed("strangler_writes_owed_oldest_seconds", "Since the oldest of them was received; 0 without one.") {
                Replica.ServedState.Owed($0, now: now).seconds
            },
            each("strangler_writes_under_way", "Writes whose primary has not answered yet.") {
                standings[$0]?.underWay ?? 0
            },
            each("strangler_writes_paused", "Owed writes that wait for a circuit breaker, or for an identity.") {
                standings[$0]?.paused ?? 0
            },
            outcomes(counts, of: definitions),
            each(
                "strangler_writes_delivered_possibly_twice_total",
                "Of those delivered, where an attempt before the last may have been carried out.", .counter
            ) { counts[$0]?.possiblyTwice ?? 0 },
            each(
                "strangler_writes_attempts_failed_total", "Deliveries that failed and count against the limit.",
                .counter
            ) { counts[$0]?.retried ?? 0 },
            each(
                "strangler_writes_postponed_total", "Deliveries that failed because the other side was away.", .counter
            ) { counts[$0]?.postponed ?? 0 },
            unrecorded(keeper.gaps.counts),
            each(
                "strangler_identity_conflicts_total",
                "Pairs of identities that contradicted a known one and were not taken.", .counter
            ) { conflicts[$0] ?? 0 },
            MetricFamily(
                name: "strangler_writes_undrained_bytes", help: "Of the spools: what Postgres has not got yet.",
                kind: .gauge, samples: [.init(value: Double(ledger.undrained))]),
            each("strangler_writes_dead", "Writes of all proxies that were given up and wait for a person.") {
                stored[$0]?.dead
            },
            each("strangler_writes_uncertain", "Writes of all proxies of which nobody knows the outcome.") {
                stored[$0]?.uncertain
            },
            each("strangler_writes_lost", "Owed writes in spools that no running proxy holds.") { stored[$0]?.lost },
        ]
    }

    /// Writes that could not be on record.
    private func unrecorded(_ counts: LedgerGaps.Counted) -> MetricFamily {
        func samples(_ counts: [String: [String: Int]], _ end: String) -> [MetricFamily.Sample] {
            counts.sorted { $0.key < $1.key }.flatMap { extraction, reasons in
                reasons.sorted { $0.key < $1.key }.map { reason, count in
                    MetricFamily.Sample(
                        labels: [
                            .init("extraction", extraction), .init("reason", reason), .init("end", end),
                        ], value: Double(count))
                }
            }
        }
        return MetricFamily(
            name: "strangler_writes_unrecorded_total",
            help: "Writes that could not be on record first: served by their primary alone, or refused.",
            kind: .counter,
            samples: samples(counts.served, "served") + samples(counts.refused, "refused"))
    }

    /// What has become of writes since the start of the process.
    private func outcomes(_ counts: [String: LedgerCounts], of definitions: [String]) -> MetricFamily {
        MetricFamily(
            name: "strangler_writes_total", help: "Writes of this proxy that have come to their end, by which.",
            kind: .counter,
            samples: definitions.flatMap { extraction -> [MetricFamily.Sample] in
                let count = counts[extraction] ?? LedgerCounts()
                let ends = [
                    ("settled", count.delivered), ("refused-by-primary", count.refusedByPrimary),
                    ("never-sent", count.neverSent), ("dead", count.dead.values.reduce(0, +)),
                    ("uncertain", count.uncertain),
                ]
                return ends.map { end, value in
                    MetricFamily.Sample(
                        labels: [.init("extraction", extraction), .init("end", end)], value: Double(value))
                }
            })
    }

    private func storedStandings(_ names: [String]) async -> [String: DualWriteReport] {
        await standings.value(maximumAge: .seconds(10)) {
            guard let store = try? store.answering(), let replicas = try? await store.replicas() else { return [:] }
            let held = await keeper.heldSpools(replicas)
            var found: [String: DualWriteReport] = [:]
            for name in names {
                guard let stored = try? await store.writeStanding(extraction: name) else { continue }
                var report = DualWriteReport()
                report.add(stored, held: held, now: Date())
                found[name] = report
            }
            return found
        }
    }
}
