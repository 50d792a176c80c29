package import Extraction
package import HTTPWire
package import NIOCore

/// A write that is to be written down before the primary sees it. Bodies are slices of what was read, not copies.
package struct IntendedWrite: Sendable {
    /// Slot of the extraction, and index of the route that matched, in the configuration that it was decided by.
    package var extraction: Int
    package var route: Int
    package var method: Method
    /// The request head as the primary will get it.
    package var requestHead: ByteBuffer
    /// All of it.
    package var requestBody: [ByteBuffer]
    package var lane: UInt64
    /// 32 hexadecimal digits that nobody else has: they name the write in both systems, for ever.
    package var requestID: [UInt8]
    /// Who is to answer.
    package var primary: Side

    package init(
        extraction: Int, route: Int, method: Method, requestHead: ByteBuffer, requestBody: [ByteBuffer], lane: UInt64,
        requestID: [UInt8], primary: Side
    ) {
        self.extraction = extraction
        self.route = route
        self.method = method
        self.requestHead = requestHead
        self.requestBody = requestBody
        self.lane = lane
        self.requestID = requestID
        self.primary = primary
    }
}

/// Whether a write may go to the primary.
package enum IntentAnswer: Sendable, Equatable {
    /// It is on disk. The ticket comes back with the exchange's end (``CapturedExchange/ticket``), or is abandoned.
    case durable(WriteTicket)
    /// It could not be written down. The reason's public name: `spool-full`.
    case refused(reason: String)
}

/// Finds a write that was written down again. Opaque to whoever carries it.
package struct WriteTicket: Sendable, Hashable {
    package let sequence: UInt64
    package let lane: UInt64
    /// Its place in its loop's index, while it is open.
    package let index: UInt32

    package init(sequence: UInt64, lane: UInt64, index: UInt32) {
        self.sequence = sequence
        self.lane = lane
        self.index = index
    }
}
