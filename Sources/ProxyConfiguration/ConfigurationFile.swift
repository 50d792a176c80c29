/// One file as it was read, under the name that errors give it.
package struct ConfigurationFile: Sendable {
    package let name: String
    package let bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    package init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }
}

/// All files of a configuration, in memory: what `ProxyConfiguration.load` finds on disk and tests write down.
package struct ConfigurationFiles {
    package var proxy: ConfigurationFile
    /// One per extraction; their order is the order of `ProxyConfiguration.extractions`.
    package var extractions: [ConfigurationFile]
    /// Comparison rules, at most one per extraction.
    package var rules: [ConfigurationFile]
    /// Absolute path of the folder that holds `proxy.yaml`.
    package var routesFolder: String
    /// Reads the contract with this absolute path; nil if there is no such file.
    package var contract: (_ path: String) -> ConfigurationFile?

    package init(
        proxy: ConfigurationFile, extractions: [ConfigurationFile] = [], rules: [ConfigurationFile] = [],
        routesFolder: String, contract: @escaping (_ path: String) -> ConfigurationFile? = { _ in nil }
    ) {
        self.proxy = proxy
        self.extractions = extractions
        self.rules = rules
        self.routesFolder = routesFolder
        self.contract = contract
    }
}
