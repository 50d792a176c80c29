// swift-tools-version: 6.1
import PackageDescription

// Reading order is the life of a request: bytes (HTTPWire) → route (Routing) → decision (Extraction) →
// upstream (Upstreams, Resilience) → proxy (ProxyServer) → shadow (ShadowRunner, DualWrite, Comparison) →
// store (PostgresStore). Imports point down only: executable → I/O → pure.

let nio = "swift-nio"

let package = Package(
    name: "strangler",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Pure: no NIO, no files, no clock of their own.
        .target(name: "HTTPWire"),
        .target(name: "Routing", dependencies: ["HTTPWire"]),
        .target(name: "Extraction"),
        .target(name: "Resilience"),
        .target(name: "Comparison", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "DualWrite", dependencies: ["Comparison"]),

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
            name: "ShadowSchema",
            path: "Shadow",
            exclude: ["README.md"],
            sources: ["schema/Migrations.swift"],
            resources: [
                .embedInCode("orders.yaml"), .embedInCode("schema/001_stages.sql"),
                .embedInCode("schema/002_evidence.sql"),
            ]
        ),
        .target(
            name: "PostgresStore",
            dependencies: [
                "Extraction", "Comparison", "PostgresClient", "ShadowSchema",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ProxyConfiguration",
            dependencies: ["Routing", "Extraction", "Comparison", .product(name: "Yams", package: "Yams")]
        ),
        .target(
            name: "Upstreams",
            dependencies: [
                "HTTPWire", "Resilience",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
            ]
        ),
        .target(
            name: "ProxyServer",
            dependencies: [
                "HTTPWire", "Routing", "Extraction", "Resilience", "Upstreams",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "ShadowRunner",
            dependencies: [
                "HTTPWire", "Routing", "Extraction", "Comparison", "DualWrite", "Upstreams",
                .product(name: "NIOCore", package: nio), .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
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

        // Three rings of tests: pure values, embedded channel, live loopback on port 0 with real Postgres.
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire"]),
        .testTarget(name: "RoutingTests", dependencies: ["Routing", "HTTPWire"]),
        .testTarget(name: "ExtractionTests", dependencies: ["Extraction", "Resilience", "DualWrite"]),
        .testTarget(name: "ComparisonTests", dependencies: ["Comparison", "DualWrite"]),
        .testTarget(
            name: "PostgresTests",
            dependencies: [
                "PostgresClient", "PostgresStore", "ShadowSchema", "Extraction", "Comparison",
                .product(name: "Logging", package: "swift-log"),
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
