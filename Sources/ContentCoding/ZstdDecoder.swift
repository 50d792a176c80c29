internal import CCodecs

/// zstd (RFC 8878), by Facebook's decoder.
struct ZstdDecoder: ~Copyable {
    /// log2 of the largest window: 8 MiB, what a content coding may ask for (RFC 9659 §3).
    private static let maximumWindow: Int32 = 23

    private let context: OpaquePointer

    private init() throws(DecodingFailure) {
        guard let context = ZSTD_createDCtx() else { throw .tooLarge }
        guard ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.maximumWindow)) == 0 else {
            ZSTD_freeDCtx(context)
            throw .tooLarge
        }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    static func decode(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        try ZstdDecoder().run(input, to: &output)
    }

    /// Frames follow one another (RFC 8878 §3.1); those that are to be skipped are.
    private func run(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        while true {
            let begin = source.pos
            var room = ZSTD_outBuffer(dst: output.room.baseAddress, size: output.room.count, pos: 0)
            let status = ZSTD_decompressStream(context, &room, &source)
            if ZSTD_isError(status) != 0 {
                switch ZSTD_getErrorCode(status) {
                case ZSTD_error_frameParameter_windowTooLarge, ZSTD_error_memory_allocation: throw .tooLarge
                default: throw .corrupt
                }
            }
            try output.append(room.pos)
            // 0: a frame has ended, and all of it was given out.
            if status == 0, source.pos == source.size { return }
            if status != 0, room.pos == 0, source.pos == begin { throw .cut }
        }
    }
}
