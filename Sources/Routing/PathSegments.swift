/// Parts of a path by number, as routes count them.
package enum PathSegments {
    /// The segment at `index`, without its `;parameters`, which most servers do not take for a part of the value. Nil where
    /// there is none or it is empty.
    ///
    /// - Parameters:
    ///   - index: from 0; negative: none.
    ///   - path: normalised, without the query.
    package static func value(at index: Int, of path: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard index >= 0 else { return nil }
        var slashes = -1
        var start = 0
        while start < path.count {
            if path[start] == UInt8(ascii: "/") {
                slashes &+= 1
                if slashes == index { break }
            }
            start &+= 1
        }
        guard slashes == index else { return nil }
        start &+= 1
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/"), path[end] != UInt8(ascii: ";") { end &+= 1 }
        return end > start ? UnsafeRawBufferPointer(rebasing: path[start..<end]) : nil
    }
}

extension RoutePattern {
    /// Which segment `{name}` stands for; nil where the pattern has no such parameter.
    package func segment(of name: String) -> Int? { segments.firstIndex(of: .parameter(name)) }
}
