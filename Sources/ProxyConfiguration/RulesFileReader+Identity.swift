import Comparison
import Routing
import Yams

/// The `identity` section: what both systems call by one name, and what each has a name of its own for.
extension RulesFileReader {
    private static let mapKeys = ["path", "query", "headers", "body", "location", "learn", "creates", "same"]

    /// Fields whose values mean something else, or that are written anew for each side.
    private static let reserved: Set<String> = [
        "host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "te",
        "trailer",
        "upgrade", "expect", "via", "date", "cookie", "set-cookie", "authorization", "location", "content-location",
        "etag", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range", "accept",
        "idempotency-key", "max-forwards", "keep-alive", "proxy-connection", "forwarded", "x-real-ip",
    ]

    func identityRules() -> [IdentityRule] {
        var places: [String: SourceLocation] = [:]
        return entries("identity", keys: ["field", "adopt", "map"]) { rule, node in
            guard let read = identityRule(rule) else { return nil }
            let here = rule["field"].map(source.location) ?? source.location(of: node)
            if let first = places[read.kind] {
                source.diagnostics.report(
                    "`field`: `\(read.kind)` has a rule in line \(first.line) already", fix: "keep one", at: here)
            }
            places[read.kind] = places[read.kind] ?? here
            return read
        }
    }

    private func identityRule(_ rule: FieldReader) -> IdentityRule? {
        let field = rule.required("field", example: "field: \"$.orderId\"")
            .flatMap { source.value($0, "field", Self.memberPattern) }
        guard let means = rule.one(of: ["adopt", "map"], in: "an identity rule", example: "adopt: body") else {
            return nil
        }
        if means.key == "adopt" {
            let adopt = adoption(means.node)
            guard let field, let adopt else { return nil }
            return IdentityRule(field: field, adopt: adopt)
        }
        let places = places(means.node)
        guard let field, let places else { return nil }
        return IdentityRule(field: field, map: places)
    }

    private func adoption(_ node: Node) -> IdentityRule.Adoption? {
        if node.scalar != nil {
            return source.value(node, "adopt", Values.oneOf([("body", IdentityRule.Adoption.body)]))
        }
        return FieldReader(node, of: "`adopt`", keys: ["header"], source)
            .flatMap { fields in fields.required("header", example: "header: X-Order-Id") }
            .flatMap { source.value($0, "header", Values.token) }
            .map { .header($0) }
    }

    /// `true`: what the field's name says; a mapping says it itself, key by key.
    private func places(_ node: Node) -> IdentityPlaces? {
        if node.scalar != nil {
            return source.value(node, "map", Values.oneOf([("true", IdentityPlaces())]))
        }
        guard let fields = FieldReader(node, of: "`map`", keys: Self.mapKeys, source) else { return nil }
        var places = IdentityPlaces()
        places.path = list(fields, "path", of: "parameters", Self.pathPlace)
        places.query = list(fields, "query", of: "parameters", Values.text)
        places.headers = list(fields, "headers", of: "header names", Self.header) ?? []
        places.body = list(fields, "body", of: "paths", Self.bodyPattern)
        places.location = fields.value("location", Values.oneOf([("true", true), ("false", false)])) ?? true
        places.learn = list(fields, "learn", of: "paths", Self.bodyPattern)
        places.creates = list(fields, "creates", of: "endpoints", Self.endpoint)
        places.same = fields.value("same", Self.regex)
        return places
    }

    private func list<Value>(
        _ fields: FieldReader, _ key: String, of what: String, _ parse: (String) throws(ValueError) -> Value
    ) -> [Value]? {
        fields.list(key, of: what).map { source.values($0, key, parse) }
    }

    // MARK: - Values

    private static func memberPattern(_ text: String) throws(ValueError) -> PathPattern {
        let pattern = try pattern(text)
        guard pattern.memberNames != nil else {
            throw ValueError("`\(text)` does not name one field", fix: "expected such as $.orderId or $.order.id")
        }
        return pattern
    }

    private static func bodyPattern(_ text: String) throws(ValueError) -> PathPattern {
        let pattern = try pattern(text)
        guard pattern.isInDocument else {
            throw ValueError("`\(text)` is not in the body", fix: "expected such as $..orderId or $.items[*].id")
        }
        return pattern
    }

    private static func pathPlace(_ text: String) throws(ValueError) -> String {
        guard text.hasPrefix("/") else {
            guard !text.isEmpty, text.utf8.allSatisfy(isOfName) else {
                throw ValueError(
                    "`\(text)` names no parameter", fix: "expected such as orderId or /api/v1/orders/{id}")
            }
            return text
        }
        let pattern = try route(text)
        guard case .parameter = pattern.segments.last, !pattern.matchesRest else {
            throw ValueError(
                "`\(text)` does not end with a parameter", fix: "expected such as orderId or /api/v1/orders/{id}")
        }
        return text
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func route(_ text: String) throws(ValueError) -> RoutePattern {
        do throws(RoutePatternError) {
            return try RoutePattern(parsing: text)
        } catch {
            throw ValueError("`\(text)`: \(error)", fix: "expected such as /api/v1/orders/{id}")
        }
    }

    private static func header(_ text: String) throws(ValueError) -> String {
        let name = try Values.token(text)
        guard !reserved.contains(name.lowercased()), !name.lowercased().hasPrefix("strangler-"),
            !name.lowercased().hasPrefix("x-forwarded-")
        else {
            throw ValueError("`\(text)` holds no identity", fix: "expected a header of your own, such as X-Order-Id")
        }
        return name
    }

    private static func endpoint(_ text: String) throws(ValueError) -> String {
        guard let name = EndpointName(text), name.method.utf8.allSatisfy({ 0x41...0x5A ~= $0 }) else {
            throw ValueError("`\(text)` is no endpoint", fix: "expected such as POST /api/v1/orders")
        }
        _ = try route(name.template)
        return text
    }
}
