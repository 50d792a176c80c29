/// Undoes the content codings of one whole body (RFC 9110 §8.4), within bounds that a hostile body cannot widen.
package enum ContentCoding {
    /// More than these on one body are nobody's intention. Each multiplies what a few bytes may cost.
    package static let maximumCodings = 4

    /// - Parameters:
    ///   - codings: as in the Content-Encoding field, in the order in which they were applied; they are undone from the last
    ///     to the first. Names are compared without case (RFC 9110 §8.4.1).
    ///   - limit: bytes that any of the decoded forms may have.
    /// - Returns: the body without codings. An empty body stays empty: answers to HEAD and 304 name the codings of a body
    ///   that they do not have.
    ///
    /// Memory: the result, half as much again while it grows; with several codings one intermediate form beside it; and a
    /// decoder's window: 32 KiB (gzip, deflate), up to 16 MiB (br), up to 8 MiB (zstd).
    package static func decoded(
        _ body: [UInt8], codings: [String], limit: Int
    ) throws(ContentCodingError) -> [UInt8] {
        guard !body.isEmpty else { return body }
        var undone: [(name: String, format: Format)] = []
        for name in codings where !isIdentity(name) {
            guard let format = Format(name) else { throw ContentCodingError(.unknown, coding: name) }
            guard undone.count < maximumCodings else { throw ContentCodingError(.tooMany, coding: name) }
            undone.append((name, format))
        }
        var bytes = body
        while let (name, format) = undone.popLast() {
            do throws(DecodingFailure) {
                bytes = try format.decoded(bytes, limit: limit)
            } catch {
                throw ContentCodingError(error, coding: name)
            }
        }
        return bytes
    }

    private static func isIdentity(_ name: String) -> Bool { name.lowercased() == "identity" }
}

package struct ContentCodingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Problem: Sendable, Equatable {
        /// No coding that is known here.
        case unknown
        /// More than ``ContentCoding/maximumCodings``.
        case tooMany
        case corrupt
        /// The body ends before its coding does.
        case cut
        /// Decoded, it is larger than the limit, or asks for a window that is.
        case tooLarge
    }

    package let problem: Problem
    /// The coding that could not be undone, as the field named it.
    package let coding: String

    package init(_ problem: Problem, coding: String) {
        self.problem = problem
        self.coding = coding
    }

    init(_ failure: DecodingFailure, coding: String) {
        let problem: Problem =
            switch failure {
            case .corrupt: .corrupt
            case .cut: .cut
            case .tooLarge: .tooLarge
            }
        self.init(problem, coding: coding)
    }

    package var description: String {
        switch problem {
        case .unknown: "unknown coding \(coding)"
        case .tooMany: "more than \(ContentCoding.maximumCodings) codings"
        case .corrupt: "corrupt \(coding)"
        case .cut: "\(coding) that is cut short"
        case .tooLarge: "\(coding) that is too large when decoded"
        }
    }
}

/// Why one coding could not be undone.
enum DecodingFailure: Error {
    case corrupt, cut, tooLarge
}

/// The registered codings that clients ask for (RFC 9110 §8.4.1, RFC 7932, RFC 8878).
private enum Format {
    case gzip, deflate, brotli, zstd

    init?(_ name: String) {
        switch name.lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstd
        default: return nil
        }
    }

    func decoded(_ body: [UInt8], limit: Int) throws(DecodingFailure) -> [UInt8] {
        var output = BoundedOutput(limit: limit)
        try body.withUnsafeBufferPointer { (bytes) throws(DecodingFailure) in
            let input = UnsafeRawBufferPointer(bytes)
            switch self {
            case .gzip: try Inflation.gzip(input, to: &output)
            case .deflate: try Inflation.deflate(input, to: &output)
            case .brotli: try BrotliDecoder.decode(input, to: &output)
            case .zstd: try ZstdDecoder.decode(input, to: &output)
            }
        }
        return output.bytes
    }
}
