import ArgumentParser
import Foundation

/// `name=value` on a command line, for a query; neither is percent-encoded.
struct QueryField: ExpressibleByArgument, Sendable, Equatable {
    var name: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
        name = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

/// `Name: value` on a command line, as RFC 9110 §5 allows it in a request.
struct RequestField: ExpressibleByArgument, Codable, Sendable, Equatable {
    var name: String
    var value: String

    init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        name = String(parts[0])
        value = parts[1].trimmingCharacters(in: .whitespaces)
        guard isSendable else { return nil }
    }

    /// A token for a name, no control characters in the value.
    var isSendable: Bool {
        !name.isEmpty && name.utf8.allSatisfy { Self.tokenBytes.contains($0) }
            && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    private static let tokenBytes = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
}
