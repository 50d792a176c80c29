internal import CCodecs

/// gzip (RFC 1952) and deflate (RFC 9110 §8.4.1.2), by zlib.
enum Inflation {
    /// Members follow one another (RFC 1952 §2.2); their contents are joined.
    static func gzip(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        let stream = try InflateStream(windowBits: 15 + 16)
        var offset = 0
        repeat {
            offset += try stream.member(UnsafeRawBufferPointer(rebasing: input[offset...]), to: &output)
            try stream.restart()
        } while offset < input.count
    }

    /// The zlib format (RFC 1950), or a bare deflate stream, which some servers send and every browser takes.
    static func deflate(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) {
        let stream = try InflateStream(windowBits: hasZlibHeader(input) ? 15 : -15)
        guard try stream.member(input, to: &output) == input.count else { throw .corrupt }
    }

    /// Method 8, a window of at most 32 KiB, and a check that makes the two bytes a multiple of 31 (RFC 1950 §2.2). A bare
    /// stream that begins so would be a stored block with bits set where every encoder has zeros.
    private static func hasZlibHeader(_ input: UnsafeRawBufferPointer) -> Bool {
        // One byte alone is the beginning of either.
        guard input.count >= 2 else { return input.first.map { $0 & 0x0F == 8 } ?? false }
        return input[0] & 0x0F == 8 && input[0] >> 4 <= 7 && (UInt(input[0]) << 8 | UInt(input[1])) % 31 == 0
    }
}

/// One `z_stream`. It has an address of its own, for zlib remembers it.
private struct InflateStream: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init(windowBits: Int32) throws(DecodingFailure) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
            // What had been allocated inside has been freed again.
            stream.deallocate()
            throw .tooLarge
        }
        self.stream = stream
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func restart() throws(DecodingFailure) {
        guard inflateReset(stream) == Z_OK else { throw .corrupt }
    }

    /// Decodes up to the end of the stream that the input begins with.
    /// - Returns: how many bytes of input that took.
    func member(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) throws(DecodingFailure) -> Int {
        var offset = 0
        while true {
            // zlib counts in 32 bits, and takes input without changing it, though its pointer is a mutable one.
            let piece = UnsafeRawBufferPointer(rebasing: input[offset...].prefix(1 << 30))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(truncatingIfNeeded: piece.count)
            stream.pointee.next_out = output.room.baseAddress
            stream.pointee.avail_out = UInt32(truncatingIfNeeded: output.room.count)
            let status = inflate(stream, Z_NO_FLUSH)
            let taken = piece.count - Int(stream.pointee.avail_in)
            let given = output.room.count - Int(stream.pointee.avail_out)
            offset += taken
            try output.append(given)
            switch status {
            case Z_STREAM_END: return offset
            case Z_OK where taken > 0 || given > 0: continue
            case Z_OK, Z_BUF_ERROR: throw .cut
            case Z_MEM_ERROR: throw .tooLarge
            default: throw .corrupt
            }
        }
    }
}
