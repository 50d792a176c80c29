import Contract
import Testing

@Suite struct ContractDiffs {
    static let old = """
        /orders:
          get:
            parameters:
              - {name: limit, in: query, schema: {type: integer, maximum: 100}}
              - {name: sort, in: query, schema: {type: string}}
            responses:
              "200":
                headers: {ETag: {required: true, schema: {type: string}}}
                content:
                  application/json: {schema: {$ref: "#/components/schemas/Orders"}}
                  text/csv: {}
              "404": {}
          post:
            security: [{key: []}]
            requestBody:
              content: {application/json: {schema: {$ref: "#/components/schemas/New"}}}
            responses: {"201": {}}
          delete: {responses: {default: {}}}
        /orders/{id}:
          parameters: [{name: id, in: path, required: true, schema: {type: string}}]
          get: {responses: {default: {content: {application/json: {schema: {type: object}}}}}}
        """
    static let oldComponents = """
        securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
        schemas:
          Orders: {type: object, required: [items, total], properties: {items: {type: array, items: {$ref: "#/components/schemas/Order"}}, total: {type: integer}}}
          Order: {type: object, required: [price, status], properties: {price: {type: number}, status: {enum: [open, paid]}, note: {type: string}}}
          New: {type: object, required: [product], properties: {product: {type: string, maxLength: 50}, quantity: {type: number}}}
        """

    @Test func `every change has its place, and says whether it breaks`() throws {
        let new = """
            /orders:
              get:
                parameters:
                  - {name: limit, in: query, schema: {type: integer, maximum: 50}}
                  - {name: tenant, in: header, required: true, schema: {type: string}}
                  - {name: page, in: query, schema: {type: string}}
                responses:
                  "200":
                    headers: {ETag: {schema: {type: string}}}
                    content:
                      application/json: {schema: {$ref: "#/components/schemas/Orders"}}
                  "429": {}
              post:
                security: [{key: [], oauth: [write]}]
                requestBody:
                  required: true
                  content: {application/json: {schema: {$ref: "#/components/schemas/New"}}}
                responses: {"201": {}}
              put: {}
            /orders/{orderId}:
              parameters: [{name: orderId, in: path, required: true, schema: {type: string}}]
              get: {responses: {"200": {content: {application/json: {schema: {type: object}}}}, default: {content: {application/json: {schema: {type: object}}}}}}
            """
        let components = """
            securitySchemes: {key: {type: apiKey, in: query, name: key}, oauth: {type: oauth2}}
            schemas:
              Orders: {type: object, required: [items], properties: {items: {type: array, items: {$ref: "#/components/schemas/Order"}}, total: {type: integer}, more: {type: boolean}}}
              Order: {type: object, required: [price, status], properties: {price: {type: [number, "null"]}, status: {enum: [open, paid, lost]}}}
              New: {type: object, required: [product, customer], properties: {product: {type: string, maxLength: 20}, quantity: {type: integer}, customer: {type: string}, gift: {type: boolean}}}
            """
        let one = try contract(Self.old, components: Self.oldComponents)
        let other = try contract(new, components: components, version: "1.5.0")
        #expect(
            differences(one, other) == [
                "! DELETE /orders: is gone",
                "! GET /orders 200 application/json $.items[*].note: is gone",
                "! GET /orders 200 application/json $.items[*].price: the type is number or null, it was number",
                "! GET /orders 200 application/json $.items[*].status: the value \"lost\" is new",
                "! GET /orders 200 application/json $.total: is no longer required",
                "! GET /orders 200 header ETag: is no longer required", "! GET /orders 200 text/csv: is gone",
                "! GET /orders 404: is gone", "! GET /orders header tenant: is new and required",
                "! GET /orders query limit: the maximum is 50, it was 100", "! GET /orders query sort: is gone",
                "! POST /orders request: is required now",
                "! POST /orders request application/json $.customer: is new and required",
                "! POST /orders request application/json $.product: the greatest length is 20, it was 50",
                "! POST /orders request application/json $.quantity: the type is integer, it was number",
                "! POST /orders security: needs key with oauth with oauth:write now; key was enough",
                "! security scheme key: is in query, name key, type apiKey, it was in header, name X-Key, type apiKey",
                "  GET /orders 200 application/json $.more: is new", "  GET /orders 429: is new",
                "  GET /orders query page: is new",
                "  POST /orders request application/json $.gift: is new", "  PUT /orders: is new",
            ])
        let diff = ContractDiff(from: one, to: other)
        #expect(diff.step == .major && diff.wanted?.description == "2.0.0" && !diff.isAnnounced)
        #expect(differences(one, one) == [])
    }

    @Test(
        arguments: [
            ("1.4.2", "1.5.0", VersionStep.major, "2.0.0", false), ("1.4.2", "2.0.0", .major, "2.0.0", true),
            ("0.4.2", "0.5.0", .major, "0.5.0", true), ("1.4.2", "1.4.3", .minor, "1.5.0", false),
            ("v1.4", "1.5", .minor, "1.5.0", true), ("1.4.2", "1.4.2", .none, "1.4.2", true),
            ("1.4.2", "1.4.3-rc.1", .patch, "1.4.3", true),
        ])
    func `the version rises with what changed`(
        old: String, new: String, step: VersionStep, wanted: String, isAnnounced: Bool
    ) throws {
        let schema =
            switch step {
            case .none: "{type: string, description: a}"
            case .patch: "{type: string, description: b}"
            case .minor: "{type: string, maxLength: 9}"
            case .major: "{type: integer}"
            }
        let diff = ContractDiff(
            from: try answering("{type: string, description: a}", version: old), to: try answering(schema, version: new)
        )
        #expect(diff.step == step && diff.wanted?.description == wanted && diff.isAnnounced == isAnnounced)
    }

    @Test func `what is no version announces nothing`() throws {
        let (one, other) = (try answering("{type: string}", version: "2024-10"), try answering("{}", version: "2025"))
        let diff = ContractDiff(from: one, to: other)
        #expect(diff.isBreaking && diff.wanted == nil && !diff.isAnnounced)
        #expect(SemanticVersion(parsing: "a.b") == nil && SemanticVersion(parsing: "") == nil)
        #expect(SemanticVersion(parsing: "1.2.3.4") == nil && SemanticVersion(parsing: "99999999999999999999") == nil)
    }

    @Test(
        arguments: [
            // One meaning, several spellings.
            ("{type: [string, \"null\"]}", "{oneOf: [{type: \"null\"}, {type: string}]}", ""),
            ("{type: boolean}", "{enum: [true, false]}", ""),
            (
                "{allOf: [{type: object, properties: {a: {type: string}}}]}",
                "{type: object, properties: {a: {type: string}}}", ""
            ),
            ("{const: 1}", "{enum: [1.0]}", ""),
            // Formats.
            ("{type: integer, format: int32}", "{type: integer, format: int64}", "response"),
            ("{type: string, format: date}", "{type: string, format: date-time}", "both"),
            ("{type: string}", "{type: string, pattern: a}", "request"),
            // Alternatives.
            (
                "{oneOf: [{type: object, required: [a]}, {type: object, required: [b]}]}",
                "{oneOf: [{type: object, required: [b]}, {type: object, required: [a]}, {type: object, required: [c]}]}",
                "response"
            ),
            ("{type: object, required: [a]}", "{anyOf: [{type: object, required: [a]}, {type: string}]}", "response"),
            // Maps.
            (
                "{type: object, additionalProperties: {type: integer}}",
                "{type: object, additionalProperties: {type: number}}", "response"
            ),
            ("{type: object}", "{type: object, additionalProperties: false}", "request"),
            (
                "{type: object, additionalProperties: false}",
                "{type: object, additionalProperties: false, properties: {a: {}}}", "response"
            ),
            ("{type: array, items: {type: integer}}", "{type: array}", "response"),
            ("{type: number, exclusiveMinimum: 1}", "{type: number, minimum: 1}", "response"),
        ])
    func `both directions`(old: String, new: String, breaks: String) throws {
        let answers = ContractDiff(from: try answering(old), to: try answering(new))
        let requests = ContractDiff(from: try taking(old), to: try taking(new))
        #expect(answers.isBreaking == (breaks == "response" || breaks == "both"), "\(answers.changes)")
        #expect(requests.isBreaking == (breaks == "request" || breaks == "both"), "\(requests.changes)")
        if breaks.isEmpty { #expect(answers.changes.isEmpty && requests.changes.isEmpty) }
    }

    @Test func `nullable of 3.0 is null of 3.1`() throws {
        let old = try contract(
            """
            /a: {get: {responses: {"200": {content: {application/json: {schema: {type: string, nullable: true}}}}}}}
            /b: {get: {responses: {"200": {content: {application/json: {schema: {nullable: true, allOf: [{$ref: "#/components/schemas/S"}]}}}}}}}
            /c: {get: {responses: {"200": {content: {application/json: {schema: {type: integer, minimum: 1, exclusiveMinimum: true}}}}}}}
            """, components: "schemas: {S: {type: string}}", openapi: "3.0.3")
        let new = try contract(
            """
            /a: {get: {responses: {"200": {content: {application/json: {schema: {type: [string, "null"]}}}}}}}
            /b: {get: {responses: {"200": {content: {application/json: {schema: {anyOf: [{$ref: "#/components/schemas/S"}, {type: "null"}]}}}}}}}
            /c: {get: {responses: {"200": {content: {application/json: {schema: {type: integer, exclusiveMinimum: 1}}}}}}}
            """, components: "schemas: {S: {type: string}}")
        #expect(differences(old, new) == [])
    }
}
