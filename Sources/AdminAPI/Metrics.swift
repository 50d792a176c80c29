/// One metric and its samples, in the terms of Prometheus.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case counter, gauge
    }

    package struct Label: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Sample: Sendable, Equatable {
        package var labels: [Label]
        package var value: Double

        package init(labels: [Label] = [], value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    /// `strangler_requests_total`: letters, digits, `_` and `:`.
    package var name: String
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(name: String, help: String, kind: Kind, samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }
}

/// The Prometheus text exposition format, version 0.0.4. Label values come from traffic (endpoint templates,
/// reasons), so a quote or a line break in one must not become a sample of its own.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func render(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            let name = identifier(family.name)
            text += "# HELP \(name) \(escaped(family.help, quotes: false))\n# TYPE \(name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += name + labels(sample.labels) + " " + number(sample.value) + "\n"
            }
        }
        return text
    }

    private static func labels(_ labels: [MetricFamily.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { "\(identifier($0.name))=\"\(escaped($0.value, quotes: true))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    /// Backslash and line feed, in label values the quote too.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Anything that may not stand in a name becomes `_`.
    private static func identifier(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_", ":": result.unicodeScalars.append(scalar)
            case "0"..."9" where !result.isEmpty: result.unicodeScalars.append(scalar)
            default: result += "_"
            }
        }
        return result.isEmpty ? "_" : result
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Counters read better, and stay exact, as whole numbers.
        if let whole = Int(exactly: value) { return "\(whole)" }
        return "\(value)"
    }
}

/// Whether the proxy can do its work.
package struct Readiness: Sendable, Codable, Equatable {
    package struct Check: Sendable, Codable, Equatable {
        package var name: String
        package var ok: Bool
        package var detail: String

        package init(name: String, ok: Bool, detail: String) {
            self.name = name
            self.ok = ok
            self.detail = detail
        }
    }

    package var ready: Bool
    package var checks: [Check]

    package init(ready: Bool, checks: [Check]) {
        self.ready = ready
        self.checks = checks
    }
}
