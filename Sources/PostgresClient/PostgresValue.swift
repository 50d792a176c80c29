package import Foundation

/// A parameter of a statement, or a cell of a COPY. Values travel beside the statement, in text format, never in it.
///
/// Postgres text cannot hold U+0000; it is replaced by U+FFFD here, in the one place that every value passes, because
/// recorded traffic contains it and one such string must not fail a whole batch.
package enum PostgresValue: Sendable, Hashable {
    case null
    case text(String)
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case timestamp(Date)
    case bytes([UInt8])
    case textArray([String?])
    case intArray([Int64])
    case timestampArray([Date])

    package static func int(_ value: Int) -> Self { .int(Int64(value)) }

    /// `.null` for nil.
    package static func text(optional value: String?) -> Self { value.map { .text($0) } ?? .null }

    /// `.null` for nil.
    package static func timestamp(optional value: Date?) -> Self { value.map { .timestamp($0) } ?? .null }

    /// Postgres's text format of the value, without NUL bytes; nil for null.
    var encoded: [UInt8]? {
        switch self {
        case .null: nil
        case .text(let text): Self.withoutNUL(text)
        case .int(let value): Array(String(value).utf8)
        case .double(let value): Array(Self.text(of: value).utf8)
        case .bool(let value): value ? [0x74] : [0x66]
        case .timestamp(let date): Array(PostgresTimestamp.text(date).utf8)
        case .bytes(let bytes): Self.hex(bytes)
        case .textArray(let items): Self.array(items.map { $0.map(Self.withoutNUL) })
        case .intArray(let items): Self.array(items.map { Array(String($0).utf8) })
        case .timestampArray(let items): Self.array(items.map { Array(PostgresTimestamp.text($0).utf8) })
        }
    }

    private static func withoutNUL(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte == 0 {
                bytes.append(contentsOf: [0xEF, 0xBF, 0xBD])
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return String(value)
    }

    private static func hex(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = [0x5C, 0x78]
        text.reserveCapacity(2 + bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// `{"a","b\"c",NULL}`: every item is quoted, so that an item that reads `NULL` or `}` stays what it is.
    private static func array(_ items: [[UInt8]?]) -> [UInt8] {
        var text: [UInt8] = [0x7B]
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(0x2C) }
            guard let item else {
                text.append(contentsOf: "NULL".utf8)
                continue
            }
            text.append(0x22)
            for byte in item {
                if byte == 0x22 || byte == 0x5C { text.append(0x5C) }
                text.append(byte)
            }
            text.append(0x22)
        }
        text.append(0x7D)
        return text
    }
}

/// The parameters of one statement as C strings in one allocation.
struct EncodedParameters {
    private var bytes: [CChar] = []
    private var offsets: [Int?] = []

    init(_ values: [PostgresValue]) {
        offsets.reserveCapacity(values.count)
        for value in values {
            guard let encoded = value.encoded else {
                offsets.append(nil)
                continue
            }
            offsets.append(bytes.count)
            bytes.append(contentsOf: encoded.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
    }

    /// The pointers live as long as the call.
    func withPointers<Result>(_ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            body(offsets.map { offset in offset.flatMap { buffer.baseAddress?.advanced(by: $0) } })
        }
    }
}
