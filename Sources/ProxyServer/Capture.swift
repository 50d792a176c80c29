internal import NIOCore

/// Keeps one exchange's bytes for the shadow, as slices of what was read, up to a cap in each direction. Beyond the cap
/// it lets go of everything at once: half a body can be compared with nothing.
struct Capture {
    private(set) var requestBody: [ByteBuffer] = []
    private(set) var answerHead = ByteBuffer()
    private(set) var answerBody: [ByteBuffer] = []
    private(set) var isTruncated = false
    let route: Int
    let lane: UInt64
    let requestID: [UInt8]
    let shadowIsService: Bool
    private let limit: Int
    private var requestBytes = 0
    private var answerBytes = 0

    init(route: Int, lane: UInt64, requestID: [UInt8], shadowIsService: Bool, limit: Int) {
        self.route = route
        self.lane = lane
        self.requestID = requestID
        self.shadowIsService = shadowIsService
        self.limit = limit
    }

    mutating func requestBody(_ bytes: ByteBuffer) {
        requestBytes += bytes.readableBytes
        if requestBytes > limit { truncate() } else if !isTruncated { Capture.append(bytes, to: &requestBody) }
    }

    mutating func answerHead(_ bytes: UnsafeRawBufferPointer) {
        answerHead = ByteBuffer(bytes: bytes)
    }

    mutating func answerBody(_ bytes: ByteBuffer) {
        answerBytes += bytes.readableBytes
        if answerBytes > limit { truncate() } else if !isTruncated { Capture.append(bytes, to: &answerBody) }
    }

    /// A slice keeps the whole read alive that it is a part of. That is cheap for large ones; a body in small chunks would
    /// hold many times its size, so small ones are copied together.
    private static func append(_ bytes: ByteBuffer, to body: inout [ByteBuffer]) {
        guard bytes.readableBytes < 1_024, var last = body.popLast() else {
            body.append(bytes)
            return
        }
        last.writeImmutableBuffer(bytes)
        body.append(last)
    }

    private mutating func truncate() {
        isTruncated = true
        requestBody = []
        answerBody = []
    }
}
