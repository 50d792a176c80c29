import Comparison
import Extraction
import Foundation
import Routing
import Testing

@testable import ProxyConfiguration

@Suite struct LoadTests {
    /// A folder with the given files, removed afterwards.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try body(folder.path)
    }

    @Test func siblingsAreExtractionsAndShadowHoldsTheirRules() throws {
        let files = [
            "Routes/proxy.yaml": Sample.proxy, "Routes/orders.yaml": Sample.orders + "\ncontract: contracts/o.yaml",
            "Routes/users.yml": Sample.orders.replacing("orders", with: "users"), "Routes/.hidden.yaml": "[",
            "Routes/README.md": "# no", "Routes/contracts/o.yaml": "openapi: 3.0.0\npaths: {}",
            "Shadow/orders.yaml": "extraction: orders\nredact: [\"$.a\"]", "Shadow/schema/x.yaml": "[",
        ]
        try withFolder(files) { folder in
            let configuration = try ProxyConfiguration.load(path: folder + "/Routes/proxy.yaml")
            #expect(configuration.extractions.map(\.definition.name) == ["orders", "users"])
            #expect(configuration.extractions.map(\.rules.redact.count) == [1, 0])
            #expect(configuration.extractions[0].contractPath == folder + "/Routes/contracts/o.yaml")
            #expect(configuration.dataDirectory == folder + "/.strangler")
            #expect(
                configuration.routes.map(\.location.file)
                    == ["orders.yaml", "users.yml"].map { folder + "/Routes/" + $0 })
        }
    }

    @Test func aFileThatCannotBeReadHidesNoOtherError() throws {
        let files = ["Routes/proxy.yaml": Sample.proxy + "\nunknown: 1", "Routes/orders.yaml": Sample.orders]
        try withFolder(files) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/Routes/gone.yaml", withDestinationPath: folder + "/nowhere")
            let errors = #expect(throws: ConfigurationErrors.self) {
                try ProxyConfiguration.load(path: folder + "/Routes/proxy.yaml")
            }
            let text = errors?.description ?? ""
            #expect(text.contains("gone.yaml:1:1") && text.contains("unknown"), "\(text)")
        }
    }

    @Test func errorsNameFilesAsTheCallerDid() throws {
        let files = [
            "Routes/proxy.yaml": "x: 1", "Routes/a.yaml": Sample.orders + "\ncontract: c.txt", "Routes/c.txt": "- 1",
            "Shadow/a.yaml": "extraction: b",
        ]
        try withFolder(files) { folder in
            let path = folder + "/Routes/../Routes/proxy.yaml"
            let errors = #expect(throws: ConfigurationErrors.self) { try ProxyConfiguration.load(path: path) }
            let names = Set(errors?.errors.map { $0.location.file.replacing(folder, with: "") } ?? [])
            #expect(
                names == [
                    "/Routes/../Routes/proxy.yaml", "/Routes/../Routes/c.txt", "/Routes/../Shadow/a.yaml",
                ])
        }
    }

    @Test func aMissingFileIsOneClearError() {
        let errors = #expect(throws: ConfigurationErrors.self) {
            try ProxyConfiguration.load(path: "/nowhere/proxy.yaml")
        }
        #expect(errors?.errors.count == 1)
        #expect(errors?.description.hasPrefix("/nowhere/proxy.yaml:1:1: the file does not exist") == true)
        #expect(throws: ConfigurationErrors.self) { try ProxyConfiguration.load(path: "") }
        #expect(throws: ConfigurationErrors.self) { try ProxyConfiguration.load(path: "/") }
    }

    @Test func theFilesOfThisRepositoryAreValid() throws {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let configuration = try ProxyConfiguration.load(path: root.path + "/Routes/proxy.yaml")
        #expect(configuration.extractions.map(\.definition.name) == ["orders"])
        #expect(configuration.extractions[0].rules.ignore.count == 1)
        let index = configuration.routeTable.match(method: "GET", path: "/api/v1/orders/ord_99018274a")
        #expect(index == 0)
        #expect(
            configuration.templates.endpoint(route: index, method: "HEAD", path: "/api/v1/orders/ord_99018274a")
                == "HEAD /api/v1/orders/{id}")
        #expect(configuration.monolith.first.port == 9000 && configuration.extractions[0].service.first.port == 9100)
    }
}
