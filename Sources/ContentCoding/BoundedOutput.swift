/// What a decoder gives, up to a limit. It writes a piece at a time into ``room``; then the piece is appended.
struct BoundedOutput: ~Copyable {
    private(set) var bytes: [UInt8] = []
    /// Memory that a decoder may write to.
    let room: UnsafeMutableBufferPointer<UInt8>
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        room = .allocate(capacity: 64 * 1024)
        // Some decoders are handed all of it as an array of bytes.
        room.initialize(repeating: 0)
    }

    deinit { room.deallocate() }

    /// Appends the first `count` bytes of the room.
    mutating func append(_ count: Int) throws(DecodingFailure) {
        guard count <= limit &- bytes.count else { throw .tooLarge }
        bytes.append(contentsOf: room[..<min(count, room.count)])
    }
}
