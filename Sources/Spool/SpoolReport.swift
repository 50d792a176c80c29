package import DualWrite

/// What a spool's files hold, for whoever looks at them while nothing runs, or beside it.
package struct SpoolReport: Sendable, Equatable, CustomStringConvertible {
    package struct Problem: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            /// The next opening cuts it off by itself.
            case tornTail
            /// The file is not there.
            case missing
            /// The first 64 bytes are not a header of this segment.
            case header
            /// Bytes that are no records.
            case bytes
            /// The file ends before it did.
            case short
        }
        package let kind: Kind
        /// In bytes of the segment: from where, and how many.
        package let offset: Int
        package let bytes: Int
        /// In words.
        package let found: String
    }

    package struct Segment: Sendable, Equatable {
        package let number: UInt32
        package let file: String
        package internal(set) var size = 0
        package internal(set) var records = 0
        /// Places that a repair has put a void over before.
        package internal(set) var voids = 0
        /// Of the key that its records are encrypted with.
        package internal(set) var key: UInt64?
        package internal(set) var problems: [Problem] = []

        /// For a void put over what is missing or broken.
        var header: SegmentHeader?
        var hasEncrypted = false
        var lastCommit: UInt32 = 0
    }

    package let directory: String
    package internal(set) var id: SpoolID?
    /// `process 123`, if it is open just now: what is being written then may look torn.
    package internal(set) var holder: String?
    /// Everything before has been drained; nil: the cursor is not there, or damaged.
    package internal(set) var drained: LogPosition?
    package internal(set) var cursorIsDamaged = false
    package internal(set) var segments: [Segment] = []

    package var isIntact: Bool {
        !cursorIsDamaged && segments.allSatisfy { $0.problems.allSatisfy { $0.kind == .tornTail } }
    }

    package var records: Int { segments.reduce(0) { $0 + $1.records } }

    package var description: String {
        var lines = [
            "\(directory): spool \(id?.description ?? "without an id")\(holder.map { ", in use by \($0)" } ?? "")"
        ]
        if cursorIsDamaged {
            lines.append("  cursor: damaged; without it everything is drained once more")
        } else if let drained {
            lines.append("  cursor: drained up to byte \(drained.offset) of segment \(drained.segment)")
        }
        for segment in segments {
            let key = segment.key.map { ", encrypted with key \(SpoolKey.name($0))" } ?? ""
            let voids =
                segment.voids > 0 ? ", \(segment.voids) \(segment.voids == 1 ? "place" : "places") given up before" : ""
            lines.append(
                "  \(SegmentHeader.fileName(segment.number)): \(segment.size) bytes, \(segment.records) records\(key)\(voids)"
            )
            for problem in segment.problems {
                let what = problem.kind == .tornTail ? "torn tail, cut off at the next start" : "damaged"
                lines.append("    \(what): byte \(problem.offset), \(problem.bytes) bytes: \(problem.found)")
            }
        }
        lines.append(
            isIntact
                ? "  intact: \(records) records"
                : "  damaged: `strangler spool repair` goes on without what is not intact")
        return lines.joined(separator: "\n")
    }
}
