internal import Extraction
internal import HTTPWire
internal import Routing

/// Finds the bytes that keep a user on one side, without making a string of them.
enum AffinityKey {
    /// The key, or the client's address where the request carries none: somebody without a cookie yet still stays on one
    /// side.
    ///
    /// - Parameters:
    ///   - path: normalised.
    ///   - segment: which one of it is the affinity's parameter; -1 where the route has none.
    static func withKey<Result>(
        _ affinity: Affinity, _ path: UnsafeRawBufferPointer, segment: Int, _ parser: borrowing RequestHeadParser,
        _ bytes: UnsafeRawBufferPointer, clientAddress: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        switch affinity {
        case .cookie(let name):
            for line in parser.fields where line.field == .cookie {
                if let value = cookie(name, in: line.value(in: bytes)) { return body(value) }
            }
        case .header(let name):
            for line in parser.fields where equalsIgnoringCase(line.name(in: bytes), name) {
                return body(line.value(in: bytes))
            }
        case .pathParameter:
            if let value = PathSegments.value(at: segment, of: path) { return body(value) }
        case .clientAddress: break
        }
        return clientAddress.withUnsafeBytes { body($0) }
    }

    /// Value of the first cookie of this name (RFC 6265 §4.2: `name=value; name=value`).
    static func cookie(_ name: String, in value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var start = 0
        while start < value.count {
            while start < value.count, value[start] == 0x20 || value[start] == 0x3B { start += 1 }
            var end = start
            while end < value.count, value[end] != 0x3B { end += 1 }
            let pair = UnsafeRawBufferPointer(rebasing: value[start..<end])
            if let equals = pair.firstIndex(of: 0x3D), name.utf8.elementsEqual(pair[..<equals]) {
                return UnsafeRawBufferPointer(rebasing: pair[(equals + 1)...])
            }
            start = end
        }
        return nil
    }

    private static func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ name: String) -> Bool {
        guard bytes.count == name.utf8.count else { return false }
        return zip(bytes, name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
