import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The admin address: console, API, metrics and health. It has one event loop of its own, so that nothing asked here
/// takes a turn from the loops that carry traffic.
package struct AdminServer: Sendable {
    /// One for the process and never shut down, as the server framework still uses it in tasks that outlive the
    /// server's own `run`.
    private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let backend: any AdminBackend
    private let host: String
    private let port: Int
    private let logger: Logger

    /// - Parameters:
    ///   - host: an address or name to listen on; must be loopback, as there are no tokens yet.
    ///   - port: 0 for any free one.
    package init(backend: any AdminBackend, host: String, port: Int, logger: Logger) {
        self.backend = backend
        self.host = host
        self.port = port
        self.logger = logger
    }

    /// Serves until the task is cancelled; then takes no new connection, ends what is under way within two seconds,
    /// and returns.
    ///
    /// - Parameter onReady: called once with the port that is listened on; may itself make requests.
    /// - Throws: ``AdminListenError`` if the port cannot be had.
    package func run(onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let console = try Console()
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router(console),
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { listening.yield(port) }
            },
            eventLoopGroupProvider: .shared(Self.loop),
            logger: quiet)
        do {
            try await serve(application, ports: ports, listening: listening, onReady: onReady)
        } catch let error as IOError {
            throw AdminListenError(host: host, port: port, errno: error.errnoCode)
        }
    }

    private func serve(
        _ application: some Service, ports: AsyncStream<Int>, listening: AsyncStream<Int>.Continuation,
        onReady: @escaping @Sendable (Int) async -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await port in ports { await onReady(port) }
            }
            group.addTask {
                defer { listening.finish() }
                try await untilCancelled(application)
            }
            try await group.waitForAll()
        }
    }

    /// Cancellation becomes a graceful shutdown. The server runs in a task of its own so that it does not see the
    /// cancellation itself, or it would drop the requests under way.
    private func untilCancelled(_ application: some Service) async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        let services = ServiceGroup(configuration: configuration)
        let server = Task { try await services.run() }
        try await withTaskCancellationHandler {
            try await server.value
        } onCancel: {
            Task { await services.triggerGracefulShutdown() }
        }
    }

    private func router(_ console: Console) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Doorkeeper(guard: AdminGuard(host: host), logger: logger))
        let handlers = AdminHandlers(backend: backend, console: console)
        for endpoint in AdminEndpoint.allCases {
            let method: HTTPRequest.Method = endpoint.method == "POST" ? .post : .get
            router.on(RouterPath(endpoint.path), method: method) { request, context in
                try await handlers.answer(endpoint, AdminRequest(request: request, parameters: context.parameters))
            }
        }
        return router
    }

    /// The frameworks' lines about starting and stopping would stand between the proxy's own.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .error)
        return logger
    }
}

/// The admin port cannot be had.
package struct AdminListenError: Error, Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let errno: CInt

    package init(host: String, port: Int, errno: CInt) {
        self.host = host
        self.port = port
        self.errno = errno
    }

    /// One line, in the system's words but without the function and number that `IOError` adds.
    package var description: String {
        "cannot listen on \(host):\(port) for the admin address: \(String(cString: strerror(errno)).lowercased())"
    }
}

/// Before every handler, and after: who may not come in is turned away, errors become problem details, and browsers
/// are told what a page from here may do, which is next to nothing.
private struct Doorkeeper: RouterMiddleware {
    typealias Context = BasicRequestContext

    let `guard`: AdminGuard
    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            if let problem = problem(with: request) { throw problem }
            response = try await next(request, context)
        } catch {
            let problem = Problem(of: error)
            if problem.status == 500 { logger.error("admin request failed", metadata: ["error": "\(error)"]) }
            response = problem.response
        }
        for field in Self.securityHeaders { response.headers.append(field) }
        return response
    }

    private func problem(with request: Request) -> Problem? {
        let objection = `guard`.objection(
            authority: request.head.authority, origin: request.headers[.origin],
            contentType: request.headers[.contentType], isChange: request.method != .get && request.method != .head)
        switch objection {
        case .none: return nil
        case .foreignHost:
            return Problem(.misdirectedRequest, "the admin address answers only to loopback names and its own")
        case .foreignOrigin: return Problem(.forbidden, "a page of another origin may not change anything here")
        case .notJSON: return Problem(.unsupportedMediaType, "changes take Content-Type: application/json")
        }
    }

    private static let securityHeaders: [HTTPField] = [
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ].compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } }
}
