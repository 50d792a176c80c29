package import Extraction
package import HTTPWire
package import NIOCore

/// Everything of one finished exchange that its shadow needs. Bodies are slices of what was read, not copies.
package struct CapturedExchange: Sendable {
    package enum Outcome: Sendable, Equatable {
        case answered(status: Int)
        /// The primary gave no whole answer, which the client was told: it may have carried the request out.
        case failed
        /// It certainly never reached a primary: nobody could be connected to, or the circuit was open.
        case neverSent
        /// The client left before the answer was complete. The primary may have carried the request out.
        case abandoned
        /// The client asked for another protocol on its connection: there is nothing to ask the other side.
        case upgrade
    }

    /// Slot of the extraction, and index of the route that matched, in the configuration that the exchange was decided
    /// by. What judges it has to be of that configuration, too.
    package var extraction: Int
    package var route: Int
    package var method: Method
    /// The request head as the primary got it.
    package var requestHead: ByteBuffer
    package var requestBody: [ByteBuffer]
    /// The answer's head as it came from the primary.
    package var answerHead: ByteBuffer
    package var answerBody: CapturedBody
    /// The request's body was larger than the capture's cap, or the answer's than is hashed: nothing is here of either.
    package var isTruncated: Bool
    package var outcome: Outcome
    /// The service is asked for comparison; else the monolith is (after cutover).
    package var shadowIsService: Bool
    /// Requests of one lane keep their order at the shadow.
    package var lane: UInt64
    package var requestID: [UInt8]
    /// From the request's head to the answer's last byte.
    package var primaryNanoseconds: Int64
    /// There is no shadow: the monolith's answer is held against the contract.
    package var isForContract: Bool
    /// Of a write that was written down before the primary saw it.
    package var ticket: WriteTicket?
    /// Who really answered, or was asked last. A write goes to the other one.
    package var answeredBy: Side
    /// The monolith stood in, and the lane's board says already that the service is owed the write.
    package var hasTurned: Bool

    /// - Parameter answeredBy: nil: the one that is not the shadow.
    package init(
        extraction: Int, route: Int, method: Method, requestHead: ByteBuffer, requestBody: [ByteBuffer],
        answerHead: ByteBuffer, answerBody: CapturedBody, isTruncated: Bool, outcome: Outcome, shadowIsService: Bool,
        lane: UInt64, requestID: [UInt8], primaryNanoseconds: Int64,
        isForContract: Bool = false, ticket: WriteTicket? = nil, answeredBy: Side? = nil,
        hasTurned: Bool = false
    ) {
        self.hasTurned = hasTurned
        self.extraction = extraction
        self.route = route
        self.method = method
        self.requestHead = requestHead
        self.requestBody = requestBody
        self.answerHead = answerHead
        self.answerBody = answerBody
        self.isTruncated = isTruncated
        self.outcome = outcome
        self.shadowIsService = shadowIsService
        self.lane = lane
        self.requestID = requestID
        self.primaryNanoseconds = primaryNanoseconds
        self.isForContract = isForContract
        self.ticket = ticket
        self.answeredBy = answeredBy ?? (shadowIsService ? .monolith : .service)
    }
}
