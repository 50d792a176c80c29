/// A URI reference (RFC 3986 §4.1) in its normal form (§6.2.2, §6.2.3): case, percent-encodings, dot segments,
/// default ports. Any text has one; nothing is refused.
struct URIReference: Equatable {
    var scheme: String?
    /// Name and password, as written.
    var userInformation: String?
    var host: String?
    var port: String?
    var path = ""
    var query: String?
    var fragment: String?

    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        fragment = URIReference.cut(&rest, at: "#")
        query = URIReference.cut(&rest, at: "?")
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), URIReference.isScheme(rest[..<colon]) {
            scheme = FieldList.lowercased(String(decoding: rest[..<colon], as: UTF8.self))
            rest = rest[(colon + 1)...]
        }
        if rest.starts(with: "//".utf8) {
            let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            rest = rest[authority.endIndex...]
            readAuthority(authority)
        }
        let written = URIReference.normalised(rest)
        path = String(
            decoding: written.first == UInt8(ascii: "/") ? URIReference.resolved(written) : written, as: UTF8.self)
        if path.isEmpty, host != nil { path = "/" }
    }

    /// The part after a delimiter, normalised; the rest is what stands before it.
    private static func cut(_ rest: inout ArraySlice<UInt8>, at delimiter: Unicode.Scalar) -> String? {
        guard let index = rest.firstIndex(of: UInt8(ascii: delimiter)) else { return nil }
        let part = rest[(index + 1)...]
        rest = rest[..<index]
        return String(decoding: normalised(part), as: UTF8.self)
    }

    private mutating func readAuthority(_ authority: ArraySlice<UInt8>) {
        var rest = authority
        if let sign = rest.lastIndex(of: UInt8(ascii: "@")) {
            userInformation = String(decoding: rest[..<sign], as: UTF8.self)
            rest = rest[(sign + 1)...]
        }
        // An IPv6 address has colons of its own, within brackets.
        let end = rest.lastIndex(of: UInt8(ascii: "]")) ?? rest.startIndex
        if let colon = rest[end...].lastIndex(of: UInt8(ascii: ":")) {
            let number = String(decoding: rest[(colon + 1)...], as: UTF8.self)
            if !number.isEmpty, number != URIReference.defaultPorts[scheme ?? ""] { port = number }
            rest = rest[..<colon]
        }
        host = FieldList.lowercased(String(decoding: URIReference.normalised(rest), as: UTF8.self))
    }

    private static let defaultPorts = ["http": "80", "https": "443"]

    private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, FieldList.lowercased(first) &- UInt8(ascii: "a") < 26 else { return false }
        return bytes.allSatisfy {
            FieldList.lowercased($0) &- UInt8(ascii: "a") < 26 || $0 &- UInt8(ascii: "0") < 10
                || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
    }

    /// Escapes in upper case, and none where none is needed (§6.2.2.1, §6.2.2.2).
    private static func normalised(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "%")) else { return Array(bytes) }
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2, let high = JSONText.hexDigit(rest[rest.startIndex]),
                let low = JSONText.hexDigit(rest[rest.startIndex + 1])
            else {
                result.append(byte)
                continue
            }
            rest = rest.dropFirst(2)
            let decoded = UInt8(truncatingIfNeeded: high << 4 | low)
            if isUnreserved(decoded) { result.append(decoded) } else { result += escaped(decoded) }
        }
        return result
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        FieldList.lowercased(byte) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "~")
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// An absolute path without dot segments (§5.2.4).
    private static func resolved(_ path: [UInt8]) -> [UInt8] {
        var segments: [ArraySlice<UInt8>] = []
        var endsInDirectory = false
        for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            endsInDirectory = segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
            if segment.elementsEqual("..".utf8) {
                _ = segments.popLast()
            } else if !endsInDirectory {
                segments.append(segment)
            }
        }
        if endsInDirectory { segments.append([]) }
        return segments.isEmpty ? [UInt8(ascii: "/")] : segments.flatMap { [UInt8(ascii: "/")] + $0 }
    }
}

extension HeaderDifference {
    /// Part by part. A side without authority means the one that the client asked (§5.2.2), so it can only equal
    /// the other side's.
    static func uris(_ left: URIReference, _ right: URIReference) -> [HeaderDifference] {
        var result: [HeaderDifference?] = []
        if left.host != nil && right.host != nil || left.host == nil && right.host == nil {
            result.append(part(["scheme"], left.scheme, right.scheme))
            result.append(part(["user"], left.userInformation, right.userInformation, shown: .asToken))
            result.append(part(["host"], left.host, right.host))
            result.append(part(["port"], left.port, right.port))
        }
        result.append(part(["path"], left.path, right.path))
        let marked = { (mark: String, text: String?) in text.map { mark + $0 } }
        result.append(part(["query"], marked("?", left.query), marked("?", right.query), shown: .asURI))
        result.append(part(["fragment"], marked("#", left.fragment), marked("#", right.fragment), shown: .asURI))
        return result.compactMap { $0 }
    }
}
