import ArgumentParser
import Logging
import ProxyConfiguration
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Runs the proxy.")

    @Option(help: "The proxy's file; extractions are its siblings, rules lie in ../Shadow beside it.")
    var config = "Routes/proxy.yaml"

    func run() async throws {
        let configuration: ProxyConfiguration
        do throws(ConfigurationErrors) {
            configuration = try ProxyConfiguration.load(path: config)
        } catch {
            Console.error(error.description)
            throw ExitCode(1)
        }
        let logger = Log.make()
        let proxy: ProxyProcess
        do {
            proxy = try await ProxyProcess.start(configuration, logger: logger)
        } catch let error as StartError {
            Console.error("strangler: \(error.description)")
            throw ExitCode(1)
        }
        for line in proxy.introduction { Console.print(line) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: proxy)], gracefulShutdownSignals: [.sigterm, .sigint], logger: Log.quiet()))
        try await group.run()
    }
}

enum Log {
    /// One line per event on standard error.
    static func make() -> Logger {
        var logger = Logger(label: "strangler") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .notice
        return logger
    }

    /// For libraries that would report their own ordinary life.
    static func quiet() -> Logger {
        var logger = make()
        logger.logLevel = .error
        return logger
    }
}

/// Why the proxy cannot start, in one line that says what to do.
struct StartError: Error, CustomStringConvertible {
    let description: String
}
