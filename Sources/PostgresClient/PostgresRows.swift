package import Foundation

/// The rows of one answer, copied out of libpq. Nothing here traps: a column that is absent, null or of another type
/// throws `PostgresError.Code.decoding`.
package struct PostgresRows: Sendable, RandomAccessCollection {
    package struct Row: Sendable {
        fileprivate let rows: PostgresRows
        fileprivate let index: Int
    }

    package let columns: [String]
    /// How many rows the statement changed or returned, as its command tag says.
    package let affected: Int
    private let cells: [String?]
    private let columnIndex: [String: Int]

    init(columns: [String], cells: [String?], affected: Int) {
        self.columns = columns
        self.cells = cells
        self.affected = affected
        columnIndex = Dictionary(columns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { columns.isEmpty ? 0 : cells.count / columns.count }
    package subscript(position: Int) -> Row { Row(rows: self, index: position) }

    fileprivate func cell(_ row: Int, _ column: String) throws(PostgresError) -> String? {
        guard let columnNumber = columnIndex[column] else {
            throw PostgresError(
                .decoding, "no column \(column) in the answer (it has \(columns.joined(separator: ", ")))")
        }
        let offset = row * columns.count + columnNumber
        guard cells.indices.contains(offset) else { throw PostgresError(.decoding, "no row \(row) in the answer") }
        return cells[offset]
    }
}

extension PostgresRows.Row {
    package func optionalText(_ column: String) throws(PostgresError) -> String? {
        try rows.cell(index, column)
    }

    package func text(_ column: String) throws(PostgresError) -> String {
        try required(column, "text") { $0 }
    }

    package func int(_ column: String) throws(PostgresError) -> Int {
        try required(column, "an integer") { Int($0) }
    }

    package func int64(_ column: String) throws(PostgresError) -> Int64 {
        try required(column, "an integer") { Int64($0) }
    }

    package func double(_ column: String) throws(PostgresError) -> Double {
        try required(column, "a number") { Double($0) }
    }

    package func bool(_ column: String) throws(PostgresError) -> Bool {
        try required(column, "a boolean") { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    package func timestamp(_ column: String) throws(PostgresError) -> Date {
        try required(column, "a timestamp", PostgresTimestamp.date)
    }

    package func optionalTimestamp(_ column: String) throws(PostgresError) -> Date? {
        try rows.cell(index, column) == nil ? nil : timestamp(column)
    }

    private func required<Value>(
        _ column: String, _ expected: String, _ convert: (String) -> Value?
    ) throws(PostgresError) -> Value {
        guard let cell = try rows.cell(index, column) else {
            throw PostgresError(.decoding, "column \(column) is null")
        }
        guard let value = convert(cell) else {
            throw PostgresError(.decoding, "column \(column) is not \(expected): \(cell.prefix(60))")
        }
        return value
    }
}
