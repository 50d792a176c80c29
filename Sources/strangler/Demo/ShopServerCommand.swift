import ArgumentParser
import DemoShop
import Foundation
import Logging

/// One of the demo's own servers, in a process of its own so that the demo can really kill it.
struct ShopServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-server", abstract: "One server of the demo's shop.", shouldDisplay: false)

    enum Role: String, ExpressibleByArgument { case monolith, orders }

    @Argument var role: Role
    @Option(help: "Connection string of its database.") var database: String
    @Option(help: "Port on 127.0.0.1; 0: any free one.") var port = 0
    @Option(help: "Of the orders service: faulty or fixed.") var variant = OrdersVariant.faulty.rawValue

    func run() async throws {
        guard let variant = OrdersVariant(rawValue: variant) else {
            throw ValidationError("--variant is faulty or fixed")
        }
        let logger = Log.quiet()
        let (role, database, port) = (role, database, port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let ready: @Sendable (Int) async -> Void = { Console.print("ready \($0)") }
                switch role {
                case .monolith:
                    try await MonolithServer(conninfo: database, port: port, logger: logger).run(onReady: ready)
                case .orders:
                    try await OrdersServer(conninfo: database, port: port, variant: variant, logger: logger)
                        .run(onReady: ready)
                }
            }
            // The demo holds the other end of standard input: when the demo is gone, however it went, so are we.
            group.addTask { await ShopServerCommand.untilInputEnds() }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func untilInputEnds() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                while let data = try? FileHandle.standardInput.read(upToCount: 1024), !data.isEmpty {}
                continuation.resume()
            }
        }
    }
}
