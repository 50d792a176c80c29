import DualWrite
import Spool

/// What Postgres keeps of writes that wait for a person is encrypted where the spool is, and with its key.
extension LedgerFiles {
    /// What may be stored. Nothing goes there in the clear because it could not be encrypted: then it stays in the spool.
    func sealed(_ rows: [LedgerRow]) throws(PayloadSeal.Problem) -> [LedgerRow] {
        guard let key else { return rows }
        var rows = rows
        for (place, row) in rows.enumerated() {
            guard let payload = row.payload else { continue }
            rows[place].payload = try PayloadSeal.seal(payload, of: row.id, with: key)
        }
        return rows
    }
}
