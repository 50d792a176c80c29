internal import NIOCore
internal import Upstreams

/// Keeps one exchange's bytes for the shadow, as slices of what was read, up to a cap in each direction. An answer beyond
/// it is hashed. A request beyond it cannot be sent again: everything is let go of at once, for half an exchange can be
/// compared with nothing.
struct Capture {
    private var request: BodyCollector
    private(set) var answerHead = ByteBuffer()
    private var answer: BodyCollector
    let route: Int
    let lane: UInt64
    let requestID: [UInt8]
    let shadowIsService: Bool
    /// Nobody is shadowed: the answer alone is kept, to be held against the contract.
    let isForContract: Bool
    /// It has to be on record before its primary sees it.
    let isRecorded: Bool
    /// The monolith answers what the service was to: the service is owed it already.
    var hasTurned = false
    private let limit: Int

    init(
        route: Int, lane: UInt64, requestID: [UInt8], shadowIsService: Bool, limit: Int, isForContract: Bool = false,
        isRecorded: Bool = false
    ) {
        self.isForContract = isForContract
        self.isRecorded = isRecorded
        self.limit = limit
        self.route = route
        self.lane = lane
        self.requestID = requestID
        self.shadowIsService = shadowIsService
        request = BodyCollector(cap: limit, ceiling: limit)
        answer = BodyCollector(cap: limit)
    }

    var requestBody: [ByteBuffer] { request.body.parts }
    var answerBody: CapturedBody { answer.body }
    var isTruncated: Bool { request.isGivenUp }

    mutating func requestBody(_ bytes: ByteBuffer) {
        if isForContract { return }
        request.append(bytes)
        if request.isGivenUp { answer.giveUp() }
    }

    /// Another side answers, from the beginning.
    mutating func answerBeginsAnew() {
        answerHead = ByteBuffer()
        answer = BodyCollector(cap: limit)
    }

    mutating func answerHead(_ bytes: UnsafeRawBufferPointer) {
        answerHead = ByteBuffer(bytes: bytes)
    }

    mutating func answerBody(_ bytes: ByteBuffer) {
        answer.append(bytes)
        // What is on record is delivered, however long the answer.
        if answer.isGivenUp, !isRecorded { request.giveUp() }
    }
}
