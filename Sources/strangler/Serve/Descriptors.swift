import Logging
import ProxyConfiguration

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// File descriptors: each client takes one, and another one at its upstream.
enum Descriptors {
    /// Raises this process's limit as far as it may.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Says so when the limit is not enough for what the files allow: the limit of connections could then never answer
    /// 503, because accepting fails before it.
    static func warn(of configuration: ProxyConfiguration, logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let connections = configuration.limits.connections
        let needed = 2 * connections + reserve
        guard limit.rlim_cur < rlim_t(needed) else { return }
        logger.warning(
            "limits.connections is \(connections), which may take \(needed) file descriptors, and \(limit.rlim_cur) are allowed: raise `ulimit -Hn` or lower limits.connections"
        )
    }

    /// Listeners, Postgres, the admin address, the shadow's connections.
    private static let reserve = 1_024
}
