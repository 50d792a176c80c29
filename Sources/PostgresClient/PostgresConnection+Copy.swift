import CLibPQ

extension PostgresConnection {
    /// Loads rows with `COPY … FROM STDIN` in text format (PostgreSQL manual, COPY, "Text Format") and returns how many
    /// the server took. `sql` names the table and columns: `COPY t (a, b) FROM STDIN`.
    @discardableResult
    package func copyIn(_ sql: String, rows: some Sequence<[PostgresValue]> & Sendable) throws(PostgresError) -> Int {
        let connection = try opened()
        guard PQsendQuery(connection, sql) == 1 else { throw lost() }
        let start = try finish()
        guard start.status == PGRES_COPY_IN else {
            throw PostgresError(.invalidArgument, "not a COPY … FROM STDIN: \(sql.prefix(60))")
        }
        var buffer: [UInt8] = []
        for row in rows {
            Self.appendLine(row, to: &buffer)
            if buffer.count >= 1 << 16 {
                try put(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try put(buffer)
        while true {
            switch PQputCopyEnd(connection, nil) {
            case 1: return try self.rows(of: finish()).affected
            case 0: try flush(until: .now.advanced(by: .milliseconds(options.deadline)))
            default: throw lost()
            }
        }
    }

    private func put(_ bytes: [UInt8]) throws(PostgresError) {
        guard !bytes.isEmpty else { return }
        let connection = try opened()
        while true {
            let taken = bytes.withUnsafeBytes { raw in
                PQputCopyData(
                    connection, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: raw.count))
            }
            switch taken {
            case 1: return
            case 0: try flush(until: .now.advanced(by: .milliseconds(options.deadline)))
            default: throw lost()
            }
        }
    }

    /// Backslash, tab, newline and carriage return are what the format itself uses; `\N` is null.
    static func appendLine(_ row: [PostgresValue], to buffer: inout [UInt8]) {
        for (index, value) in row.enumerated() {
            if index > 0 { buffer.append(0x09) }
            guard let encoded = value.encoded else {
                buffer.append(contentsOf: [0x5C, 0x4E])
                continue
            }
            for byte in encoded {
                switch byte {
                case 0x5C: buffer.append(contentsOf: [0x5C, 0x5C])
                case 0x09: buffer.append(contentsOf: [0x5C, 0x74])
                case 0x0A: buffer.append(contentsOf: [0x5C, 0x6E])
                case 0x0D: buffer.append(contentsOf: [0x5C, 0x72])
                default: buffer.append(byte)
                }
            }
        }
        buffer.append(0x0A)
    }
}
