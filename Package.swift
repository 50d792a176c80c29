// swift-tools-version: 6.2
import PackageDescription

// Reading order is the life of a request: bytes (HTTPWire) → route (Routing) → decision (Extraction) →
// upstream (Upstreams, Resilience) → proxy (ProxyServer) → shadow (ShadowRunner, DualWrite, Spool, Comparison) →
// store (PostgresStore). Imports point down only: executable → I/O → pure.

let nio = "swift-nio"

let package = Package(
    name: "strangler",
    products: [
        .executable(name: "strangler", targets: ["strangler"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Pure: no NIO, no files, no clock of their own.
        .target(name: "HTTPWire"),
        .target(name: "Routing", dependencies: ["HTTPWire"]),
        .target(name: "Extraction"),
        .target(name: "Resilience"),
        .systemLibrary(
            name: "CCodecs",
            providers: [.apt(["zlib1g-dev", "libbrotli-dev", "libzstd-dev"])]
        ),
        .target(name: "ContentCoding", dependencies: ["CCodecs"]),
        .target(
            name: "Comparison",
            dependencies: ["ContentCoding", "Extraction", .product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "Contract", dependencies: ["Comparison"]),
        .target(name: "DualWrite", dependencies: ["Comparison", "Extraction", "Routing"]),

        // I/O: act on what the pure modules decide.
        .systemLibrary(
            name: "CLibPQ",
            providers: [.apt(["libpq-dev"])]
        ),
        .target(
            name: "PostgresClient",
            dependencies: ["CLibPQ", .product(name: "Logging", package: "swift-log")]
        ),
        .target(
            name: "Spool",
            dependencies: [
                "DualWrite", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ShadowSchema",
            path: "Shadow",
            exclude: ["README.md"],
            sources: ["schema/Migrations.swift"],
            resources: [
                .embedInCode("orders.yaml"), .embedInCode("schema/001_stages.sql"),
                .embedInCode("schema/002_evidence.sql"), .embedInCode("schema/003_evidence_depth.sql"),
                .embedInCode("schema/004_machine.sql"), .embedInCode("schema/005_ledger.sql"),
                .embedInCode("schema/006_decisions.sql"),
            ]
        ),
        .target(
            name: "PostgresStore",
            dependencies: [
                "Extraction", "Comparison", "DualWrite", "PostgresClient", "ShadowSchema",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ProxyConfiguration",
            dependencies: [
                "Routing", "Extraction", "Comparison", "Contract", .product(name: "Yams", package: "Yams"),
            ]
        ),
        .target(
            name: "Upstreams",
            dependencies: [
                "HTTPWire", "Extraction", "Resilience", "DualWrite",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ProxyServer",
            dependencies: [
                "HTTPWire", "Routing", "Extraction", "Resilience", "DualWrite", "Upstreams",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ShadowRunner",
            dependencies: [
                "HTTPWire", "Routing", "ContentCoding", "Extraction", "Comparison", "Contract", "DualWrite",
                "Upstreams",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "AdminAPI",
            dependencies: [
                "Extraction", "Comparison", "DualWrite",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "DemoShop",
            dependencies: [
                "PostgresClient",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "DemoConfiguration",
            path: "Routes",
            exclude: ["README.md"],
            resources: [
                .embedInCode("proxy.yaml"), .embedInCode("orders.yaml"),
                .embedInCode("contracts/orders.openapi.yaml"),
            ]
        ),
        .executableTarget(
            name: "strangler",
            dependencies: [
                "HTTPWire", "Routing", "Extraction", "Comparison", "Contract", "DualWrite", "Resilience", "Upstreams",
                "Spool", "PostgresClient", "PostgresStore", "ShadowSchema", "ProxyConfiguration", "ProxyServer",
                "ShadowRunner", "AdminAPI", "DemoShop", "DemoConfiguration",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),

        // Three rings of tests: pure values, embedded channel, live loopback on port 0 with real Postgres.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(
            name: "FuzzProperties",
            dependencies: [
                "HTTPWire", "Routing", "Extraction", "Comparison", "ContentCoding", "Contract", "DualWrite", "Spool",
                "TestSupport",
            ],
            path: "Tests/Fuzzing/Properties"),
        .executableTarget(
            name: "comparison-benchmark", dependencies: ["Comparison"], path: "Tests/Benchmarks/comparison"),
        .executableTarget(
            name: "spool-benchmark", dependencies: ["Spool", "DualWrite", "Extraction"], path: "Tests/Benchmarks/spool"),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire", "FuzzProperties", "TestSupport"]),
        .testTarget(name: "RoutingTests", dependencies: ["Routing", "HTTPWire", "TestSupport"]),
        .testTarget(name: "ExtractionTests", dependencies: ["Extraction", "TestSupport"]),
        .testTarget(
            name: "DualWriteTests",
            dependencies: ["DualWrite", "Comparison", "Extraction", "HTTPWire", "Routing", "TestSupport"]),
        .testTarget(
            name: "SpoolTests",
            dependencies: ["Spool", "DualWrite", "TestSupport", .product(name: "Logging", package: "swift-log")]),
        .testTarget(name: "ResilienceTests", dependencies: ["Resilience", "TestSupport"]),
        .testTarget(
            name: "ComparisonTests",
            dependencies: ["Comparison", "ContentCoding", "DualWrite", "Extraction", "TestSupport"]),
        .testTarget(
            name: "ContractTests", dependencies: ["Contract", "Comparison", "ProxyConfiguration", "TestSupport"]),
        .testTarget(
            name: "ProxyConfigurationTests",
            dependencies: ["ProxyConfiguration", "Routing", "Extraction", "Comparison", "TestSupport"]),
        .testTarget(
            name: "PostgresTests",
            dependencies: [
                "PostgresClient", "PostgresStore", "ShadowSchema", "ShadowRunner", "Extraction", "Comparison",
                "DualWrite", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "ProxyServerTests",
            dependencies: [
                "ProxyServer", "ShadowRunner", "Upstreams", "HTTPWire", "Resilience", "Routing", "Extraction",
                "Comparison", "DualWrite", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "NIOEmbedded", package: nio), .product(name: "NIOHTTP1", package: nio),
                .product(name: "NIOWebSocket", package: nio),
            ]
        ),
        .testTarget(
            name: "ShadowRunnerTests",
            dependencies: [
                "ShadowRunner", "DualWrite", "Upstreams", "Comparison", "Contract", "Extraction", "Routing", "HTTPWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
            ]
        ),
        .testTarget(
            name: "LiveTests",
            dependencies: [
                "strangler", "AdminAPI", "DemoShop", "Extraction", "Comparison", "DualWrite", "Spool",
                "ProxyConfiguration", "ProxyServer", "PostgresClient", "PostgresStore", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "NIOHTTP1", package: nio),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system && target.type != .plugin {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
        ]
}

// Two dozen checks per request that no other access to a property is under way cost a fifth of the data plane's
// instructions. Debug builds, and with them all tests, keep them.
let hotPath: Set = ["HTTPWire", "Routing", "Extraction", "Resilience", "Upstreams", "ProxyServer"]
for target in package.targets where hotPath.contains(target.name) {
    target.swiftSettings?.append(
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)))
}
