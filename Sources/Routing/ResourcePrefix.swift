/// The part of a path that names a resource: `/api/v1/orders` of `/api/v1/orders/{id}/items`. What an extraction usually
/// takes is everything below one.
package enum ResourcePrefix {
    /// Segments that say how to speak to a system and not about what: all its resources lie below them.
    static func isCommon(_ segment: some StringProtocol) -> Bool {
        switch segment.lowercased() {
        case "api", "apis", "rest": true
        default: isVersion(segment)
        }
    }

    /// `v1`, `v12`.
    private static func isVersion(_ segment: some StringProtocol) -> Bool {
        let digits = segment.utf8.dropFirst()
        let isV = segment.utf8.first.map { $0 | 0x20 } == UInt8(ascii: "v")
        return isV && (1...2).contains(digits.count) && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// The prefix of a path template or path: what comes before its first word that is not common, and that word. Of
    /// `/api/{id}` it is `/api`, since nothing says what the values are of; of `/{id}` it is `/`.
    package static func of(_ path: String) -> String {
        var prefix = ""
        for segment in path.split(separator: "/") {
            guard segment != "**", segment.first != "{", segment.first != "(" else { break }
            prefix += "/" + segment
            if !isCommon(segment) { break }
        }
        return prefix.isEmpty ? "/" : prefix
    }
}
