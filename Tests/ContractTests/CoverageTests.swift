import Contract
import Testing

@Suite struct Coverage {
    static func orders() throws -> ContractDocument {
        try contract(
            """
            /api/v1/orders: {get: {}, post: {}}
            /api/v1/orders/{id}: {get: {}}
            /api/v1/orders/{id}/label.pdf: {get: {}}
            """)
    }

    @Test(
        arguments: [
            ("/api/v1/orders/**", ["GET", "POST"], nil),
            (
                "/api/v1/orders/**", ["GET", "PATCH"],
                "the contract has no PATCH for the route /api/v1/orders/**; it has GET, POST under /api/v1/orders"
            ),
            (
                "/api/v1/orders/**", ["DELETE", "PATCH", "PUT"],
                "the contract has no DELETE, PATCH or PUT for the route /api/v1/orders/**; it has GET, POST under /api/v1/orders"
            ),
            ("/api/v1/orders/{orderId}", ["GET", "HEAD"], nil), ("/api/v1/orders/export", ["GET"], nil),
            ("/api/v1/orders/**", [], nil),
            (
                "/api/v1/orders/{id}", ["POST"],
                "the contract has no POST for the route /api/v1/orders/{id}; it has GET for /api/v1/orders/{id}"
            ),
            (
                "/api/v1/users/**", [],
                "the contract has no path for the route /api/v1/users/**; its paths are /api/v1/orders, /api/v1/orders/{id}, /api/v1/orders/{id}/label.pdf"
            ),
            (
                "/api/{version}/orders", ["GET"],
                "the contract has no GET for the route /api/{version}/orders; it has GET, POST for /api/v1/orders"
            ),
        ] as [(String, [String], String?)])
    func `each route and method without a word in the contract is named`(
        pattern: String, methods: [String], sentence: String?
    ) throws {
        let missing = try Self.orders().uncovered(by: [CoveredRoute(pattern: pattern, methods: methods)])
        #expect(missing == [sentence].compactMap { $0 })
    }

    @Test func `a path that another route takes covers nothing`() throws {
        let routes = [CoveredRoute(pattern: "/api/v1/orders/**", methods: ["POST"], hosts: ["a.example"])]
        #expect(
            try Self.orders().uncovered(by: routes) { _, _, path in path != "/api/v1/orders" } == [
                "the contract has no POST for the route /api/v1/orders/** on a.example; it has GET, POST under /api/v1/orders"
            ])
    }

    @Test func `what is asked for and not listed is named, the most frequent first`() throws {
        let seen = [
            (endpoint: "GET /api/v1/orders/{id}", requests: 10), (endpoint: "GET /api/v1/orders/export", requests: 1),
            (endpoint: "PATCH /api/v1/orders/{id}", requests: 7), (endpoint: "HEAD /api/v1/orders", requests: 1),
            (endpoint: "GET /api/v1/orders/{id}/x/{y}", requests: 9), (endpoint: "", requests: 1),
        ]
        #expect(
            try Self.orders().unlisted(among: seen).map(\.sentence) == [
                "the contract does not list GET /api/v1/orders/{id}/x/{y}, asked for 9 times",
                "the contract does not list PATCH /api/v1/orders/{id}, asked for 7 times",
            ])
    }
}
