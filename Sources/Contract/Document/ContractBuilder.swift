/// Makes a ``ContractDocument`` of the values of its file.
///
/// Answers for what only shows in an OpenAPI document: its version, paths, statuses, references. All that is wrong is
/// told at once. References are followed with a work list, so that neither a ring of them nor a long chain can
/// exhaust the stack; what a reference stands for is copied into each operation that uses it, and the sum of these
/// copies is bounded.
struct ContractBuilder {
    static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    /// A document rarely lists more than a few servers; each multiplies the paths.
    private static let maximumServers = 16
    /// Parameters, answers, media types and headers after references were followed.
    private static let maximumParts = 200_000

    let root: ContractNode
    let isOpenAPI30: Bool
    var problems: [ContractRemark] = []
    var ignored: [String: ContractRemark] = [:]
    var schemas: [ContractSchema] = []
    var schemaOfPointer: [String: SchemaID] = [:]
    /// Schemas that references stand for and that are still to be read.
    var pending: [(id: SchemaID, node: ContractNode)] = []
    private var parts = 0

    init(_ root: ContractNode) {
        self.root = root
        isOpenAPI30 = root["openapi"]?.text?.hasPrefix("3.0") ?? false
    }

    mutating func document() throws(ContractProblems) -> ContractDocument {
        let paths = paths()
        let security = securityRequirements(root["security"]) ?? []
        var templates: [String] = []
        var operations: [ContractOperation] = []
        for path in paths {
            templates.append(path.name)
            operations += self.operations(of: path, security)
        }
        let schemes = securitySchemes()
        readPendingSchemas()
        guard problems.isEmpty else {
            let all = Array(Set(problems)).sorted { ($0.place, $0.message) < ($1.place, $1.message) }
            throw ContractProblems(problems: Array(all.prefix(ContractProblems.maximum)))
        }
        return ContractDocument(
            title: root["info"]?["title"]?.text ?? "", version: root["info"]?["version"]?.text ?? "",
            basePaths: basePaths(), paths: templates, operations: operations,
            ignored: ignored.values.sorted { ($0.place, $0.message) < ($1.place, $1.message) }, schemas: schemas,
            securitySchemes: schemes, digest: ContractDigest.of(root))
    }

    /// - Returns: false, with one error, when the document is too large.
    mutating func spend(_ count: Int = 1, at place: ContractPlace) -> Bool {
        let wasWithin = parts <= Self.maximumParts
        parts += count
        guard parts > Self.maximumParts else { return true }
        if wasWithin {
            report(
                "the contract has more than \(Self.maximumParts) parts after its references were followed",
                fix: "split it: one contract per extraction", at: place)
        }
        return false
    }

    mutating func report(_ message: String, fix: String? = nil, at place: ContractPlace) {
        // More are never shown, and a hostile file may have a hundred thousand.
        guard problems.count < 10 * ContractProblems.maximum else { return }
        problems.append(ContractRemark(place: place, message: message, fix: fix))
    }

    mutating func ignore(_ what: String, at place: ContractPlace) {
        guard ignored[what].map({ place < $0.place }) ?? true else { return }
        ignored[what] = ContractRemark(place: place, message: what, fix: nil)
    }

    // MARK: - The top

    private mutating func paths() -> [ContractMap.Member] {
        guard let document = root.map else {
            report("the contract is \(root.kindName)", fix: "expected an OpenAPI 3 document", at: root.place)
            return []
        }
        guard let version = document["openapi"]?.text, version.hasPrefix("3.") else {
            report(
                "the contract is no OpenAPI 3 document", fix: "expected `openapi: 3.0.3` or later at the top",
                at: root.place)
            return []
        }
        guard let paths = document["paths"]?.map else {
            report("the contract has no `paths`", fix: "add `paths:` with at least one path", at: root.place)
            return []
        }
        return paths.members.filter { member in
            if member.name.hasPrefix("/") { return true }
            // `x-…` extensions are allowed here.
            if !member.name.hasPrefix("x-") {
                report("`\(member.name)` is no path", fix: "expected `/…`", at: member.place)
            }
            return false
        }
    }

    private func basePaths() -> [String] {
        guard let servers = root["servers"]?.list, !servers.isEmpty else { return [""] }
        var bases: [String] = []
        for server in servers.prefix(Self.maximumServers) {
            guard let url = server["url"]?.text else { continue }
            var path = url[...]
            if let scheme = url.firstRange(of: "://") {
                path = url[scheme.upperBound...].drop { $0 != "/" }
            }
            while path.last == "/" { path.removeLast() }
            if path.isEmpty || path.first == "/", !bases.contains(String(path)) { bases.append(String(path)) }
        }
        return bases.isEmpty ? [""] : bases
    }

    // MARK: - References

    /// The node itself, or what its reference stands for; nil after an error.
    mutating func resolved(_ node: ContractNode, _ what: String) -> ContractNode? {
        var current = node
        for _ in 0..<32 {
            guard let pointer = current["$ref"]?.text else { return current }
            guard pointer.hasPrefix("#") else {
                ignore("`$ref: \(pointer)`: other files are not read", at: current.place)
                return nil
            }
            guard let target = target(of: pointer) else {
                report(
                    "`$ref: \(pointer)`: there is no such \(what) in this file",
                    fix: "expected `#/components/…` of something that is there", at: current.place)
                return nil
            }
            current = target
        }
        report("`$ref` of this \(what) leads back to itself", fix: "let one of them say what it is", at: node.place)
        return nil
    }

    /// What a JSON pointer in a fragment names (RFC 6901 §6).
    func target(of pointer: String) -> ContractNode? {
        guard pointer == "#" || pointer.hasPrefix("#/") else { return nil }
        var node = root
        for part in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = (Self.percentDecoded(part) ?? String(part)).replacing("~1", with: "/").replacing("~0", with: "~")
            switch node.value {
            case .map(let map):
                guard let next = map[name] else { return nil }
                node = next
            case .list(let list):
                guard let index = Int(name), list.indices.contains(index) else { return nil }
                node = list[index]
            default: return nil
            }
        }
        return node
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension ContractDocument {
    /// - Parameter root: nested no deeper than ``ContractNode/maximumDepth``.
    /// - Throws: everything that is wrong in the document, with its places.
    package init(_ root: ContractNode) throws(ContractProblems) {
        var builder = ContractBuilder(root)
        self = try builder.document()
    }
}

/// Whether two files say the same beside their versions: texts for people, examples and order of members included.
enum ContractDigest {
    /// FNV-1a of 64 bits: tells versions of one file apart, and nothing else hangs on it.
    static func fingerprint(_ text: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func of(_ root: ContractNode) -> String {
        guard let map = root.map else { return "" }
        let members = map.members.map { member in
            guard member.name == "info", let info = member.value.map else { return member }
            let rest = ContractMap(info.members.filter { $0.name != "version" })
            return ContractMap.Member(
                name: member.name, place: member.place, value: ContractNode(.map(rest), at: member.value.place))
        }
        return ContractValue(ContractNode(.map(ContractMap(members)), at: root.place)).canonicalText
    }
}
