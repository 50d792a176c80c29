package import Comparison

/// Where what a write made or changed can be read again. Nothing is invented: a path is named only if the request or its answer
/// says it, and something can be read there.
package enum EntityPath {
    /// Longer ones are not kept.
    static let maximumBytes = 2_048

    /// What an answer calls the thing that it is about.
    package struct Identity: Sendable, Equatable {
        /// The last name of the rule's field: `orderId` of `$.order.orderId`.
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// - Parameters:
    ///   - path: of the request's target; what stands behind a `?` does not count.
    ///   - status: of the side that took the write.
    ///   - location: of its answer (RFC 9110 §10.2.2).
    ///   - identities: what its answer calls the thing, in the order of the rules.
    ///   - endpoint: `POST /api/v1/orders/{id}/cancel`, if it is known: words of it are no identities.
    /// - Returns: the first that there is of: where `Location` of 201 and 303 points; for a creation, the collection's path and
    ///   the new thing's identity; the request's own path; the longest beginning of it that names something. The path as the
    ///   side that took the write knows it.
    package static func of(
        method: String, path: String, status: Int, location: String? = nil, identities: [Identity] = [],
        endpoint: String? = nil, in readable: ReadablePaths
    ) -> String? {
        guard let segments = segments(path) else { return nil }
        let shape = shape(of: endpoint, segments.count)
        if let named = location.flatMap({ target(of: $0, from: path) }), status == 201 || status == 303,
            isNamed(named, status, in: readable)
        {
            return named
        }
        if method == "POST", 200...299 ~= status, let created = created(segments, identities, in: readable) {
            return created
        }
        if let own = readable.template(of: segments, shape: shape), own.namesSomething || method != "POST" {
            return joined(segments)
        }
        for length in stride(from: segments.count - 1, to: 0, by: -1)
        where readable.template(of: segments.prefix(length), shape: shape)?.namesSomething == true {
            return joined(segments.prefix(length))
        }
        let saysItself = ["PUT", "PATCH", "DELETE"].contains(method)
        return saysItself && (readable.isEmpty || readable.coversBelow(segments)) ? joined(segments) : nil
    }

    /// Of a write that is written down. Without an outcome only the request speaks.
    package static func of(_ write: OpenWrite, rules: [IdentityRule], in readable: ReadablePaths) -> String? {
        of(
            requestHead: write.intent.requestHead, endpoint: write.intent.facts.endpoint, status: write.outcome?.status,
            answerHead: write.outcome?.answerHead, answerBody: write.outcome?.answerBody, rules: rules, in: readable)
    }

    /// The same of its parts; of the answer they are asked for where they can say something.
    package static func of(
        requestHead: [UInt8], endpoint: String, status: Int?, answerHead: @autoclosure () -> [UInt8]?,
        answerBody: @autoclosure () -> [UInt8]?, rules: [IdentityRule], in readable: ReadablePaths
    ) -> String? {
        guard let request = WrittenHead(requestHead).requestLine else { return nil }
        // 0: no status says that something was created.
        let status = status ?? 0
        return of(
            method: request.method, path: request.target, status: status,
            location: status == 201 || status == 303
                ? answerHead().flatMap { WrittenHead($0).value(of: "location") } : nil,
            identities: rules.isEmpty ? [] : answerBody().map { identities(in: $0, rules: rules) } ?? [],
            endpoint: endpoint, in: readable)
    }

    /// What a JSON answer calls its thing, by the extraction's identity rules. Of a repeated name the last one counts.
    package static func identities(in answer: [UInt8], rules: [IdentityRule]) -> [Identity] {
        guard !rules.isEmpty, let document = try? Document(json: answer) else { return [] }
        return rules.compactMap { rule in
            guard let names = rule.field.memberNames, let last = names.last else { return nil }
            var value = document.root
            for name in names {
                guard
                    let member = document.members(of: value).last(where: { document.text(of: $0.name) == name })
                else { return nil }
                value = member.value
            }
            switch document.kind(of: value) {
            case .object, .array, .null: return nil
            default: break
            }
            return Identity(
                name: String(decoding: last, as: UTF8.self),
                value: String(decoding: document.text(of: value), as: UTF8.self))
        }
    }

    // MARK: - Parts

    /// Nil for what is no plain path: the proxy's own normal form has neither empty nor dot segments.
    private static func segments(_ target: String) -> ArraySlice<Substring>? {
        // Bytes, for characters would be looked for one by one.
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard path.first == UInt8(ascii: "/"), path.count <= maximumBytes, path.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            return nil
        }
        let segments = path.split(separator: UInt8(ascii: "/")).map { Substring($0) }
        guard segments.count <= ReadablePaths.maximumSegments, !segments.contains(where: { $0 == "." || $0 == ".." })
        else { return nil }
        return segments[...]
    }

    private static func joined(_ segments: ArraySlice<Substring>) -> String { "/" + segments.joined(separator: "/") }

    /// The segments of an endpoint's path; nil where it says less than the request does.
    private static func shape(of endpoint: String?, _ count: Int) -> [ReadablePaths.Segment]? {
        guard let path = endpoint?.split(separator: " ", maxSplits: 1).last, path.first == "/" else { return nil }
        let template = ReadablePaths.Template(String(path))
        return template.takesRest || template.segments.count != count ? nil : template.segments
    }

    /// The path of a reference, resolved (RFC 3986 §5.2) as far as it needs no climbing. One with a query names nothing by its
    /// path.
    private static func target(of location: String, from base: String) -> String? {
        var rest = location.prefix { $0 != "#" }
        guard !rest.contains("?") else { return nil }
        if let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix("://"), !rest[..<colon].contains("/") {
            rest = rest[colon...].dropFirst(1)
        }
        // Whose host it is is not known here; whether its path is one of ours is.
        if rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
        if rest.first != "/" {
            guard !rest.isEmpty, let end = base.prefix(while: { $0 != "?" }).lastIndex(of: "/") else { return nil }
            rest = base[...end] + rest
        }
        return segments(String(rest)).map(joined)
    }

    /// 303 may lead anywhere, to a list or a log-in: only to something that has a name.
    private static func isNamed(_ path: String, _ status: Int, in readable: ReadablePaths) -> Bool {
        guard let segments = segments(path) else { return false }
        if let template = readable.template(of: segments) { return template.namesSomething }
        return status == 201 && readable.coversBelow(segments)
    }

    private static func created(
        _ collection: ArraySlice<Substring>, _ identities: [Identity], in readable: ReadablePaths
    ) -> String? {
        // A thing that the path names already is not the new one.
        let new = identities.filter { identity in
            let segment = encoded(identity.value)
            return segment != nil && !collection.contains { $0 == segment ?? "" }
        }
        guard let first = new.first else { return nil }
        let template = encoded(first.value).flatMap { readable.template(of: collection + [$0[...]]) }
        guard let template, let parameter = template.segments.last?.parameter else {
            guard let segment = encoded(first.value), readable.coversBelow(collection + [segment[...]]) else {
                return nil
            }
            return joined(collection + [segment[...]])
        }
        let named = new.first { $0.name == parameter } ?? first
        return encoded(named.value).map { joined(collection + [$0[...]]) }
    }

    /// As one segment (RFC 3986 §3.3); nil for what cannot be one.
    static func encoded(_ value: String) -> String? {
        guard !value.isEmpty, value != ".", value != "..", value.utf8.count <= 256 else { return nil }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            case 0x2F, 0x5C: return nil
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A message's head as the ledger has it (RFC 9112 §2.1), read for one line at a time.
struct WrittenHead {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var requestLine: (method: String, target: String)? {
        var rest = bytes[...]
        guard let line = Self.line(&rest) else { return nil }
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2 else { return nil }
        return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
    }

    /// Takes the next line that is not empty, without its end.
    private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            if line.isEmpty { continue }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            return line
        }
        return nil
    }

    /// - Parameter name: in lower case.
    func value(of name: String) -> String? {
        var rest = bytes[...]
        _ = Self.line(&rest)
        while let line = Self.line(&rest) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex == name.utf8.count,
                zip(line[..<colon], name.utf8).allSatisfy({ $0 | 0x20 == $1 })
            else { continue }
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
            var value = line[(colon + 1)...].drop(while: isBlank)
            while let last = value.last, isBlank(last) { value.removeLast() }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }
}
