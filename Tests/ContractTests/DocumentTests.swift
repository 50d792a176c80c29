import Contract
import ProxyConfiguration
import Testing

@Suite struct ContractDocuments {
    @Test func `references are followed, rings of schemas and all`() throws {
        let document = try contract(
            """
            /nodes/{id}:
              $ref: "#/components/pathItems/Node"
            """,
            components: """
                pathItems:
                  Node:
                    parameters: [{$ref: "#/components/parameters/Id"}]
                    get: {responses: {"200": {$ref: "#/components/responses/Node"}, 4XX: {}, default: {}}}
                parameters:
                  Id: {name: id, in: path, required: true, schema: {type: string}}
                responses:
                  Node: {content: {application/json: {schema: {$ref: "#/components/schemas/Node"}}}}
                schemas:
                  Node: {type: object, required: [next], properties: {next: {anyOf: [{$ref: "#/components/schemas/Node"}, {type: "null"}]}}}
                """)
        #expect(document.operations.map(\.name) == ["GET /nodes/{id}"])
        func violations(_ body: String) throws -> [String] {
            document.check(
                method: "GET", path: "/nodes/1", status: 200, mediaType: "application/json", body: try json(body)
            ).violations.map(\.description)
        }
        #expect(try violations(#"{"next": {"next": {"next": null}}}"#) == [])
        #expect(
            try violations(#"{"next": {"next": {}}}"#) == [
                "GET /nodes/{id} 200 application/json $.next.next.next is missing, the contract requires it"
            ])
        #expect(document.version == "1.4.2" && document.title == "T")
    }

    @Test func `everything that is wrong is told at once, with its place`() {
        let text = """
            openapi: 3.0.3
            paths:
              /a:
                get:
                  parameters: [{name: q}]
                  responses:
                    "99": {}
                    "200": {$ref: "#/components/responses/None"}
                    "201": {content: {json: {}}}
                    "202": {content: {application/json: {schema: {type: text, minLength: -1, minimum: x, properties: []}}}}
                    "203": {content: {application/json: {schema: {$ref: "#/components/schemas/Ring"}}}}
              b: {}
            components:
              schemas:
                Ring: {$ref: "#/components/schemas/Ring2"}
                Ring2: {$ref: "#/components/schemas/Ring"}
            """
        #expect(
            errors(text) == [
                "c.yaml:5:20: a parameter lacks `name` or `in` (`in` is one of path, query, header, cookie)",
                "c.yaml:7:9: `99` is no status (expected `200`, `4XX` or `default`)",
                "c.yaml:8:16: `$ref: #/components/responses/None`: there is no such response in this file "
                    + "(expected `#/components/…` of something that is there)",
                "c.yaml:9:27: `json` is no media type (expected `application/json`)",
                "c.yaml:10:61: `type` is `text` (expected string, number, integer, boolean, array, object or null)",
                "c.yaml:10:78: `minLength` is no count (expected a whole number from 0 on)",
                "c.yaml:10:91: `minimum` is no number (expected a number)",
                "c.yaml:10:106: `properties` is a list (expected names with schemas)",
                "c.yaml:11:54: `$ref` of this schema leads back to itself (let one of them say what it is)",
                "c.yaml:12:3: `b` is no path (expected `/…`)",
            ])
    }

    @Test func `JSON is taken, too, and numbers keep their digits`() throws {
        let document = try ContractDocument.parse(
            ConfigurationFile(
                name: "c.json",
                text: #"{"openapi": "3.1.0", "info": {"version": 1.10}, "paths": {"/a": {"get": {"responses": {}}}}}"#))
        #expect(document.version == "1.10" && document.operations.map(\.name) == ["GET /a"])
    }

    @Test func `what is not looked at is named with its first place`() throws {
        let document = try answering("{type: string, pattern: a, allOf: [{pattern: b, if: {}}, {$ref: other.yaml}]}")
        #expect(
            document.ignored.map { "\($0.place.line): \($0.message)" } == [
                "6: `pattern` in schemas", "6: `if` in schemas", "6: `$ref: other.yaml`: other files are not read",
            ])
    }

    @Test func `hostile documents end, with errors or without`() throws {
        // Deep nesting.
        let deep = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
        #expect(errors("openapi: 3.1.0\npaths: {}\nx-a: \(deep)").first?.contains("nested more than 128 deep") == true)
        let schemas = String(repeating: "{items: ", count: 100) + "{}" + String(repeating: "}", count: 100)
        #expect(throws: Never.self) { try answering(schemas) }
        // A long chain of references.
        var chain = "schemas:\n  S5000: {type: string}\n"
        for number in 0..<5000 {
            chain += "  S\(number): {type: object, properties: {a: {$ref: \"#/components/schemas/S\(number + 1)\"}}}\n"
        }
        let long = try answering("{$ref: \"#/components/schemas/S0\"}", components: chain)
        #expect(differences(long, long) == [])
        // References that multiply parts.
        let types = (0..<1000).map { "a/t\($0): {}" }.joined(separator: ", ")
        let paths = (0..<1000).map { "/p\($0): {get: {responses: {\"200\": {$ref: \"#/components/responses/R\"}}}}" }
        let many =
            "openapi: 3.1.0\npaths: {\(paths.joined(separator: ", "))}\ncomponents: {responses: {R: {content: {\(types)}}}}"
        #expect(errors(many).contains { $0.contains("more than 200000 parts") })
        // Numbers.
        let huge = String(repeating: "9", count: 10_000)
        let numbers = try answering(
            "{type: number, minimum: 1e999999999999, maximum: \(huge), multipleOf: 1e-400, enum: [1e99999999999]}")
        #expect(differences(numbers, numbers) == [])
        let check = numbers.check(
            method: "GET", path: "/x", status: 200, mediaType: "application/json", body: try json("1e99999999999"))
        #expect(check.violations == [] || check.unchecked != nil)
    }

    @Test func `alternatives that multiply do not hang`() throws {
        var components = "schemas:\n"
        for level in 0..<30 {
            let next = "{$ref: \"#/components/schemas/L\(level + 1)\"}"
            components += "  L\(level): {type: object, oneOf: [\(next), {properties: {a: \(next), b: \(next)}}]}\n"
        }
        let one = try answering(
            "{$ref: \"#/components/schemas/L0\"}", components: components + "  L30: {type: object, required: [x]}")
        let other = try answering(
            "{$ref: \"#/components/schemas/L0\"}", components: components + "  L30: {type: object, required: [y]}")
        #expect(differences(one, one) == [])
        #expect(differences(one, other).contains { $0.hasPrefix("!") })
        let body = try json(String(repeating: #"{"a":"#, count: 30) + "{}" + String(repeating: "}", count: 30))
        _ = one.check(method: "GET", path: "/x", status: 200, mediaType: "application/json", body: body)
    }

    @Test func `schemas within themselves do not hang`() throws {
        for schema in [
            "{allOf: [{$ref: \"#/components/schemas/A\"}]}",
            "{oneOf: [{$ref: \"#/components/schemas/A\"}, {type: string}]}",
            "{items: {$ref: \"#/components/schemas/A\"}, allOf: [{$ref: \"#/components/schemas/A\"}]}",
        ] {
            let one = try answering("{$ref: \"#/components/schemas/A\"}", components: "schemas: {A: \(schema)}")
            let other = try answering(
                "{$ref: \"#/components/schemas/A\"}", components: "schemas: {A: {type: integer, allOf: [\(schema)]}}")
            #expect(differences(one, one) == [])
            _ = differences(one, other)
            _ = one.check(method: "GET", path: "/x", status: 200, mediaType: "application/json", body: try json("[1]"))
        }
    }
}
