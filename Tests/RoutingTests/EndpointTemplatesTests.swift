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

    @Test func pathsHaveOneShapeWhereTheyHaveOneName() {
        let paths = [
            "/shops/berlin", "/shops/rome/", "/shops/7/items", "/shops/7/items/1", "/shops/8/items/ord_2;a=b",
            "/shops/8/items;x/2/", "/shops/8/items/2/lines", "/shops/8/items/lines/2", "/shops/8/it/ems", "/shops/8/v1",
            "/shops/8/v2", "/shops/8/;x/items", "/shops/8/a%20b/c", "/shops/8/deadbeefdeadbeef/c", "/shops",
        ]
        func shape(_ path: String, _ route: Int) -> Int? {
            Array(path.utf8).withUnsafeBytes { templates.shape(route: route, path: $0) }
        }
        for one in paths {
            #expect(shape(one, 2) != nil && shape(one, 2) != shape(one, 0) && shape(one, 1) == nil)
            for other in paths {
                let isSame = templates.template(route: 2, path: one) == templates.template(route: 2, path: other)
                #expect((shape(one, 2) == shape(other, 2)) == isSame, "\(one) \(other)")
            }
        }
        #expect(shape("", 2) != nil && shape("/", -1) == nil)
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
