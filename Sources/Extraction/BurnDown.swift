package import FoundationEssentials

/// Who answers how much of the traffic, and what is left: the number that goes to zero. Pure.
package struct BurnDown: Sendable, Codable, Equatable {
    /// The monolith for what no extraction takes, or one extraction.
    package struct Owner: Sendable, Codable, Equatable {
        /// Nil for the monolith's catch-all.
        package var extraction: String?
        /// Nil for the catch-all, and for an extraction that no route file defines any more.
        package var stage: Stage?
        package var day: Span
        package var week: Span
    }

    /// Of one owner, in one span of time.
    package struct Span: Sendable, Codable, Equatable {
        package var requests: Int
        /// Of `requests`, those that the service was asked.
        package var service: Int
        /// Of everything that clients asked for, 0…1; nil of nothing.
        package var share: Double?
    }

    /// What the monolith still answered in one week, or in the days of it that were counted.
    package struct Point: Sendable, Codable, Equatable {
        package var ended: Date
        package var requests: Int
        package var monolith: Int

        package init(ended: Date, requests: Int, monolith: Int) {
            self.ended = ended
            self.requests = requests
            self.monolith = monolith
        }

        /// 0…1; nil of nothing.
        package var left: Double? { requests > 0 ? Double(monolith) / Double(requests) : nil }
    }

    /// An endpoint of the monolith that nobody has asked for in a long time.
    package struct Unused: Sendable, Codable, Equatable {
        package var endpoint: String
        /// Nil where no extraction takes it.
        package var extraction: String?
        package var last: Date
        /// As far back as is known.
        package var requests: Int

        package init(endpoint: String, extraction: String?, last: Date, requests: Int) {
            self.endpoint = endpoint
            self.extraction = extraction
            self.last = last
            self.requests = requests
        }
    }

    /// Nil before anything was counted.
    package var countingSince: Date?
    /// The share of the last day's requests that the monolith answered, 0…1; of the last week's where the day had none.
    package var left: Double?
    /// By weeks, the oldest first; the last one ends now.
    package var course: [Point]
    /// The catch-all first, then the extractions in the order of their names.
    package var owners: [Owner]
    /// Seconds.
    package var unusedFor: Double
    /// The longest unused first; nil where less has been counted than `unusedFor`.
    package var unused: [Unused]?
}

extension BurnDown {
    /// How many requests of an extraction, or with an empty name of what none takes, each side was asked.
    package struct Total: Sendable, Equatable {
        package var extraction: String
        package var monolith: Int
        package var service: Int

        package init(extraction: String, monolith: Int, service: Int) {
            self.extraction = extraction
            self.monolith = monolith
            self.service = service
        }
    }

    /// - Parameters:
    ///   - stages: of all extractions that route files define.
    ///   - endpoints: what the monolith was ever asked for, as far back as is known.
    ///   - unusedFor: seconds.
    package init(
        countingSince: Date?, day: [Total], week: [Total], course: [Point], stages: [String: Stage],
        endpoints: [Unused], unusedFor: Double, now: Date
    ) {
        let names = Set(stages.keys).union((day + week).map(\.extraction)).subtracting([""]).sorted()
        let spans = (Spans(day), Spans(week))
        owners = ([""] + names).map { name in
            Owner(
                extraction: name.isEmpty ? nil : name, stage: stages[name], day: spans.0.span(of: name),
                week: spans.1.span(of: name))
        }.filter { $0.extraction == nil || $0.stage != nil || $0.week.requests > 0 || $0.day.requests > 0 }
        left = spans.0.left ?? spans.1.left
        self.course = course
        self.countingSince = countingSince
        self.unusedFor = unusedFor
        let bound = now.addingTimeInterval(-unusedFor)
        if let countingSince, countingSince <= bound {
            unused = endpoints.filter { $0.last < bound }.sorted { ($0.last, $0.endpoint) < ($1.last, $1.endpoint) }
        } else {
            unused = nil
        }
    }

    private struct Spans {
        private var totals: [String: Total] = [:]
        private var requests = 0
        private var monolith = 0

        init(_ list: [Total]) {
            for total in list {
                totals[total.extraction, default: Total(extraction: total.extraction, monolith: 0, service: 0)]
                    .add(total)
                requests &+= total.monolith &+ total.service
                monolith &+= total.monolith
            }
        }

        var left: Double? { requests > 0 ? Double(monolith) / Double(requests) : nil }

        func span(of name: String) -> Span {
            let total = totals[name] ?? Total(extraction: name, monolith: 0, service: 0)
            let own = total.monolith &+ total.service
            return Span(
                requests: own, service: total.service, share: requests > 0 ? Double(own) / Double(requests) : nil)
        }
    }

    /// `100% → 92% → 61%`; empty before anything was counted. Weeks without a request are left out.
    package var courseSaid: String {
        course.compactMap(\.left).map(readablePart).joined(separator: " → ")
    }
}

extension BurnDown.Total {
    fileprivate mutating func add(_ other: BurnDown.Total) {
        monolith &+= other.monolith
        service &+= other.service
    }
}
