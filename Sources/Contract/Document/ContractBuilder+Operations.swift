extension ContractBuilder {
    mutating func operations(of path: ContractMap.Member, _ security: [Set<String>]) -> [ContractOperation] {
        guard path.name.utf8.lazy.filter({ $0 == UInt8(ascii: "/") }).count <= PathTemplate.maximumSegments else {
            report(
                "the path has more than \(PathTemplate.maximumSegments) segments", fix: "no route is that long",
                at: path.place)
            return []
        }
        guard let item = resolved(path.value, "path"), case .map(let map) = item.value else {
            if case .null = path.value.value { return [] }
            if path.value["$ref"] == nil {
                report("`\(path.name)` is \(path.value.kindName)", fix: "expected its methods", at: path.value.place)
            }
            return []
        }
        let shared = parameters(map["parameters"])
        var operations: [ContractOperation] = []
        for member in map.members where Self.methods.contains(member.name) {
            guard spend(1 + shared.count, at: member.place) else { return operations }
            guard let operation = member.value.map else {
                report(
                    "`\(member.name)` is \(member.value.kindName)", fix: "expected `responses:` and what else it has",
                    at: member.value.place)
                continue
            }
            let own = parameters(operation["parameters"])
            operations.append(
                ContractOperation(
                    method: member.name.uppercased(), path: path.name, place: member.place,
                    parameters: merged(own, shared), requestBody: requestBody(operation["requestBody"]),
                    responses: responses(operation["responses"]),
                    security: securityRequirements(operation["security"]) ?? security))
            for name in ["callbacks"] { if let node = operation[name] { ignore("`\(name)`", at: node.place) } }
        }
        return operations
    }

    /// An operation's own parameter replaces that of its path (OpenAPI 3.1 §4.8.9).
    private func merged(_ own: [ContractParameter], _ shared: [ContractParameter]) -> [ContractParameter] {
        let keys = Set(own.map(\.key))
        return own + shared.filter { !keys.contains($0.key) }
    }

    private mutating func list(_ node: ContractNode?, _ name: String) -> [ContractNode] {
        guard let node else { return [] }
        if let list = node.list { return list }
        if case .null = node.value { return [] }
        report("`\(name)` is \(node.kindName)", fix: "expected a list", at: node.place)
        return []
    }

    /// The members of a mapping without extensions.
    mutating func members(_ node: ContractNode?, _ name: String) -> [ContractMap.Member] {
        guard let node else { return [] }
        if let map = node.map { return map.members.filter { !$0.name.hasPrefix("x-") } }
        if case .null = node.value { return [] }
        report("`\(name)` is \(node.kindName)", fix: "expected a mapping", at: node.place)
        return []
    }

    // MARK: - Requests

    private mutating func parameters(_ node: ContractNode?) -> [ContractParameter] {
        list(node, "parameters").compactMap { node in
            guard spend(at: node.place), let parameter = resolved(node, "parameter") else { return nil }
            guard let name = parameter["name"]?.text,
                let location = parameter["in"]?.text.flatMap(ContractParameter.Location.init(rawValue:))
            else {
                report(
                    "a parameter lacks `name` or `in`", fix: "`in` is one of path, query, header, cookie",
                    at: parameter.place)
                return nil
            }
            // OpenAPI 3.1 §4.8.12: header parameters of these names are ignored.
            if location == .header, ["accept", "content-type", "authorization"].contains(name.lowercased()) {
                return nil
            }
            return ContractParameter(
                location: location, name: name,
                isRequired: location == .path || parameter["required"]?.boolean == true,
                schema: valueSchema(of: parameter), writing: writing(of: parameter, location))
        }
    }

    /// Of a parameter or a header: its `schema`, or that of its only media type.
    private mutating func valueSchema(of node: ContractNode) -> SchemaID {
        if let schema = node["schema"] { return self.schema(schema) }
        if let media = node["content"]?.map?.members.first?.value, let schema = media["schema"] {
            return self.schema(schema)
        }
        return addSchema(ContractSchema())
    }

    private func writing(of parameter: ContractNode, _ location: ContractParameter.Location) -> String {
        if let type = parameter["content"]?.map?.members.first?.name { return type }
        let isForm = location == .query || location == .cookie
        let style = parameter["style"]?.text ?? (isForm ? "form" : "simple")
        let explode = parameter["explode"]?.boolean ?? (style == "form")
        return style + (explode ? ", exploded" : "")
            + (parameter["allowReserved"]?.boolean == true ? ", reserved characters allowed" : "")
    }

    private mutating func requestBody(_ node: ContractNode?) -> ContractBody? {
        guard let node, spend(at: node.place), let body = resolved(node, "request body") else { return nil }
        return ContractBody(isRequired: body["required"]?.boolean == true, content: content(body["content"]))
    }

    private mutating func content(_ node: ContractNode?) -> [ContractMedia] {
        members(node, "content").compactMap { member in
            guard spend(at: member.place) else { return nil }
            let type = member.name.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
            guard type.contains("/") else {
                report("`\(member.name)` is no media type", fix: "expected `application/json`", at: member.place)
                return nil
            }
            return ContractMedia(type: type, schema: member.value["schema"].map { schema($0) })
        }
    }

    // MARK: - Answers

    private mutating func responses(_ node: ContractNode?) -> [ContractResponse] {
        members(node, "responses").compactMap { member in
            guard let status = Self.status(member.name) else {
                report(
                    "`\(member.name)` is no status", fix: "expected `200`, `4XX` or `default`", at: member.place)
                return nil
            }
            guard spend(at: member.place), let response = resolved(member.value, "response") else { return nil }
            return ContractResponse(
                status: status, headers: headers(response["headers"]), content: content(response["content"]))
        }
    }

    private static func status(_ text: String) -> String? {
        if text == "default" { return text }
        let upper = text.uppercased()
        guard upper.utf8.count == 3, let first = upper.first, "12345".contains(first) else { return nil }
        let rest = upper.dropFirst()
        return rest == "XX" || rest.allSatisfy { $0.isASCII && $0.isNumber } ? upper : nil
    }

    private mutating func headers(_ node: ContractNode?) -> [ContractHeader] {
        members(node, "headers").compactMap { member in
            // OpenAPI 3.1 §4.8.17.
            guard member.name.lowercased() != "content-type", spend(at: member.place),
                let header = resolved(member.value, "header")
            else { return nil }
            return ContractHeader(
                name: member.name, isRequired: header["required"]?.boolean == true, schema: valueSchema(of: header))
        }
    }

    // MARK: - Security

    /// Nil where nothing is said: what is said above holds.
    mutating func securityRequirements(_ node: ContractNode?) -> [Set<String>]? {
        guard let node else { return nil }
        return list(node, "security").map { requirement in
            Set(
                members(requirement, "security").flatMap { member in
                    [member.name] + (member.value.list ?? []).compactMap(\.text).map { "\(member.name):\($0)" }
                })
        }
    }

    mutating func securitySchemes() -> [String: String] {
        var schemes: [String: String] = [:]
        for member in members(root["components"]?["securitySchemes"], "securitySchemes") {
            guard let scheme = resolved(member.value, "security scheme"), let map = scheme.map else { continue }
            // What a client has to do; not where it reads about it.
            let kept = map.members.filter { ["type", "scheme", "in", "name", "openIdConnectUrl"].contains($0.name) }
            schemes[member.name] = kept.map { "\($0.name) \($0.value.text ?? "?")" }.sorted().joined(separator: ", ")
        }
        return schemes
    }
}

extension ContractParameter {
    /// What makes it this one: names of headers have no case.
    var key: String { location.rawValue + " " + (location == .header ? name.lowercased() : name) }
}
