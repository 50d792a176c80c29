package import HTTPWire

/// The frozen routes of a configuration: a tree of path segments in flat arrays.
///
/// Most specific wins. Paths are compared segment by segment from the left: literal before `{parameter}` before `/**`;
/// among routes of one shape an exact host goes before a wildcard host (the longer first) before any, then a named
/// method before any. A route that does not take the request's method or host is passed over for a less specific one
/// that does.
///
/// Cost: one hash per segment of the path. Passing over can visit several branches, but each node of the tree at most
/// once, because a node is reached by one way only; no table makes it exponential. Nothing is allocated.
///
/// Literals are compared with escapes decoded, in any case and, if there is no such literal, without `;parameters`: servers
/// behind do the same, so `/api%3Av1/x`, `/API:v1/x` or `/api;v=1/x` may not lead around the route of `/api:v1/**` or
/// `/api/**`. Routes that differ in case only clash. What the upstream receives is not touched by this.
///
/// A class, so that a request that looks something up retains one object and not each array.
package final class RouteTable: Sendable {
    struct Node {
        var parameter: Int32 = -1
        var exact = Group()
        var rest = Group()
        var hasLiterals = false
    }

    /// The routes that end at one node, a range of `candidates` in order of specificity.
    struct Group {
        var start: Int32 = 0
        var count: Int32 = 0
        var hasHosts = false
    }

    struct Candidate {
        /// Index of the host, ascending within a group; `anyHost` last.
        var host: Int32
        /// One bit per known method.
        var methods: UInt16
        /// Unknown methods, a range of `otherMethods`.
        var otherStart: Int32
        var otherCount: Int32
        var route: Int32
    }

    static let anyHost = Int32.max
    static let allMethods = UInt16.max
    static let exactHostScope: Int32 = 0
    static let wildcardHostScope: Int32 = 1
    /// RFC 1035 §2.3.4 allows 255 octets; nothing longer is a name.
    static let longestHost = 255

    struct Frozen {
        let nodes: [Node]
        let candidates: [Candidate]
        let otherMethods: [Int32]
        let literals: ScopedByteMap
        let hostNames: ScopedByteMap
        let otherMethodNames: ScopedByteMap
    }

    let nodes: [Node]
    let candidates: [Candidate]
    let otherMethods: [Int32]
    let literals: ScopedByteMap
    let hostNames: ScopedByteMap
    let otherMethodNames: ScopedByteMap

    /// - Throws: `RouteClashes` with every pair of routes that take the same requests with the same specificity: one
    ///   shape (names of parameters do not count), a host in common, a method in common. Each route is reported against
    ///   the first that took its place.
    package init(_ routes: [Route]) throws(RouteClashes) {
        let frozen = try RouteTable.freeze(routes)
        nodes = frozen.nodes
        candidates = frozen.candidates
        otherMethods = frozen.otherMethods
        literals = frozen.literals
        hostNames = frozen.hostNames
        otherMethodNames = frozen.otherMethodNames
    }

    /// The index of the route that takes a request, -1 if none does.
    ///
    /// - Parameters:
    ///   - methodToken: the token as it came, read only when `method` is `.other`.
    ///   - path: normalised by `PathNormalization`, without the query; anything else is looked up as it stands.
    ///   - host: the request's authority; port, case and a final dot are ignored.
    package func match(
        method: Method, methodToken: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer
    ) -> Int {
        guard path.first == UInt8(ascii: "/") else { return -1 }
        let isOther = method == .other
        let lookup = Lookup(
            path: UnsafeRawBufferPointer(rebasing: path.prefix(Self.effectiveLength(of: path))), host: host,
            methodBit: isOther ? 0 : 1 &<< UInt16(method.rawValue),
            otherMethod: isOther ? otherMethodNames.find(scope: 0, methodToken) : -1)
        return Int(descend(node: 0, at: 0, lookup))
    }

    /// The same for tools and tests, where speed does not matter.
    package func match(method: String, path: String, host: String = "") -> Int {
        Array(method.utf8).withUnsafeBytes { token in
            Array(path.utf8).withUnsafeBytes { path in
                Array(host.utf8).withUnsafeBytes { host in
                    match(method: Method(token: method), methodToken: token, path: path, host: host)
                }
            }
        }
    }

    struct Lookup {
        let path: UnsafeRawBufferPointer
        let host: UnsafeRawBufferPointer
        let methodBit: UInt16
        let otherMethod: Int32
    }

    /// The length without a trailing slash, or a last segment of nothing but parameters (`/a/;session=1`).
    private static func effectiveLength(of path: UnsafeRawBufferPointer) -> Int {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path.count }
        let next = slash + 1
        return next == path.count || path[next] == UInt8(ascii: ";") ? slash : path.count
    }

    /// The most specific route at or below a node for the path from `start` on, where a slash is, or its end.
    private func descend(node index: Int, at start: Int, _ lookup: Lookup) -> Int32 {
        let node = nodes[index]
        guard start < lookup.path.count else {
            let route = select(node.exact, lookup)
            return route >= 0 ? route : select(node.rest, lookup)
        }
        let segment = Self.segment(of: lookup.path, after: start)
        let end = start &+ 1 &+ segment.count
        if node.hasLiterals {
            let child = child(of: Int32(truncatingIfNeeded: index), segment)
            if child >= 0 {
                let route = descend(node: Int(child), at: end, lookup)
                if route >= 0 { return route }
            }
        }
        if node.parameter >= 0, !segment.isEmpty {
            let route = descend(node: Int(node.parameter), at: end, lookup)
            if route >= 0 { return route }
        }
        return select(node.rest, lookup)
    }

    @inline(__always)
    private static func segment(of path: UnsafeRawBufferPointer, after start: Int) -> UnsafeRawBufferPointer {
        var end = start &+ 1
        while end < path.count, path[end] != UInt8(ascii: "/") { end &+= 1 }
        return UnsafeRawBufferPointer(rebasing: path[(start &+ 1)..<end])
    }
}

// MARK: - Literals

extension RouteTable {
    @inline(__always)
    private func child(of node: Int32, _ segment: UnsafeRawBufferPointer) -> Int32 {
        let found = literals.find(scope: node, segment)
        if found >= 0 { return found }
        for byte in segment where byte == UInt8(ascii: "%") || byte == UInt8(ascii: ";") || byte &- 0x41 < 26 {
            return childSlowly(of: node, segment)
        }
        return -1
    }

    /// Looks for the segment with its escapes decoded and in lower case, then for what stands before its parameters.
    private func childSlowly(of node: Int32, _ segment: UnsafeRawBufferPointer) -> Int32 {
        let whole = childDecoded(of: node, segment)
        if whole >= 0 { return whole }
        guard let parameters = segment.firstIndex(of: UInt8(ascii: ";")) else { return -1 }
        return childDecoded(of: node, UnsafeRawBufferPointer(rebasing: segment[..<parameters]))
    }

    private func childDecoded(of node: Int32, _ segment: UnsafeRawBufferPointer) -> Int32 {
        // Three bytes of request make at least one of key, so anything longer decodes to no key.
        guard segment.count <= literals.longestKey &* 3 else { return -1 }
        return withUnsafeTemporaryAllocation(byteCount: segment.count + 1, alignment: 1) { buffer in
            let length = PercentEncoding.decode(segment, into: buffer)
            for index in 0..<length { buffer[index] = Self.lowercased(buffer[index]) }
            return literals.find(scope: node, UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        }
    }
}

// MARK: - Host and method

extension RouteTable {
    private func select(_ group: Group, _ lookup: Lookup) -> Int32 {
        if group.count == 0 { return -1 }
        if group.hasHosts, !lookup.host.isEmpty {
            let route = selectByHost(group, lookup)
            if route >= 0 { return route }
        }
        return select(group, host: Self.anyHost, lookup)
    }

    /// Tries the exact name, then the wildcards from the longest on.
    private func selectByHost(_ group: Group, _ lookup: Lookup) -> Int32 {
        withUnsafeTemporaryAllocation(byteCount: Self.longestHost, alignment: 1) { buffer in
            let length = Self.canonicalHost(lookup.host, into: buffer)
            let host = UnsafeRawBufferPointer(rebasing: buffer[..<length])
            if host.isEmpty { return -1 }
            let exact = hostNames.find(scope: Self.exactHostScope, host)
            if exact >= 0 {
                let route = select(group, host: exact, lookup)
                if route >= 0 { return route }
            }
            for index in 1..<max(host.count, 1) where host[index] == UInt8(ascii: ".") {
                let suffix = UnsafeRawBufferPointer(rebasing: host[(index + 1)...])
                let wildcard = hostNames.find(scope: Self.wildcardHostScope, suffix)
                if wildcard >= 0 {
                    let route = select(group, host: wildcard, lookup)
                    if route >= 0 { return route }
                }
            }
            return -1
        }
    }

    private func select(_ group: Group, host: Int32, _ lookup: Lookup) -> Int32 {
        let end = Int(group.start &+ group.count)
        var low = Int(group.start)
        var high = end
        while low < high {
            let middle = (low &+ high) / 2
            if candidates[middle].host < host { low = middle &+ 1 } else { high = middle }
        }
        while low < end, candidates[low].host == host {
            if takes(candidates[low], lookup) { return candidates[low].route }
            low &+= 1
        }
        return -1
    }

    private func takes(_ candidate: Candidate, _ lookup: Lookup) -> Bool {
        if candidate.methods == Self.allMethods || candidate.methods & lookup.methodBit != 0 { return true }
        guard lookup.otherMethod >= 0 else { return false }
        let start = Int(candidate.otherStart)
        return otherMethods[start..<(start &+ Int(candidate.otherCount))].contains(lookup.otherMethod)
    }

    /// Writes the host in lower case without port and final dot; returns its length, 0 for what is no host.
    static func canonicalHost(_ host: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var end = host.count
        if host.first == UInt8(ascii: "[") {
            end = host.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? end
        } else {
            end = host.firstIndex(of: UInt8(ascii: ":")) ?? end
            if end > 0, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
        }
        guard end <= buffer.count else { return 0 }
        for index in 0..<end {
            buffer[index] = lowercased(host[index])
        }
        return end
    }

    /// ASCII only: what lies beyond, servers compare byte by byte.
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
