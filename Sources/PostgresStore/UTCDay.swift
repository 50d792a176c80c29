import Foundation
import PostgresClient

/// Days as Postgres writes them, in UTC: a replica's time zone must not decide which day something belongs to.
enum UTCDay {
    static let length: TimeInterval = 86_400

    /// `2026-11-21`.
    static func text(_ date: Date) -> String { String(PostgresTimestamp.text(date).prefix(10)) }
}
