import ArgumentParser
import Spool

struct SpoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool", abstract: "Looks at the files that writes are on record in, and mends damaged ones.",
        discussion: "A directory is one spool, as .strangler/spool/1, or holds several.",
        subcommands: [Check.self, Repair.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Checks every byte and changes none, while the proxy runs or not: exit code 1 if anything is damaged.")

        @Argument(help: "The directory.")
        var directory: String

        func run() async throws {
            let code = exitCode(on: .standard)
            if code != 0 { throw ExitCode(code) }
        }

        func exitCode(on terminal: Terminal) -> Int32 {
            SpoolCommand.exitCode(directory, on: terminal) { path throws(SpoolError) in
                let report = try Spool.inspect(directory: path)
                terminal.write(report.description)
                return report.isIntact
            }
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Goes on without what is damaged: copies of those bytes are kept beside the segments.",
            discussion: """
                The proxy must not be running. Writes whose records were there are not delivered, or once more; \
                `strangler reconcile` finds where the two systems differ.
                """)

        @Argument(help: "The directory.")
        var directory: String

        func run() async throws {
            let code = exitCode(on: .standard)
            if code != 0 { throw ExitCode(code) }
        }

        func exitCode(on terminal: Terminal) -> Int32 {
            SpoolCommand.exitCode(directory, on: terminal) { path throws(SpoolError) in
                let before = try Spool.repair(directory: path)
                if !before.isIntact { terminal.write("before:\n\(before)\nafter:") }
                let after = try Spool.inspect(directory: path)
                terminal.write(after.description)
                return after.isIntact
            }
        }
    }

    /// 0 if `isIntact` says so of every spool in the directory.
    private static func exitCode(
        _ directory: String, on terminal: Terminal, _ isIntact: (String) throws(SpoolError) -> Bool
    ) -> Int32 {
        var isGood = true
        do throws(SpoolError) {
            for path in try SpoolDirectories(root: directory).spools() {
                // The others are looked at, too.
                do throws(SpoolError) {
                    let isIntact = try isIntact(path)
                    isGood = isGood && isIntact
                } catch {
                    terminal.complain("\(error)")
                    isGood = false
                }
            }
        } catch {
            terminal.complain("\(error)")
            return 1
        }
        return isGood ? 0 : 1
    }
}
