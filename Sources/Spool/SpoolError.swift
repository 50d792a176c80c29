/// Why a spool cannot be opened, read or moved on. What an append is refused for is a ``LogRefusal``.
package struct SpoolError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Another process has it.
        case locked
        /// Bytes that are not what was written; see ``SpoolDamage``.
        case damaged
        /// The key is missing, another one, or readable for others.
        case key
        /// A system call failed.
        case system
        /// `close()` was called before.
        case closed
    }

    package let code: Code
    /// One or more sentences for whoever runs the proxy.
    package let message: String
    package let damage: SpoolDamage?
    package let failure: SystemFailure?

    init(_ code: Code, _ message: String, damage: SpoolDamage? = nil) {
        self.code = code
        self.message = message
        self.damage = damage
        failure = nil
    }

    init(_ failure: SystemFailure) {
        code = .system
        message = failure.description
        damage = nil
        self.failure = failure
    }

    init(_ damage: SpoolDamage) { self.init(.damaged, damage.description, damage: damage) }

    package var description: String { message }
}

/// Where a spool is not as it was written, what is known about it, and what can be done.
package struct SpoolDamage: Error, Sendable, Equatable, CustomStringConvertible {
    package let file: String
    /// In bytes.
    package let offset: Int
    package let expected: String
    package let found: String
    /// Intact records before the place, in this spool's segments from the oldest on.
    package let recordsBefore: Int
    /// What the operator can do.
    package let advice: String

    package var description: String {
        let fine =
            "\(recordsBefore) \(recordsBefore == 1 ? "record" : "records") before it \(recordsBefore == 1 ? "is" : "are") intact"
        return "\(file) is damaged at byte \(offset): expected \(expected), found \(found); \(fine). "
            + "Nothing was changed. \(advice)"
    }

    /// For damage within segments.
    static let repairAdvice = """
        If a copy of the file exists, put it in its place. Otherwise `strangler spool repair` keeps a copy of the damaged bytes \
        beside the segment and goes on without them; writes whose records were there are then reconciled by hand.
        """
}

/// Runs what may fail by a system call.
func system<Value>(_ body: () throws(SystemFailure) -> Value) throws(SpoolError) -> Value {
    do throws(SystemFailure) { return try body() } catch { throw SpoolError(error) }
}
