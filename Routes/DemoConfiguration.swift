/// The files beside this one, as the demo copies them: what it runs on is what the repository shows.
package enum DemoConfiguration {
    package static let proxy = text(PackageResources.proxy_yaml)
    package static let orders = text(PackageResources.orders_yaml)
    package static let ordersContract = text(PackageResources.orders_openapi_yaml)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
