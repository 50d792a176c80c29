import Logging
import ProxyConfiguration

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// File descriptors: each client takes one, and another one at its upstream.
enum Descriptors {
    /// Raises this process's limit as far as it may, and says so when that is not enough for what the files allow: the
    /// limit of connections could then never answer 503, because accepting fails before it.
    static func raise(for configuration: ProxyConfiguration, logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let needed = 2 * configuration.limits.connections + reserve
        guard limit.rlim_cur < rlim_t(needed) else { return }
        logger.warning(
            "limits.connections is \(configuration.limits.connections), which may take \(needed) file descriptors, and \(limit.rlim_cur) are allowed: raise `ulimit -n` or lower limits.connections"
        )
    }

    /// Listeners, Postgres, the admin address, the shadow's connections.
    private static let reserve = 1_024
}
