import ArgumentParser
import Foundation
import Logging
import ProxyConfiguration
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the proxy.",
        discussion: """
            SIGTERM and SIGINT let requests under way finish, then exit 0; a second one ends at once with 1. SIGHUP loads \
            the files anew, as a change of one of them does.

            With --takeover the process takes the addresses over from the one that serves them on the same `data` now, \
            which answers what it has accepted and exits 0. No request is lost. If this process cannot start, the running \
            one does not notice.
            """)

    @Option(help: "The proxy's file; extractions are its siblings, rules lie in ../Shadow beside it.")
    var config = "Routes/proxy.yaml"

    @Flag(name: .customLong("no-watch"), help: "Load changed files only at SIGHUP and `strangler reload`.")
    var isNotWatching = false

    @Flag(help: "Take over from the proxy that runs on the same data; without one, just start.")
    var takeover = false

    func run() async throws {
        let logger = Log.make()
        // From the first moment on: a SIGHUP that comes while the process is starting would end it.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let proxy: ProxyProcess
        do {
            proxy = try await ProxyProcess.start(
                file: config, isWatching: !isNotWatching, isTakingOver: takeover, logger: logger)
        } catch let error as ConfigurationErrors {
            Console.error(error.description)
            throw ExitCode(1)
        } catch let error as StartError {
            Console.error("strangler: \(error.description)")
            throw ExitCode(1)
        }
        for line in proxy.introduction { Console.print(line) }
        await serve(proxy, signals, logger)
    }

    /// Until the proxy has stopped.
    private func serve(_ proxy: ProxyProcess, _ signals: UnixSignalsSequence, _ logger: Logger) async {
        let listening = Task {
            var isStopping = false
            for await signal in signals {
                switch signal {
                case .sighup: _ = await proxy.files.reload(because: "SIGHUP")
                case _ where isStopping:
                    logger.warning("stopped at once, at the second signal; requests under way are cut off")
                    Foundation.exit(1)
                default:
                    isStopping = true
                    proxy.askToStop()
                }
            }
        }
        await proxy.run()
        listening.cancel()
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
