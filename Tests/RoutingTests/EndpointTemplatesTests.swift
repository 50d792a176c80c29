import Testing

@testable import Routing

@Suite struct EndpointTemplatesTests {
    private let templates: EndpointTemplates

    init() throws {
        templates = EndpointTemplates(
            routes: try [
                route("/api/v1/orders/**"), route("/users/{user}/notes"), route("/shops/{shop}/**"),
            ],
            known: [["/api/v1/orders/{id}", "/api/v1/orders/{id}/lines/{n}", "/api/v1/orders/export", "/bad/{x}.pdf"]])
    }

    @Test func anExplicitPatternIsItsOwnName() {
        #expect(templates.endpoint(route: 1, method: "PUT", path: "/users/7/notes") == "PUT /users/{user}/notes")
    }

    @Test(
        "Below a rest pattern the contract names the endpoint, else identifiers are replaced",
        arguments: [
            ("/api/v1/orders/ord_9a1", "/api/v1/orders/{id}"), ("/api/v1/orders/export", "/api/v1/orders/export"),
            ("/api/v1/orders/1/lines/2", "/api/v1/orders/{id}/lines/{n}"), ("/api/v1/orders", "/api/v1/orders"),
            ("/api/v1/orders/", "/api/v1/orders"), ("/api/v1/orders/1/refunds/9", "/api/v1/orders/{id}/refunds/{id}"),
        ])
    func restPattern(path: String, expected: String) {
        #expect(templates.endpoint(route: 0, method: "HEAD", path: path) == "HEAD \(expected)")
    }

    @Test func theParametersOfTheRouteKeepTheirNames() {
        #expect(templates.template(route: 2, path: "/shops/berlin/items/42") == "/shops/{shop}/items/{id}")
    }

    @Test func aRequestWithoutRouteIsGuessed() {
        #expect(templates.template(route: -1, path: "/x/v2/2026-11-21") == "/x/v2/{id}")
        #expect(templates.template(route: 99, path: "/") == "/")
    }

    @Test(
        arguments: [
            "1", "00123", "6f1c2a30-9d1f-4c57-8a3e-0b1d2c3e4f5a", "deadbeefdeadbeef", "ord_99018274a", "cus-7",
            "abcdefghijklmnopqrstuvwxyz", "2026-11-21", "a%20b", "x9", "v123",
        ])
    func identifiersAreReplaced(segment: String) { #expect(EndpointTemplates.looksLikeIdentifier(segment[...])) }

    @Test(arguments: ["orders", "line_items", "v1", "v12", "deadbeef", "export;v=1", ".well-known"])
    func wordsStay(segment: String) { #expect(!EndpointTemplates.looksLikeIdentifier(segment[...])) }
}
