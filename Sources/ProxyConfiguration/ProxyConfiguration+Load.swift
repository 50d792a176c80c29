import Extraction
import FoundationEssentials
import Routing

extension ProxyConfiguration {
    /// Reads `path` (`Routes/proxy.yaml`), every other `.yaml` and `.yml` beside it (one extraction each), and the rules
    /// in the folder `Shadow` beside the routes' folder. Blocks on the disk.
    ///
    /// - Throws: everything that is wrong in all of the files, under the names that `path` gives them.
    package static func load(path: String) throws(ConfigurationErrors) -> ProxyConfiguration {
        try ConfigurationReading(path: path).result.get()
    }
}

/// What reading the files of a configuration once came to. Blocks on the disk.
package struct ConfigurationReading: Sendable {
    package let result: Result<ProxyConfiguration, ConfigurationErrors>
    /// Absolute paths of all that was read, missed or listed: what a change of may change the result.
    package let paths: [String]
    /// Of the names and contents of all files, 16 hexadecimal digits: replicas with the same files show the same.
    package let digest: String
    /// The proxy's own file, to find keys in.
    let proxyFile: ConfigurationFile?

    /// - Parameter path: as for `ProxyConfiguration.load`.
    package init(path: String) {
        let trace = ReadingTrace()
        let (files, unreadable) = ConfigurationLoader(path: path, trace: trace).files()
        result = Self.result(files, unreadable)
        paths = trace.paths
        digest = trace.digest
        proxyFile = files?.proxy
    }

    private static func result(
        _ files: ConfigurationFiles?, _ unreadable: [ConfigurationError]
    ) -> Result<ProxyConfiguration, ConfigurationErrors> {
        guard let files else { return .failure(ConfigurationErrors(errors: unreadable)) }
        do throws(ConfigurationErrors) {
            let configuration = try ProxyConfiguration.parse(files: files)
            return unreadable.isEmpty ? .success(configuration) : .failure(ConfigurationErrors(errors: unreadable))
        } catch {
            return .failure(ConfigurationErrors(errors: unreadable + error.errors))
        }
    }
}

/// Takes down what is read.
private final class ReadingTrace {
    private(set) var paths: [String] = []
    private var hash: UInt64 = 0

    var digest: String {
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    func listed(_ path: String) { paths.append(path) }

    /// - Parameter shown: the name that does not depend on where the files lie.
    func read(_ path: String, shownAs shown: String, _ bytes: [UInt8]?) {
        paths.append(path)
        add(Array(shown.utf8))
        if let bytes { add(bytes) }
    }

    private func add(_ bytes: [UInt8]) {
        hash = bytes.withUnsafeBytes { XXH64.hash($0, seed: hash) }
    }
}

/// Finds the files of a configuration on disk.
private struct ConfigurationLoader {
    /// Mounted configurations are often links to links.
    private static let maximumLinks = 8

    let path: String
    let trace: ReadingTrace

    /// What could be read, and what could not; no files without the proxy's own.
    func files() -> (files: ConfigurationFiles?, unreadable: [ConfigurationError]) {
        let working = FileManager.default.currentDirectoryPath
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
        let shownRoutes = path.contains("/") ? folder + "/" : ""
        let routes = FilePath.absolute(folder.isEmpty && path.hasPrefix("/") ? "/" : folder, in: working)
        let shadow = FilePath.absolute("../Shadow", in: routes)
        var unreadable: [ConfigurationError] = []
        func read(_ names: [String], in directory: String, shownAs prefix: String) -> [ConfigurationFile] {
            names.compactMap { name in
                let bytes = Self.contents(of: directory + "/" + name)
                trace.read(directory + "/" + name, shownAs: name, bytes)
                guard let bytes else {
                    unreadable.append(Self.unreadable(prefix + name))
                    return nil
                }
                return ConfigurationFile(name: prefix + name, bytes: bytes)
            }
        }
        let own = path.split(separator: "/").last.map(String.init) ?? path
        let proxy = read([own], in: routes, shownAs: shownRoutes)
        let shownShadow = Self.shownShadow(beside: folder)
        trace.listed(routes)
        trace.listed(shadow)
        let routeNames = Self.yamlNames(in: routes, shownAs: shownRoutes, &unreadable).filter { $0 != own }
        let ruleNames = Self.yamlNames(in: shadow, shownAs: shownShadow, &unreadable)
        let extractions = read(routeNames, in: routes, shownAs: shownRoutes)
        let rules = read(ruleNames, in: shadow, shownAs: shownShadow)
        guard let proxy = proxy.first else { return (nil, unreadable) }
        let files = ConfigurationFiles(
            proxy: proxy, extractions: extractions, rules: rules, routesFolder: routes
        ) { path in
            let prefix = routes + "/"
            let own = path.hasPrefix(prefix) ? path.dropFirst(prefix.count) : path[...]
            let shown = path.hasPrefix(prefix) ? shownRoutes + own : path
            let bytes = Self.contents(of: path)
            trace.read(path, shownAs: String(own), bytes)
            return bytes.map { ConfigurationFile(name: shown, bytes: $0) }
        }
        return (files, unreadable)
    }

    /// The folder of rules as somebody would type it who typed the folder of the routes.
    private static func shownShadow(beside folder: String) -> String {
        if folder.isEmpty || folder == "." || folder.hasSuffix("..") {
            return (folder.isEmpty ? "" : folder + "/") + "../Shadow/"
        }
        guard let slash = folder.lastIndex(of: "/") else { return "Shadow/" }
        return folder[...slash] + "Shadow/"
    }

    private static func unreadable(_ name: String, _ kind: String = "file") -> ConfigurationError {
        ConfigurationError(
            location: SourceLocation(file: name, line: 1, column: 1),
            message: "the \(kind) does not exist or cannot be read",
            fix: "expected something readable; --config names the proxy's own file, Routes/proxy.yaml by default")
    }

    /// Names of the YAML files directly in a folder, in order; hidden ones (editors' copies) and folders are left out.
    ///
    /// A folder that is not there has none; one that is there and cannot be listed is an error like a file that cannot be
    /// read: without its rules nothing would be redacted.
    private static func yamlNames(
        in directory: String, shownAs shown: String, _ unreadable: inout [ConfigurationError]
    ) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            if FileManager.default.fileExists(atPath: directory) { unreadable.append(Self.unreadable(shown, "folder")) }
            return []
        }
        return names.filter { name in
            let isYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            var isDirectory = false
            let exists = FileManager.default.fileExists(atPath: directory + "/" + name, isDirectory: &isDirectory)
            return isYAML && !name.hasPrefix(".") && !(exists && isDirectory)
        }.sorted()
    }

    /// The bytes of a regular file, one more than the limit if it is larger; nil if it cannot be read.
    private static func contents(of path: String) -> [UInt8]? {
        var target = path
        for _ in 0..<maximumLinks {
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: target) else { break }
            target = next.hasPrefix("/") ? next : FilePath.parent(of: target) + "/" + next
        }
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        if let size = attributes[.size] as? Int, size > YAMLFile.maximumBytes {
            return Array(repeating: 0x20, count: YAMLFile.maximumBytes + 1)
        }
        return FileManager.default.contents(atPath: target).map { Array($0) }
    }
}
