import ArgumentParser
import ProxyConfiguration

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads the route and rule files and says everything that is wrong with them.")

    @Option(help: "The proxy's file; extractions are its siblings, rules lie in ../Shadow beside it.")
    var config = "Routes/proxy.yaml"

    func run() async throws {
        do throws(ConfigurationErrors) {
            let configuration = try ProxyConfiguration.load(path: config)
            Console.print(
                "ok: \(configuration.extractions.count) extraction(s), \(configuration.routes.count) route(s)")
        } catch {
            Console.error(error.description)
            throw ExitCode(1)
        }
    }
}
