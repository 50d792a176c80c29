internal import ContentCoding

private let codings: [[String]] = [
    ["gzip"], ["deflate"], ["br"], ["zstd"], ["gzip", "gzip"], ["br", "zstd"], ["identity"],
]

/// Any bytes are decoded within the limit or refused, and twice the same way.
func checkContentCoding(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    guard let choice = bytes.first else { return .incomplete }
    let names = codings[Int(choice) % codings.count]
    let body = Array(bytes.dropFirst())
    let limit = 1 << 20
    let once = decoded(body, names, limit)
    try demand(once == decoded(body, names, limit), "\(names): decoded otherwise the second time")
    guard let once else { return .refused }
    try demand(once.count <= limit, "\(names): \(once.count) bytes, beyond the limit")
    // A smaller limit refuses what does not fit, and gives the same otherwise. With several codings it bounds what lies
    // between them too.
    if !once.isEmpty, names.count == 1 {
        try demand(decoded(body, names, once.count) == once, "\(names): other bytes under a limit that fits")
        if names != ["identity"] {
            try demand(decoded(body, names, once.count - 1) == nil, "\(names): more bytes than the limit")
        }
    }
    return .accepted
}

private func decoded(_ body: [UInt8], _ codings: [String], _ limit: Int) -> [UInt8]? {
    try? ContentCoding.decoded(body, codings: codings, limit: limit)
}
