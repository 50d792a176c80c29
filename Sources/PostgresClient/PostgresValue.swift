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
        if case .null = self { return nil }
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// The same behind what is there already; nothing for null.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .text(let text): Self.append(text, to: &bytes)
        case .int(let value): Self.append(value, to: &bytes)
        case .double(let value): bytes.append(contentsOf: Self.text(of: value).utf8)
        case .bool(let value): bytes.append(value ? 0x74 : 0x66)
        case .timestamp(let date): bytes.append(contentsOf: PostgresTimestamp.text(date).utf8)
        case .bytes(let value): Self.appendHex(value, to: &bytes)
        case .textArray(let items): Self.appendArray(items, to: &bytes, Self.appendQuoted)
        case .intArray(let items): Self.appendArray(items, to: &bytes, Self.append)
        case .timestampArray(let items):
            Self.appendArray(items, to: &bytes) { Self.appendQuoted(PostgresTimestamp.text($0), to: &$1) }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let utf8 = text.utf8
        if utf8.contains(0) {
            for byte in utf8 { if byte == 0 { bytes.append(contentsOf: replacement) } else { bytes.append(byte) } }
        } else {
            bytes.append(contentsOf: utf8)
        }
    }

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    private static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(0x2D) }
        let start = bytes.count
        repeat {
            bytes.append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return String(value)
    }

    private static func appendHex(_ value: [UInt8], to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + 2 + value.count * 2)
        bytes.append(0x5C)
        bytes.append(0x78)
        for byte in value {
            bytes.append(digit(byte >> 4))
            bytes.append(digit(byte & 15))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func appendArray<Item>(
        _ items: [Item], to bytes: inout [UInt8], _ append: (Item, inout [UInt8]) -> Void
    ) {
        bytes.append(0x7B)
        var isFirst = true
        for item in items {
            if !isFirst { bytes.append(0x2C) }
            isFirst = false
            append(item, &bytes)
        }
        bytes.append(0x7D)
    }

    /// Every text is quoted (`{"a","b\"c",NULL}`), so that one that reads `NULL` or `}` stays what it is.
    private static func appendQuoted(_ text: String?, to bytes: inout [UInt8]) {
        guard let text else { return bytes.append(contentsOf: "NULL".utf8) }
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0: bytes.append(contentsOf: replacement)
            case 0x22, 0x5C:
                bytes.append(0x5C)
                bytes.append(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}

/// The parameters of one statement as C strings in one allocation.
struct EncodedParameters {
    private var bytes: [UInt8] = []
    private var offsets: [Int?] = []

    init(_ values: [PostgresValue]) {
        offsets.reserveCapacity(values.count)
        for value in values {
            if case .null = value {
                offsets.append(nil)
                continue
            }
            offsets.append(bytes.count)
            value.append(to: &bytes)
            bytes.append(0)
        }
    }

    /// The pointers live as long as the call.
    func withPointers<Result>(_ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            let characters = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            return body(offsets.map { offset in offset.flatMap { characters?.advanced(by: $0) } })
        }
    }
}
