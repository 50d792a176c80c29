import ArgumentParser
import DemoShop
import Extraction
import Foundation
import Logging
import PostgresClient
import ServiceLifecycle
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Starts a shop's monolith, an extracted orders service and the proxy in front of both.",
        discussion: """
            Everything runs on 127.0.0.1 with Postgres servers of its own, and goes when it ends, unless --folder says \
            where to keep it. With --tour it walks through a whole migration by itself and exits 0 only if every step \
            was proved.
            """)

    @Flag(help: "Walk the five steps, in seconds instead of days.") var tour = false
    @Option(help: "Port of the proxy. Default: 8080 if it is free, else any.") var port: Int?
    @Option(help: "Port of the admin address. Default: 9901 if it is free, else any.") var adminPort: Int?
    @Option(help: "Keep files and data here.") var folder: String?
    @Option(help: "Requests a second of the demo's own traffic; 0: none.") var rate = 20.0

    func run() async throws {
        for port in [port, adminPort].compactMap({ $0 }) where !(0...65535).contains(port) {
            throw ValidationError("a port is a number from 0 to 65535")
        }
        do {
            if tour { try await runTour() } else { try await runDemo() }
        } catch let error as StartError {
            Console.error("strangler: \(error)")
            throw ExitCode(1)
        } catch let error as PostgresError {
            Console.error("strangler: \(error)")
            throw ExitCode(1)
        }
    }

    private func start(_ isTour: Bool) async throws -> DemoWorld {
        let folder = folder.map { $0.hasPrefix("/") ? $0 : FileManager.default.currentDirectoryPath + "/" + $0 }
        return try await DemoWorld.start(
            .init(
                port: port, adminPort: adminPort, folder: folder, isCompressed: isTour, startsService: !isTour),
            logger: isTour ? Log.quiet() : Log.make())
    }

    private func runTour() async throws {
        let began = ContinuousClock.now
        let world = try await start(true)
        do {
            try await Tour(world: world).walk()
        } catch {
            await world.stop()
            Console.error("the tour stopped: \(error)")
            throw ExitCode(1)
        }
        await world.stop()
        let seconds = (ContinuousClock.now - began).components.seconds
        Console.print("\nEvery step was proved, in \(seconds) s.")
    }

    private func runDemo() async throws {
        let world = try await start(false)
        for line in introduction(world) { Console.print(line) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: DemoTraffic(world: world, rate: rate))],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: Log.quiet()))
        try await group.run()
        await world.stop()
    }

    private func introduction(_ world: DemoWorld) -> [String] {
        let admin = world.proxy.adminPort == 9901 ? "" : " --admin \(world.adminURL)"
        return [
            "",
            "  shop, through the proxy   \(world.url)/api/v1/orders/ord_99018274a",
            "  console                   \(world.adminURL)/",
            "  monolith                  http://127.0.0.1:\(world.monolithPort)",
            "  orders service            http://127.0.0.1:\(world.ordersPort)   (with the faults that extractions have)",
            "  routes and rules          \(world.folder)",
            "",
            "Try, in another terminal:",
            "  strangler status orders\(admin)",
            "  strangler advance orders\(admin)        # three times, to stage shadow",
            "  strangler diffs orders\(admin)          # what the service does differently",
            "  strangler history orders\(admin)",
            "",
            "Ctrl-C ends everything.",
        ]
    }
}

/// The trickle of traffic beside the interactive demo.
private struct DemoTraffic: Service {
    let world: DemoWorld
    let rate: Double

    func run() async throws {
        let traffic = world.traffic(shoppers: 20, perSecond: rate)
        let shopping = Task { if rate > 0 { await traffic.run() } }
        let backfill = Task { await keepServiceFilled() }
        try? await gracefulShutdown()
        shopping.cancel()
        backfill.cancel()
        await shopping.value
        await backfill.value
    }

    /// What the orders team does until shadow writes keep its data: it carries the monolith's orders over, so that what
    /// differs are faults and not gaps. Ends shortly after stage shadow was entered, when the last old order is there.
    private func keepServiceFilled() async {
        var roundsLeft = 5
        while roundsLeft > 0, (try? await Task.sleep(for: .milliseconds(400))) != nil {
            if let state = await world.proxy.keeper.states["orders"], state.stage >= .shadow { roundsLeft -= 1 }
            // With the shop's Postgres gone there is nothing to carry over; the next round tries again.
            _ = try? await world.backfill()
        }
    }
}
