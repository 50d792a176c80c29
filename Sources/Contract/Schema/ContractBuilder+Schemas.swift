internal import Comparison

extension ContractBuilder {
    mutating func addSchema(_ schema: ContractSchema) -> SchemaID {
        schemas.append(schema)
        return schemas.count - 1
    }

    /// Reads a schema in its place; of a reference, the schema that it stands for, which is read later.
    mutating func schema(_ node: ContractNode) -> SchemaID {
        if let pointer = node["$ref"]?.text {
            let target = referenced(pointer, at: node)
            // In 3.0 what stands beside a reference is ignored (OpenAPI 3.0.3 §4.7.23), but for `nullable`, which
            // many write there and mean.
            let beside = siblings(of: node)
            guard !beside.members.isEmpty else { return target }
            var schema = ContractSchema()
            schema.allOf = [target]
            let id = addSchema(schema)
            read(ContractNode(.map(beside), at: node.place), into: id)
            return id
        }
        let id = addSchema(ContractSchema())
        read(node, into: id)
        return id
    }

    private func siblings(of node: ContractNode) -> ContractMap {
        let members = node.map?.members ?? []
        return ContractMap(
            members.filter { member in
                isOpenAPI30
                    ? member.name == "nullable"
                    : member.name != "$ref" && !Self.annotations.contains(member.name) && !member.name.hasPrefix("x-")
            })
    }

    private mutating func referenced(_ pointer: String, at node: ContractNode) -> SchemaID {
        if let id = schemaOfPointer[pointer] { return id }
        var schema = ContractSchema()
        guard let target = resolved(node, "schema") else {
            schema.opaque["$ref"] = pointer
            let id = addSchema(schema)
            schemaOfPointer[pointer] = id
            return id
        }
        schema.name = pointer.split(separator: "/").last.map(String.init)
        let id = addSchema(schema)
        schemaOfPointer[pointer] = id
        pending.append((id, target))
        return id
    }

    mutating func readPendingSchemas() {
        while let next = pending.popLast() { read(next.node, into: next.id) }
    }

    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "xml",
        "externalDocs", "discriminator", "nullable", "$comment", "$id", "$anchor", "$schema", "$defs", "definitions",
        "summary", "contentEncoding", "contentMediaType", "contentSchema",
    ]

    private mutating func read(_ node: ContractNode, into id: SchemaID) {
        if let value = node.boolean {
            if !value { schemas[id].types = [] }
            return
        }
        guard let map = node.map else {
            if case .null = node.value { return }
            return report("a schema is \(node.kindName)", fix: "expected `type: …` and so on", at: node.place)
        }
        var schema = schemas[id]
        for member in map.members { read(member, &schema) }
        if map["exclusiveMinimum"]?.boolean == true { schema.minimum = schema.minimum?.exclusive }
        if map["exclusiveMaximum"]?.boolean == true { schema.maximum = schema.maximum?.exclusive }
        let isNullable = map["nullable"]?.boolean == true
        if isNullable, map["type"] != nil { schema.types.insert(.null) }
        if isNullable, map["type"] == nil, !schema.allOf.isEmpty || !schema.alternatives.isEmpty {
            // OpenAPI 3.0.3 gives this no meaning; everybody who writes it means this.
            var null = ContractSchema()
            null.types = .null
            var either = ContractSchema()
            either.alternatives = [[addSchema(schema), addSchema(null)]]
            schema = either
        }
        schemas[id] = schema
    }

    private mutating func read(_ member: ContractMap.Member, _ schema: inout ContractSchema) {
        let node = member.value
        switch member.name {
        case "type": schema.types = types(node)
        case "enum":
            guard let list = node.list else {
                return report("`enum` is \(node.kindName)", fix: "expected a list of values", at: node.place)
            }
            schema.enumerations.append(ContractValues(list.map { ContractValue($0) }))
        case "const": schema.enumerations.append(ContractValues([ContractValue(node)]))
        case "minimum": schema.minimum = bound(member, isExclusive: false, schema.minimum)
        case "maximum": schema.maximum = bound(member, isExclusive: false, schema.maximum)
        case "exclusiveMinimum": schema.minimum = bound(member, isExclusive: true, schema.minimum)
        case "exclusiveMaximum": schema.maximum = bound(member, isExclusive: true, schema.maximum)
        case "minLength": schema.lengths.least = size(member)
        case "maxLength": schema.lengths.most = size(member)
        case "minItems": schema.items.least = size(member)
        case "maxItems": schema.items.most = size(member)
        case "minProperties": schema.members.least = size(member)
        case "maxProperties": schema.members.most = size(member)
        case "properties":
            for property in node.map?.members ?? [] { schema.properties[property.name] = self.schema(property.value) }
            if node.map == nil {
                report("`properties` is \(node.kindName)", fix: "expected names with schemas", at: node.place)
            }
        case "required":
            guard let list = node.list else {
                return report("`required` is \(node.kindName)", fix: "expected a list of names", at: node.place)
            }
            schema.required = Set(list.compactMap(\.text))
        case "additionalProperties":
            schema.additional = additional(node)
        case "items": schema.element = self.schema(node)
        case "allOf": schema.allOf += schemas(of: member)
        case "oneOf", "anyOf":
            let alternatives = schemas(of: member)
            if !alternatives.isEmpty { schema.alternatives.append(alternatives) }
        case "format": schema.opaque["format"] = node.text
        case let name where Self.annotations.contains(name) || name.hasPrefix("x-") || name == "$ref": break
        default:
            ignore("`\(member.name)` in schemas", at: member.place)
            schema.opaque[member.name] = ContractValue(node).canonicalText
        }
    }

    private mutating func additional(_ node: ContractNode) -> ContractSchema.Additional {
        guard case .boolean(let isAllowed) = node.value else { return .schema(schema(node)) }
        return isAllowed ? .allowed : .forbidden
    }

    private mutating func schemas(of member: ContractMap.Member) -> [SchemaID] {
        guard let list = member.value.list else {
            report("`\(member.name)` is \(member.value.kindName)", fix: "expected a list of schemas", at: member.place)
            return []
        }
        return list.map { schema($0) }
    }

    private mutating func types(_ node: ContractNode) -> SchemaTypes {
        let names = node.list ?? [node]
        var types: SchemaTypes = []
        for name in names {
            // `type: [string, null]` without quotes is YAML's null.
            let text = if case .null = name.value { "null" } else { name.text ?? "" }
            guard let type = SchemaTypes(name: text) else {
                report(
                    "`type` is `\(text)`",
                    fix: "expected string, number, integer, boolean, array, object or null", at: name.place)
                continue
            }
            types.formUnion(type)
        }
        return types
    }

    /// - Parameter other: the bound so far; the tighter of the two holds, that of `exclusive…` if they are equal.
    private mutating func bound(
        _ member: ContractMap.Member, isExclusive: Bool, _ other: SchemaBound?
    ) -> SchemaBound? {
        switch member.value.value {
        case .boolean where isExclusive:
            // 3.0: says how `minimum` is meant, wherever that stands; seen to when all is read.
            return other
        case .number(let text):
            guard let value = ExactDecimal(text.utf8) else {
                ignore("`\(member.name): \(text)`: the number is too large", at: member.place)
                return other
            }
            let bound = SchemaBound(value: value, isExclusive: isExclusive, text: text)
            guard let other else { return bound }
            let isLower = member.name.lowercased().hasSuffix("minimum")
            if other.value == value { return isExclusive ? bound : other }
            return (other.value < value) == isLower ? bound : other
        default:
            report("`\(member.name)` is no number", fix: "expected a number", at: member.value.place)
            return other
        }
    }

    private mutating func size(_ member: ContractMap.Member) -> Int? {
        guard case .number(let text) = member.value.value, let number = ExactDecimal(text.utf8), number.isWhole,
            number >= ExactDecimal.zero
        else {
            report("`\(member.name)` is no count", fix: "expected a whole number from 0 on", at: member.value.place)
            return nil
        }
        // What no document reaches is no bound, or one that nothing meets.
        return Int(text) ?? Double(text).flatMap(Int.init(exactly:)) ?? .max
    }
}
