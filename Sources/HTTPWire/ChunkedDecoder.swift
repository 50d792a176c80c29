/// Takes the chunked coding off a body (RFC 9112 §7.1), as a state machine over whatever bytes have arrived.
///
/// It hands out ranges of the caller's bytes, never copies of data. Chunk extensions are dropped. Trailer fields are kept
/// apart, bounded, and only those that may be forwarded: framing, routing and authentication must not come late.
package struct ChunkedDecoder: Sendable {
    package enum Step: Sendable, Equatable {
        /// All bytes were taken; more are needed.
        case needMore
        /// `start..<end` of the bytes are body.
        case data(start: Int, end: Int)
        /// The body has ended; the next message starts at `next`.
        case end(next: Int)
    }

    private enum State: Sendable, Equatable {
        case size
        /// White space behind the digits: an extension or CR follows, or else `5 6` were a size to some reader.
        case padding
        /// Behind the first ";": extensions up to CR.
        case extensions
        case sizeLineFeed
        case data(left: Int)
        case dataReturn
        case dataLineFeed
        case trailerLine
        case trailerLineFeed
        case ended
    }

    /// Bytes of chunk extensions that one chunk may carry, and of a whole trailer section.
    static let extensionLimit = 4 * 1024
    static let trailerLimit = 8 * 1024

    private var state = State.size
    private var size = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var line: [UInt8] = []
    /// Trailer field lines with their CRLFs, without the final empty line; mostly empty.
    package private(set) var trailers: [UInt8] = []

    package init() {}

    /// Goes on at `offset`, which it moves behind what it took.
    package mutating func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) throws(ParseFailure) -> Step {
        while offset < bytes.count {
            let byte = bytes[offset]
            switch state {
            case .size: try takeSize(byte)
            case .padding, .extensions: try takeExtension(byte)
            case .sizeLineFeed:
                guard byte == 0x0A else { throw .badChunk }
                state = size == 0 ? .trailerLine : .data(left: size)
            case .data(let left):
                let taken = Swift.min(left, bytes.count - offset)
                let start = offset
                offset += taken
                state = taken == left ? .dataReturn : .data(left: left - taken)
                return .data(start: start, end: offset)
            case .dataReturn:
                guard byte == 0x0D else { throw .badChunk }
                state = .dataLineFeed
            case .dataLineFeed:
                guard byte == 0x0A else { throw .badChunk }
                state = .size
                size = 0
                digits = 0
                extensionBytes = 0
            case .trailerLine: try takeTrailer(byte)
            case .trailerLineFeed:
                guard byte == 0x0A else { throw .badChunk }
                if try trailerLineEnded() {
                    state = .ended
                    offset += 1
                    return .end(next: offset)
                }
                state = .trailerLine
            case .ended: return .end(next: offset)
            }
            offset += 1
        }
        return .needMore
    }

    private mutating func takeSize(_ byte: UInt8) throws(ParseFailure) {
        let digit: UInt8
        switch byte {
        case 0x30...0x39: digit = byte - 0x30
        case 0x41...0x46: digit = byte - 0x41 + 10
        case 0x61...0x66: digit = byte - 0x61 + 10
        case 0x0D where digits > 0:
            state = .sizeLineFeed
            return
        case 0x3B where digits > 0:
            state = .extensions
            return
        case 0x20 where digits > 0, 0x09 where digits > 0:
            state = .padding
            return
        default: throw .badChunk
        }
        // 15 hexadecimal digits are 2^60: no chunk is larger, and nothing overflows.
        guard digits < 15 else { throw .badChunk }
        digits += 1
        size = size << 4 | Int(digit)
    }

    private mutating func takeExtension(_ byte: UInt8) throws(ParseFailure) {
        if byte == 0x0D {
            state = .sizeLineFeed
            return
        }
        if state == .padding {
            if byte == 0x3B { state = .extensions } else if byte != 0x20, byte != 0x09 { throw .badChunk }
        }
        extensionBytes += 1
        guard byte == 0x09 || (byte >= 0x20 && byte != 0x7F), extensionBytes <= ChunkedDecoder.extensionLimit else {
            throw .badChunk
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(ParseFailure) {
        if byte == 0x0D {
            state = .trailerLineFeed
            return
        }
        trailerBytes += 1
        guard byte != 0x0A, trailerBytes <= ChunkedDecoder.trailerLimit else { throw .badChunk }
        line.append(byte)
    }

    /// - Returns: whether that was the empty line that ends the body.
    private mutating func trailerLineEnded() throws(ParseFailure) -> Bool {
        if line.isEmpty { return true }
        let kept: Bool? = line.withUnsafeBytes { bytes in
            let colon = bytes.index(of: 0x3A, from: 0)
            guard colon > 0, ByteClass.all(bytes.part(0, colon), are: ByteClass.token),
                ByteClass.all(bytes.part(colon + 1, bytes.count), are: ByteClass.fieldValue)
            else { return nil }
            return TrailerFields.mayPass(bytes.part(0, colon))
        }
        guard let kept else { throw .badChunk }
        if kept {
            trailers.append(contentsOf: line)
            trailers.append(0x0D)
            trailers.append(0x0A)
        }
        line.removeAll(keepingCapacity: true)
        return false
    }
}
