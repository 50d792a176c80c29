internal import CCodecs

/// br (RFC 7932), by Google's decoder. Its window is 16 MiB at most: large windows have to be asked for, and are not.
struct BrotliDecoder: ~Copyable {
    private let state: OpaquePointer

    private init() throws(DecodingFailure) {
        guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else { throw .tooLarge }
        self.state = state
    }

    deinit { BrotliDecoderDestroyInstance(state) }

    static func decode(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        try BrotliDecoder().run(input, to: &output)
    }

    private func run(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        var nextIn = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var inputLeft = input.count
        while true {
            var nextOut = output.room.baseAddress
            var roomLeft = output.room.count
            let result = BrotliDecoderDecompressStream(state, &inputLeft, &nextIn, &roomLeft, &nextOut, nil)
            try output.append(output.room.count - roomLeft)
            switch result {
            case BROTLI_DECODER_RESULT_SUCCESS:
                guard inputLeft == 0 else { throw .corrupt }
                return
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: throw .cut
            default: throw .corrupt
            }
        }
    }
}
