import Comparison
import Contract
import Extraction
import Routing

extension ProxyConfiguration {
    /// Makes the configuration of files in memory; touches no disk but through `files.contract`.
    ///
    /// - Throws: everything that is wrong in all of the files.
    package static func parse(files: ConfigurationFiles) throws(ConfigurationErrors) -> ProxyConfiguration {
        var assembly = ConfigurationAssembly(files: files)
        return try assembly.assemble()
    }
}

/// Puts the parts of several files together and checks what only shows between them: names used twice, rules for nobody,
/// contracts that are not there, routes that clash.
struct ConfigurationAssembly {
    private let files: ConfigurationFiles
    private let diagnostics = Diagnostics()
    private var drafts: [ExtractionFileReader.Draft] = []
    private var contracts: [(path: String?, document: ContractDocument?)] = []

    init(files: ConfigurationFiles) { self.files = files }

    mutating func assemble() throws(ConfigurationErrors) -> ProxyConfiguration {
        let proxy = ProxyFileReader.read(files.proxy, diagnostics)
        drafts = files.extractions.enumerated().map { index, file in
            ExtractionFileReader.read(file, extraction: index, diagnostics)
        }
        checkNames()
        contracts = drafts.map(contract)
        let rules = rulesByExtraction()
        let routes = drafts.flatMap(\.routes)
        let table = freeze(routes)
        let extractions = drafts.indices.compactMap { extraction(at: $0, rules) }
        guard diagnostics.errors.isEmpty, let table, let admin = proxy.admin, let monolith = proxy.monolith else {
            throw ConfigurationErrors(errors: diagnostics.errors)
        }
        let writeRules = drafts.flatMap { draft in
            draft.routeWrites.map { $0.rules(draft.definition?.writeRules ?? WriteRules()) }
        }
        let base = FilePath.parent(of: files.routesFolder)
        var spool = proxy.spool
        spool.keyFile = spool.keyFile.map { FilePath.absolute($0, in: base) }
        return ProxyConfiguration(
            listen: proxy.listen, admin: admin, monolith: monolith, store: proxy.store,
            dataDirectory: FilePath.absolute(proxy.data, in: base),
            limits: proxy.limits, timeouts: proxy.timeouts, retry: proxy.retry, drain: proxy.drain,
            trustedProxies: proxy.trustedProxies, threads: proxy.threads, extractions: extractions, routes: routes,
            writeRules: writeRules, routeTable: table,
            templates: EndpointTemplates(routes: routes, known: contracts.map { $0.document?.templates ?? [] }),
            spool: spool)
    }

    private func checkNames() {
        var seen: [String: SourceLocation] = [:]
        for draft in drafts {
            guard let name = draft.name else { continue }
            if let first = seen[name] {
                diagnostics.report(
                    "the extraction `\(name)` is already defined at \(first)", fix: "give one of them another name",
                    at: draft.nameLocation)
            } else {
                seen[name] = draft.nameLocation
            }
        }
    }

    private func contract(_ draft: ExtractionFileReader.Draft) -> (path: String?, document: ContractDocument?) {
        guard let contract = draft.contract else { return (nil, nil) }
        let path = FilePath.absolute(contract.path, in: files.routesFolder)
        guard let file = files.contract(path) else {
            diagnostics.report(
                "`contract`: the file `\(contract.path)` does not exist or cannot be read",
                fix: "expected a path relative to the routes' folder, such as contracts/orders.openapi.yaml",
                at: contract.location)
            return (path, nil)
        }
        return (path, ContractReader.document(of: file, diagnostics))
    }

    private func rulesByExtraction() -> [String: ComparisonRules] {
        var rules: [String: ComparisonRules] = [:]
        var seen: [String: SourceLocation] = [:]
        let known = drafts.compactMap(\.name)
        for file in files.rules {
            let draft = RulesFileReader.read(file, diagnostics)
            guard let name = draft.extraction else { continue }
            if let first = seen[name] {
                diagnostics.report(
                    "there are rules for `\(name)` already at \(first)", fix: "put them into one file",
                    at: draft.extractionLocation)
            } else if !known.contains(name) {
                diagnostics.report(
                    "no route file defines the extraction `\(name)`",
                    fix: known.isEmpty ? "remove the file" : Suggestion.fix(for: name, known: known),
                    at: draft.extractionLocation)
            }
            seen[name] = seen[name] ?? draft.extractionLocation
            rules[name] = draft.rules
        }
        return rules
    }

    private func freeze(_ routes: [Route]) -> RouteTable? {
        do throws(RouteClashes) {
            return try RouteTable(routes)
        } catch {
            for clash in error.clashes {
                let methods = clash.methods.isEmpty ? "any method" : clash.methods.joined(separator: ", ")
                let hosts = clash.hosts.isEmpty ? "" : " on \(clash.hosts.joined(separator: ", "))"
                diagnostics.report(
                    "this route and \(clash.first) both take \(methods) \(clash.pattern)\(hosts)",
                    fix: "remove one, or tell them apart by path, methods or hosts", at: clash.second)
            }
            return nil
        }
    }

    private func extraction(at index: Int, _ rules: [String: ComparisonRules]) -> ExtractionConfiguration? {
        let draft = drafts[index]
        guard let definition = draft.definition, let service = draft.service else { return nil }
        return ExtractionConfiguration(
            definition: definition, service: service, contractPath: contracts[index].path,
            shadowTimeout: draft.shadowTimeout, rules: rules[definition.name] ?? .none, location: draft.location,
            contract: contracts[index].document)
    }
}

/// Paths of files as text; nothing here asks the disk.
enum FilePath {
    /// The path without `.` and `..`, relative ones below `folder`.
    static func absolute(_ path: String, in folder: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    static func parent(of folder: String) -> String { absolute("..", in: folder) }
}
