import Routing

extension ProxyConfiguration {
    /// What this configuration says otherwise than the running one although it only takes effect at a start. Empty: it
    /// can be loaded.
    package func changesThatNeedAStart(
        from running: ProxyConfiguration, in reading: ConfigurationReading
    ) -> [ConfigurationError] {
        var errors: [ConfigurationError] = []
        func refuse(_ key: String, _ place: SourceLocation? = nil) {
            errors.append(
                ConfigurationError(
                    location: place ?? reading.proxyFile.place(of: key),
                    message: "`\(key)` cannot change while the proxy runs",
                    fix: "change it back, or start a new process: `strangler serve --takeover` loses no request"))
        }
        func isSame(_ one: BindAddress, _ other: BindAddress) -> Bool {
            one.host == other.host && one.port == other.port
        }
        let isListening = { (new: ListenerDefinition) in
            running.listen.contains { isSame($0.address, new.address) && $0.proxyProtocol == new.proxyProtocol }
        }
        if let changed = listen.first(where: { !isListening($0) }) {
            refuse("listen", changed.address.location)
        } else if listen.count != running.listen.count {
            refuse("listen")
        }
        if !isSame(admin, running.admin) { refuse("admin", admin.location) }
        if store != running.store { refuse("store") }
        if dataDirectory != running.dataDirectory { refuse("data") }
        if threads != running.threads { refuse("threads") }
        if spool != running.spool { refuse("spool") }
        return errors
    }
}

extension ConfigurationFile? {
    /// Where a key of the top level stands, or stood: 1:1 when it was removed.
    fileprivate func place(of key: String) -> SourceLocation {
        let name = self?.name ?? "proxy.yaml"
        let lines = String(decoding: self?.bytes ?? [], as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let line = lines.firstIndex { $0.hasPrefix(key + ":") } ?? 0
        return SourceLocation(file: name, line: line + 1, column: 1)
    }
}
