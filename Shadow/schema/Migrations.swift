/// One step of the store's schema. What has been released is never edited: a correction is the next number.
package struct Migration: Sendable, Hashable {
    package let number: Int
    package let name: String
    package let sql: String

    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

/// The SQL files beside this one, in the order in which they are applied. They are part of the program, so that no
/// path has to be right at run time.
package let migrations: [Migration] = [
    Migration(number: 1, name: "001_stages", sql: text(PackageResources._01_stages_sql)),
    Migration(number: 2, name: "002_evidence", sql: text(PackageResources._02_evidence_sql)),
    Migration(number: 3, name: "003_evidence_depth", sql: text(PackageResources._03_evidence_depth_sql)),
    Migration(number: 4, name: "004_machine", sql: text(PackageResources._04_machine_sql)),
    Migration(number: 5, name: "005_ledger", sql: text(PackageResources._05_ledger_sql)),
    Migration(number: 6, name: "006_decisions", sql: text(PackageResources._06_decisions_sql)),
]

/// `Shadow/orders.yaml`, for the demo.
package let demoRules = text(PackageResources.orders_yaml)

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
