package import Routing

/// One thing that is wrong in a file, for the person who wrote it.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package let location: SourceLocation
    /// What is wrong.
    package let message: String
    /// What was expected, or what to do.
    package let fix: String?

    package init(location: SourceLocation, message: String, fix: String? = nil) {
        self.location = location
        self.message = message
        self.fix = fix
    }

    /// `Routes/orders.yaml:9:5: what is wrong (what to do)`, one line.
    package var description: String {
        let text = "\(location): \(message)" + (fix.map { " (\($0))" } ?? "")
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}

/// Everything that is wrong in a configuration, at once.
package struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
    /// In the order of file, line and column, none twice; at least one.
    package let errors: [ConfigurationError]

    package init(errors: [ConfigurationError]) {
        self.errors = Set(errors).sorted {
            $0.location != $1.location ? $0.location < $1.location : $0.message < $1.message
        }
    }

    package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Collects what is wrong while reading goes on, so that all of it is told at once.
final class Diagnostics {
    private(set) var errors: [ConfigurationError] = []

    func report(_ message: String, fix: String? = nil, at location: SourceLocation) {
        errors.append(ConfigurationError(location: location, message: message, fix: fix))
    }
}
