import HTTPWire
import Routing
import Testing

@Suite struct EndpointIndexTests {
    private static func index() throws -> (EndpointIndex, RouteTable) {
        let location = SourceLocation(file: "a.yaml", line: 1, column: 1)
        func route(_ path: String, _ extraction: Int) throws -> Route {
            Route(pattern: try RoutePattern(parsing: path), extraction: extraction, location: location)
        }
        let routes = [try route("/a/**", 0), try route("/b/{id}", 1), try route("/c/**", 1)]
        let templates = EndpointTemplates(routes: routes, known: [["/a/{id}", "/a/{id}/x", "/b.{e}"], []])
        return (EndpointIndex(routes: routes, templates: templates, extractions: ["a", "bc"]), try RouteTable(routes))
    }

    @Test(arguments: [
        ("/a", "a", "GET /a/**"), ("/a/1", "a", "GET /a/{id}"), ("/a/1/x", "a", "GET /a/{id}/x"),
        ("/a/1/y", "a", "GET /a/**"), ("/A/1", "a", "GET /a/{id}"), ("/b/9", "bc", "GET /b/{id}"),
        ("/c/9", "bc", "GET /c/**"),
    ])
    func `a request has the contract's endpoint, or else its route's`(path: String, extraction: String, name: String)
        throws
    {
        let (index, table) = try Self.index()
        let number = Array(path.utf8).withUnsafeBytes {
            index.endpoint(route: table.match(method: "GET", path: path), path: $0)
        }
        let names = try #require(index.names(endpoint: number, method: .get))
        #expect(names.extraction == extraction && names.endpoint == name)
        #expect((0..<index.count).contains(number))
    }

    @Test func `there are as many as the files name, and nothing else is one`() throws {
        let (index, _) = try Self.index()
        #expect(index.count == 5)
        #expect(index.names(endpoint: 5, method: .get) == nil && index.names(endpoint: -1, method: .get) == nil)
        #expect(index.names(endpoint: 0, method: .other)?.endpoint == "other /a/**")
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(index.endpoint(route: -1, path: none) == -1 && index.endpoint(route: 3, path: none) == -1)
        #expect(EndpointIndex.none.endpoint(route: 0, path: none) == -1)
    }

    @Test(arguments: [
        ("/a/b/c", 0, "a"), ("/a/b/c", 2, "c"), ("/a/b;x=1/c", 1, "b"), ("/a/b/c", 3, nil), ("/a//c", 1, nil),
        ("/a/;x", 1, nil), ("/", 0, nil), ("", 0, nil), ("*", 0, nil), ("/a", -1, nil),
    ])
    func `a segment is found by its number`(path: String, index: Int, value: String?) {
        let found = Array(path.utf8).withUnsafeBytes { bytes in
            PathSegments.value(at: index, of: bytes).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(found == value)
    }

    @Test func `a pattern knows where its parameters stand`() throws {
        let pattern = try RoutePattern(parsing: "/a/{x}/b/{y}/**")
        #expect(pattern.segment(of: "x") == 1 && pattern.segment(of: "y") == 3 && pattern.segment(of: "z") == nil)
    }
}
