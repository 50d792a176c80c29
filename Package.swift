// swift-tools-version: 6.1
import PackageDescription

// Reading order is the life of a request: bytes (HTTPWire) → route (Routing) → decision (Extraction) →
// upstream (Upstreams, Resilience) → proxy (ProxyServer) → shadow (ShadowRunner, DualWrite, Comparison) →
// store (PostgresStore). Imports point down only: executable → I/O → pure.

let package = Package(
    name: "strangler",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
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

        // Three rings of tests: pure values, embedded channel, live loopback on port 0 with real Postgres.
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire"]),
        .testTarget(name: "RoutingTests", dependencies: ["Routing", "HTTPWire"]),
        .testTarget(name: "ExtractionTests", dependencies: ["Extraction", "Resilience", "DualWrite"]),
        .testTarget(name: "ComparisonTests", dependencies: ["Comparison", "DualWrite"]),
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
