import Comparison
import Contract
import Testing

@Suite struct ContractChecks {
    static func document() throws -> ContractDocument {
        try contract(
            """
            /orders/{id}:
              get:
                responses:
                  "200":
                    content:
                      application/json:
                        schema:
                          type: object
                          required: [id, status, items]
                          additionalProperties: false
                          properties:
                            id: {type: string, maxLength: 4}
                            status: {enum: [open, paid]}
                            total: {type: number, minimum: 0}
                            items: {type: array, minItems: 1, items: {type: object, required: [price], properties: {price: {type: number}}}}
                            tags: {type: object, additionalProperties: {type: string}}
                  4XX: {content: {application/problem+json: {schema: {type: object, required: [title]}}}}
                  "304": {}
                  "303": {content: {"text/*": {}}}
            """)
    }

    private func said(
        _ body: String?, status: Int = 200, type: String? = "application/json; charset=utf-8", method: String = "GET",
        path: String = "/orders/ord_1"
    ) throws -> [String] {
        let finding = try Self.document().check(
            method: method, path: path, status: status, mediaType: type, body: body.map { try json($0) },
            hasBody: type != nil)
        return finding.violations.map(\.description) + [finding.unchecked?.rawValue].compactMap { $0 }
    }

    @Test func `an answer that keeps the contract`() throws {
        #expect(try said(#"{"id":"ää€1","status":"paid","total":0,"items":[{"price":1.5}],"tags":{"x":"y"}}"#) == [])
        #expect(try said(#"{"title":"no"}"#, status: 404, type: "application/problem+json") == [])
        #expect(try said(nil, status: 304, type: nil) == [])
        #expect(try said(nil, type: nil, method: "HEAD") == [])
        #expect(try said(nil, status: 303, type: "text/html") == [])
    }

    @Test func `every violation has its place and no value of the answer`() throws {
        let place = "GET /orders/{id} 200 application/json "
        #expect(
            try said(
                #"{"id":"12345","status":"secret","total":-1,"items":[{"price":"1"},{"price":"2"},{}],"tags":{"x":1},"extra":1}"#
            ) == [
                place + "$.id has more than 4 characters", place + "$.status is none of \"open\", \"paid\"",
                place + "$.total is under 0", place + "$.items[*].price is a string, the contract says number",
                place + "$.items[*].price is missing, the contract requires it",
                place + "$.tags.* is an integer, the contract says string",
                place + "$.extra is no property that the contract allows",
            ])
        #expect(try said("[]") == [place + "$ is an array, the contract says object"])
        #expect(
            try said("{}", status: 418)
                == [
                    "GET /orders/{id} 418 is of the media type application/json, the contract says application/problem+json"
                ].map { $0.replacing("of the media type ", with: "") })
        #expect(
            try said("{}", status: 201) == [
                "GET /orders/{id} 201 is no status of the contract, which lists 200, 4XX, 304, 303"
            ])
        #expect(try said("{}", status: 500) == ["server-error"])
        #expect(
            try said(nil, type: nil, path: "/orders/1/x") == ["not-in-contract"])
    }

    @Test func `what could not be read is unchecked, not kept`() throws {
        #expect(try said(nil) == ["body"])
        #expect(try said("{}", path: "/orders") == ["not-in-contract"])
    }

    @Test func `of many violations some are told`() throws {
        let members = (0..<500).map { "\"p\($0)\":1" }.joined(separator: ",")
        #expect(try said("{\(members)}").count == 33)  // And that there is more.
    }
}
