/// What a change of a contract does to those who speak by the old one.
package enum ChangeEffect: String, Sendable, Hashable, Codable {
    case breaking, compatible
}

/// One difference between two versions of a contract.
package struct ContractChange: Sendable, Hashable, Codable {
    /// `GET /orders/{id} 200 application/json $.items[*].price`
    package let place: String
    package let effect: ChangeEffect
    /// What is otherwise now.
    package let sentence: String

    package init(place: String, effect: ChangeEffect, sentence: String) {
        self.place = place
        self.effect = effect
        self.sentence = sentence
    }
}

/// Which part of a version a change has to raise (semver.org 2.0.0 §6 to §8).
package enum VersionStep: String, Sendable, Hashable, Codable, Comparable {
    case none, patch, minor, major

    private var rank: Int {
        switch self {
        case .none: 0
        case .patch: 1
        case .minor: 2
        case .major: 3
        }
    }

    package static func < (left: VersionStep, right: VersionStep) -> Bool { left.rank < right.rank }
}

/// A version such as `1.4.2`; also `v1.4` and `2`, whose missing numbers are 0.
package struct SemanticVersion: Sendable, Hashable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int

    package init(major: Int, minor: Int, patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Pre-release and build (`-rc.1+5`) are left out; nil for what is no version.
    package init?(parsing text: String) {
        let core = (text.first == "v" ? text.dropFirst() : text[...]).prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false).map { part in
            part.allSatisfy { $0.isASCII && $0.isNumber } && part.count <= 9 ? Int(part) : nil
        }
        guard (1...3).contains(parts.count), let major = parts[0] else { return nil }
        // `2024-10` is a date.
        guard parts.count == 3 || !text.contains("-") else { return nil }
        var numbers = [major]
        for part in parts.dropFirst() {
            guard let part else { return nil }
            numbers.append(part)
        }
        numbers += [0, 0]
        self.init(major: numbers[0], minor: numbers[1], patch: numbers[2])
    }

    package var description: String { "\(major).\(minor).\(patch)" }

    /// The next version after changes of this weight. Before 1.0.0 anything may change with the second number
    /// (semver.org 2.0.0 §4; so do the package managers that read it).
    package func raised(by step: VersionStep) -> SemanticVersion {
        switch step {
        case .none: self
        case .patch: SemanticVersion(major: major, minor: minor, patch: patch + 1)
        case .minor: SemanticVersion(major: major, minor: minor + 1, patch: 0)
        case .major where major == 0: SemanticVersion(major: 0, minor: minor + 1, patch: 0)
        case .major: SemanticVersion(major: major + 1, minor: 0, patch: 0)
        }
    }

    /// Whether a later version says that so much has changed.
    package func isRaised(to other: SemanticVersion, byAtLeast step: VersionStep) -> Bool {
        let (next, now) = (raised(by: step), other)
        return (now.major, now.minor, now.patch) >= (next.major, next.minor, next.patch)
    }
}

/// Everything that differs between two versions of a contract.
package struct ContractDiff: Sendable {
    /// Breaking ones first, each kind in the order of places; at most ``maximumChanges``.
    package let changes: [ContractChange]
    /// Changes that were found and are not listed.
    package let omitted: Int
    package let oldVersion: String
    package let newVersion: String
    /// How much the version has to rise.
    package let step: VersionStep

    package static let maximumChanges = 1_000

    package var isBreaking: Bool { step == .major }

    /// What the version should become; nil if the old one is no version.
    package var wanted: SemanticVersion? { SemanticVersion(parsing: oldVersion)?.raised(by: step) }

    /// Whether the new document's version says what has changed.
    package var isAnnounced: Bool {
        guard let old = SemanticVersion(parsing: oldVersion), let new = SemanticVersion(parsing: newVersion) else {
            return step == .none
        }
        return old.isRaised(to: new, byAtLeast: step)
    }
}
