package import Comparison
package import Contract
package import Extraction
package import Routing

/// What the files of a deployment say, checked and with every default filled in: the first of configuration → model →
/// state. Immutable; a reload makes a new one.
package struct ProxyConfiguration: Sendable {
    package let listen: [ListenerDefinition]
    /// Loopback.
    package let admin: BindAddress
    package let monolith: UpstreamDefinition
    package let store: StoreDefinition
    /// Absolute path of the folder for the spool, cached state and the private Postgres.
    package let dataDirectory: String
    package let limits: LimitsDefinition
    package let timeouts: Timeouts
    package let retry: RetryDefinition
    /// How long exchanges under way may take to finish once the process is asked to stop; 0: none waits.
    package let drain: Duration
    /// Networks whose `X-Forwarded-*` are believed, as `address/length`.
    package let trustedProxies: [String]
    /// Event loops, 1…1024; nil for one per core.
    package let threads: Int?
    /// In the order of their files' names; `Route.extraction` is an index into this.
    package let extractions: [ExtractionConfiguration]
    /// What the indices of `routeTable` stand for.
    package let routes: [Route]
    /// By the same indices: how the writes of a route are kept, where its extraction writes to both sides.
    package let writeRules: [WriteRules]
    package let routeTable: RouteTable
    package let templates: EndpointTemplates
    package let spool: SpoolDefinition

    package init(
        listen: [ListenerDefinition], admin: BindAddress, monolith: UpstreamDefinition, store: StoreDefinition,
        dataDirectory: String, limits: LimitsDefinition, timeouts: Timeouts, retry: RetryDefinition, drain: Duration,
        trustedProxies: [String], threads: Int?, extractions: [ExtractionConfiguration], routes: [Route],
        writeRules: [WriteRules], routeTable: RouteTable, templates: EndpointTemplates, spool: SpoolDefinition
    ) {
        self.listen = listen
        self.admin = admin
        self.monolith = monolith
        self.store = store
        self.dataDirectory = dataDirectory
        self.limits = limits
        self.timeouts = timeouts
        self.retry = retry
        self.drain = drain
        self.trustedProxies = trustedProxies
        self.threads = threads
        self.extractions = extractions
        self.routes = routes
        self.writeRules = writeRules
        self.spool = spool
        self.routeTable = routeTable
        self.templates = templates
    }
}

/// An address to listen on.
package struct BindAddress: Sendable, Hashable {
    /// A name or an address; IPv6 without brackets.
    package let host: String
    /// 0…65535; 0 lets the system choose.
    package let port: Int
    package let location: SourceLocation

    package init(host: String, port: Int, location: SourceLocation) {
        self.host = host
        self.port = port
        self.location = location
    }
}

/// An address to listen on for clients.
package struct ListenerDefinition: Sendable, Hashable {
    package let address: BindAddress
    /// Networks whose connections begin with a PROXY protocol header, as `address/length`, and which alone may connect;
    /// empty: nobody's do.
    package let proxyProtocol: [String]

    package init(address: BindAddress, proxyProtocol: [String] = []) {
        self.address = address
        self.proxyProtocol = proxyProtocol
    }
}

/// Where stages, verdicts and mismatches are kept.
package enum StoreDefinition: Sendable, Hashable {
    /// A Postgres of the proxy's own below `dataDirectory`.
    case privatePostgres
    /// A `postgres://` URL as libpq reads it. Holds a password: not for logs.
    case url(String)
}

/// One extraction: its route file together with its rules.
package struct ExtractionConfiguration: Sendable {
    package let definition: ExtractionDefinition
    package let service: UpstreamDefinition
    /// Absolute; nil when the route file names no contract.
    package let contractPath: String?
    /// What the contract says; nil when the route file names none.
    package let contract: ContractDocument?
    /// How long the shadow may take to answer.
    package let shadowTimeout: Duration
    /// `.none` when there is no rule file.
    package let rules: ComparisonRules
    package let location: SourceLocation

    package init(
        definition: ExtractionDefinition, service: UpstreamDefinition, contractPath: String?, shadowTimeout: Duration,
        rules: ComparisonRules, location: SourceLocation, contract: ContractDocument? = nil
    ) {
        self.contract = contract
        self.definition = definition
        self.service = service
        self.contractPath = contractPath
        self.shadowTimeout = shadowTimeout
        self.rules = rules
        self.location = location
    }
}

/// Where writes are kept until both sides have them: `spool` of the proxy's file.
package struct SpoolDefinition: Sendable, Hashable {
    /// Bytes that it may take on the disk.
    package var quota = 1 << 30
    /// Bytes of the disk that it leaves free.
    package var keepFree = 256 << 20
    /// Bytes of one file of it.
    package var segment = 64 << 20
    /// How long writes are gathered before they are brought to disk together; 0: as long as the disk takes for those before
    /// them.
    package var commitInterval = Duration.milliseconds(1)
    /// How long a client's write waits for the disk before it goes by `on-spool-full`.
    package var wait: Duration = .seconds(1)
    /// Absolute path of the key that it is encrypted with; nil: it is not.
    package var keyFile: String?

    package init() {}
}
