internal import HTTPWire
internal import Routing
internal import TestSupport

func checkPath(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    _ = takenRoute(Array(bytes))  // never a trap, whatever the path
    let input = Array(bytes)
    let normal: [UInt8]
    switch PathNormalization.normalize(path: bytes) {
    case .refused(let reason):
        let isHarmless =
            input.first == 0x2F && input.allSatisfy { PlainPath.isPathByte($0) && $0 != 0x2E && $0 != 0x3B }
        try demand(!isHarmless, "a plain path is refused: \(reason)")
        return .refused
    case .unchanged: normal = input
    case .changed(let changed):
        try demand(changed != input, "a change that changes nothing")
        normal = changed
    }
    try demand(normalized(normal) == .unchanged, "normalising twice is not normalising once")
    try demand(normal.count <= max(1, 3 * input.count), "the path has grown more than threefold")
    try PlainPath.checkSpelling(normal)
    let plain = PlainPath(normal)
    try demand(PlainPath(input) == plain, "the path leads elsewhere once it is normalised")
    try checkRespelling(normal, seed: fingerprint(of: bytes))
    try checkRoute(normal, plain)
    return .accepted
}

private func normalized(_ path: [UInt8]) -> PathNormalization.Result {
    path.withUnsafeBytes { PathNormalization.normalize(path: $0) }
}

// MARK: - The second opinion

/// Where a path leads by RFC 3986 read plainly: every escape decoded once, segments resolved one by one.
private struct PlainPath: Equatable {
    var segments: [[UInt8]] = []
    var endsInSlash = false
    var climbs = false

    init(_ path: [UInt8]) {
        for segment in PlainPath.decoded(path).dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            endsInSlash = segment.isEmpty || segment == [0x2E] || segment == [0x2E, 0x2E]
            if segment == [0x2E, 0x2E] {
                if segments.popLast() == nil { climbs = true }
            } else if !endsInSlash {
                segments.append(Array(segment))
            }
        }
        if segments.isEmpty { endsInSlash = true }
    }

    static func decoded(_ path: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        var index = 0
        while index < path.count {
            if path[index] == 0x25, let byte = escape(path, index) {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(path[index])
                index += 1
            }
        }
        return decoded
    }

    private static func escape(_ path: [UInt8], _ index: Int) -> UInt8? {
        guard index + 2 < path.count, path[index + 1] != 0x2B, path[index + 1] != 0x2D else { return nil }
        return UInt8(String(decoding: path[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: Array("-._~".utf8).contains(byte)
        }
    }

    static func isPathByte(_ byte: UInt8) -> Bool { isUnreserved(byte) || Array("!$&'()*+,;=:@/".utf8).contains(byte) }

    /// One spelling: nothing raw that must be escaped, nothing escaped that need not be, no empty and no dot segment, and
    /// nothing that decodes a second time.
    static func checkSpelling(_ normal: [UInt8]) throws(Violation) {
        try demand(normal.first == 0x2F, "a normal path without its slash")
        var index = 0
        while index < normal.count {
            if normal[index] != 0x25 {
                try demand(isPathByte(normal[index]), "a normal path holds the byte \(normal[index])")
                index += 1
                continue
            }
            guard let byte = escape(normal, index) else { throw Violation("a normal path holds half an escape") }
            try demand(!normal[index..<(index + 3)].contains { (0x61...0x66).contains($0) }, "lower-case digits")
            try demand(!isUnreserved(byte), "an unreserved character is escaped")
            try demand(byte >= 0x20 && ![0x7F, 0x2F, 0x5C].contains(byte), "the escape of the byte \(byte)")
            index += 3
        }
        let segments = normal.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        for (position, segment) in segments.enumerated() {
            try demand(!segment.isEmpty || position == segments.count - 1, "an empty segment")
            let name = segment.prefix { $0 != 0x3B }
            try demand(name != [0x2E] && name != [0x2E, 0x2E], "a dot segment")
            try demand(!name.isEmpty || position == segments.count - 1, "an empty segment with parameters")
        }
        let decoded = decoded(normal)
        try demand(PlainPath.decoded(decoded) == decoded, "an escape within an escape")
        for (first, second) in zip(decoded, decoded.dropFirst()) where (0x80...0xBF).contains(second) {
            let isOverlong =
                first == 0xC0 || first == 0xC1 || first == 0xE0 && second < 0xA0 || first == 0xF0 && second < 0x90
            try demand(!isOverlong, "overlong UTF-8")
        }
    }
}

// MARK: - Other spellings of the same path

/// Escapes, dots and slashes put into a normal path normalise away again.
private func checkRespelling(_ normal: [UInt8], seed: UInt64) throws(Violation) {
    var generator = SeededGenerator(seed: seed)
    var other: [UInt8] = []
    var index = 0
    while index < normal.count {
        let byte = normal[index]
        let dice = Int.random(in: 0..<8, using: &generator)
        if byte == 0x25 {
            let escape = normal[index..<(index + 3)]
            other += dice < 4 ? Array(PlainHead.lowercased(escape).utf8) : Array(escape)
            index += 3
            continue
        }
        if byte == 0x2F, dice < 4 { other += Array(["/", "/.", "/x/..", "/%2e/y%20/%2E."][dice].utf8) }
        if PlainPath.isUnreserved(byte), dice == 0 {
            other += Array(("%" + String(byte, radix: 16)).utf8)
        } else {
            other.append(byte)
        }
        index += 1
    }
    let again = normalized(other)
    try demand(
        again == .changed(normal) || other == normal && again == .unchanged,
        "\(String(decoding: other, as: UTF8.self)) normalises to another path: \(again)")
}

/// -1 for none.
private func takenRoute(_ path: [UInt8]) -> Int {
    let token = Array("GET".utf8)
    return path.withUnsafeBytes { path in
        token.withUnsafeBytes { token in
            routes?.match(method: .get, methodToken: token, path: path, host: path) ?? -2
        }
    }
}

private let routes: RouteTable? = {
    let patterns = [
        "/api/v1/orders/**", "/api/{version}/orders/{id}", "/a:b/@c", "/straße/**", "/files/{name}/raw", "/",
    ]
    var routes: [Route] = []
    for (index, text) in patterns.enumerated() {
        guard let pattern = try? RoutePattern(parsing: text) else { return nil }
        let location = SourceLocation(file: "", line: index, column: 1)
        routes.append(Route(pattern: pattern, extraction: index, location: location))
    }
    return try? RouteTable(routes)
}()

/// No spelling leads around a route: with its reserved characters escaped a path takes the same one, and the first route
/// takes exactly the paths whose decoded segments, without parameters, start with its own.
private func checkRoute(_ normal: [UInt8], _ plain: PlainPath) throws(Violation) {
    try demand(routes != nil, "the routes are not taken")
    let route = takenRoute(normal)
    var escaped: [UInt8] = []
    for byte in normal {
        if ":@!$&'()*+,=".utf8.contains(byte) {
            escaped += Array(("%" + String(byte, radix: 16, uppercase: true)).utf8)
        } else {
            escaped.append(byte)
        }
    }
    try demand(normalized(escaped) == .unchanged, "an escaped reserved character does not stay")
    try demand(takenRoute(escaped) == route, "an escaped reserved character leads around a route")

    let inCapitals = normal.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
    try demand(takenRoute(inCapitals) == route, "capitals lead around a route")

    let segments = normal.dropFirst().split(separator: 0x2F).map { segment in
        PlainPath.decoded(Array(segment.prefix { $0 != 0x3B })).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
    }
    let isOrders = segments.starts(with: ["api", "v1", "orders"].map { Array($0.utf8) })
    try demand((route == 0) == isOrders, "route \(route) is taken by \(String(decoding: normal, as: UTF8.self))")
}
