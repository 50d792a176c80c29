import ArgumentParser
import Foundation
import ProxyConfiguration
import Spool

/// The files that dual-writes are kept in, by themselves: with no proxy running, or beside one.
struct SpoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool", abstract: "Look at the spool of dual-writes, and mend it after damage.",
        subcommands: [Check.self, Repair.self])

    struct Place: ParsableArguments {
        @Option(help: "The proxy's file, whose `data` has the spools.")
        var config = "Routes/proxy.yaml"

        @Argument(help: "Spools, in the place of those that the proxy's file leads to: data/spool/1 …")
        var directories: [String] = []

        func found(_ terminal: Terminal) -> [String]? {
            guard directories.isEmpty else { return directories }
            do throws(ConfigurationErrors) {
                let root = try ProxyConfiguration.load(path: config).dataDirectory + "/spool"
                let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
                return names.filter { UInt32($0) != nil }.sorted().map { root + "/" + $0 }
            } catch {
                for line in error.description.split(separator: "\n") { terminal.complain(String(line)) }
                return nil
            }
        }

        func each(_ work: (String) throws(SpoolError) -> SpoolReport) throws {
            let terminal = Terminal.standard
            guard let directories = found(terminal) else { throw ExitCode(1) }
            if directories.isEmpty { terminal.write("there is no spool") }
            var isIntact = true
            for directory in directories {
                do throws(SpoolError) {
                    let report = try work(directory)
                    for line in report.description.split(separator: "\n") { terminal.write(String(line)) }
                    isIntact = isIntact && report.isIntact
                } catch {
                    terminal.complain("strangler: \(error)")
                    isIntact = false
                }
            }
            if !isIntact { throw ExitCode(1) }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Read every byte and say what is not as it was written. Changes nothing; exit code 1 if anything is.")

        @OptionGroup var place: Place

        func run() async throws {
            try place.each { directory throws(SpoolError) in try Spool.inspect(directory: directory) }
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on without what is damaged; a copy of it is kept beside it.",
            discussion: """
                Only with no proxy on the spool. What it printed as damaged is gone for the ledger: `strangler reconcile` \
                finds what the two systems differ in.
                """)

        @OptionGroup var place: Place

        func run() async throws {
            try place.each { directory throws(SpoolError) in
                _ = try Spool.repair(directory: directory)
                return try Spool.inspect(directory: directory)
            }
        }
    }
}
