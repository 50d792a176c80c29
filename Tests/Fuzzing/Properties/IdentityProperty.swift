internal import Comparison
internal import DualWrite
internal import Extraction
internal import Routing

extension FuzzTarget {
    /// A target, a header's value and a body with a NUL between them, in a world in which whatever the monolith calls X the
    /// service calls `s~X`: a request is translated there and back and there again, an answer back and forth.
    func checkIdentity(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
        let parts = Array(bytes).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
        guard parts.count == 3, let mapping = Self.mapping else { return .refused }
        // Parsed heads have no blanks around values (RFC 9112 §5.1).
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let trimmed = parts[1].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        let value = String(decoding: trimmed, as: UTF8.self)
        for type in ["application/json", "application/x-www-form-urlencoded"] {
            let fields = [HeaderField(name: "Content-Type", value: type), HeaderField(name: "X-Order", value: value)]
            try Self.checkRequest(.init(target: parts[0], fields: fields, body: parts[2]), mapping)
            let answer = Answer(
                status: 201, headers: fields + [HeaderField(name: "Location", value: value)], body: parts[2])
            try Self.checkAnswer(answer, parts[0], mapping)
        }
        return (try? Document(json: parts[2])) == nil ? .refused : .accepted
    }

    private static func checkRequest(
        _ request: IdentityMapping.Request, _ mapping: IdentityMapping
    ) throws(Violation) {
        let there = mapping.translated(request, from: .monolith, find: partner)
        guard there.unmapped.isEmpty, !there.isUnreadable else { return }
        let back = mapping.translated(there.applied(to: request), from: .service, find: partner)
        try demand(back.unmapped.isEmpty && !back.isUnreadable, "what was translated has no way back: \(back.unmapped)")
        try demand(back.values == there.values.mapValues { unprefixed($0) }, "headers come back otherwise")
        let again = mapping.translated(back.applied(to: there.applied(to: request)), from: .monolith, find: partner)
        try demand(again.target == there.target, "a target comes back otherwise")
        try demand(again.body == there.body, "a body comes back otherwise")
        try demand(
            slashes(there.target) == slashes(request.target), "a translated value has divided a path")
        guard let one = try? Document(json: request.body), let two = try? Document(json: there.body) else { return }
        try demand(count(one, one.root) == count(two, two.root), "a translated body says more or less than before")
    }

    private static func checkAnswer(
        _ answer: Answer, _ target: [UInt8], _ mapping: IdentityMapping
    ) throws(Violation) {
        let there = mapping.translated(answer, from: .monolith, find: partner).answer
        let back = mapping.translated(there, from: .service, find: partner).answer
        let again = mapping.translated(back, from: .monolith, find: partner).answer
        try demand(again.body == there.body && again.headers == there.headers, "an answer comes back otherwise")
        for pair in mapping.pairs(method: "POST", target: target, answer: answer, from: .monolith, other: there) {
            try demand(pair.service == "s~" + pair.monolith, "a wrong pair was learned: \(pair)")
        }
    }

    private static func partner(_ kind: String, _ side: Side, _ value: String) -> IdentityMapping.Partner {
        if side == .monolith { return .known(IdentityPair(kind: kind, monolith: value, service: "s~" + value)) }
        guard value.utf8.starts(with: "s~".utf8) else { return .unknown(isFinal: true) }
        return .known(IdentityPair(kind: kind, monolith: unprefixed(value), service: value))
    }

    /// Without `s~`, which may make one character with what follows it.
    private static func unprefixed(_ value: String) -> String { String(value.unicodeScalars.dropFirst(2)) }

    private static func slashes(_ target: [UInt8]) -> Int {
        target.prefix { $0 != UInt8(ascii: "?") }.count { $0 == UInt8(ascii: "/") }
    }

    private static func count(_ document: Document, _ value: Document.Value) -> Int {
        document.elements(of: value).reduce(1) { $0 + count(document, $1) }
            + document.members(of: value).reduce(0) { $0 + count(document, $1.value) }
    }

    private static let mapping: IdentityMapping? = {
        guard let field = try? PathPattern("$.orderId"), let other = try? PathPattern("$.id"),
            let list = try? PathPattern("$.orders[*].orderId"), let route = try? RoutePattern(parsing: "/orders/**")
        else { return nil }
        return IdentityMapping(
            rules: [
                IdentityRule(field: field, map: IdentityPlaces(headers: ["X-Order"], learn: [field, list])),
                IdentityRule(field: other, map: IdentityPlaces(path: ["/items/{item}"])),
            ], routes: [route], templates: ["/orders", "/orders/{id}", "/orders/search"])
    }()
}

extension IdentityMapping.TranslatedRequest {
    fileprivate func applied(to request: IdentityMapping.Request) -> IdentityMapping.Request {
        var fields = request.fields
        for (index, value) in values { fields[index].value = value }
        return IdentityMapping.Request(target: target, fields: fields, body: body)
    }
}
