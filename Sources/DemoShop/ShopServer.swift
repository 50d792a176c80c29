import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PostgresClient
import ServiceLifecycle
import Synchronization

/// What both servers have in common: one address, one pool, errors as JSON, and an orderly end.
struct ShopServer: Sendable {
    typealias Context = BasicRequestContext

    /// What the `Server` field says, so that a client can tell who answered.
    let name: String
    let port: Int
    let pool: PostgresPool
    let logger: Logger

    /// A statement that takes eight seconds has failed; it is also what an orderly end may have to wait for. On a small
    /// machine that does everything at once one may take two.
    static func databaseOptions(_ name: String) -> PostgresOptions {
        PostgresOptions(statementTimeout: 8000, applicationName: name)
    }

    /// Listens on 127.0.0.1 (`port` 0: any free one) until the task is cancelled; then takes no new connection,
    /// gives what is under way two seconds (and a running statement eight), and returns.
    ///
    /// `onReady` is called once with the port that is listened on, and may itself make requests.
    ///
    /// - Throws: what binding the port throws.
    func run(_ router: Router<Context>, onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: port), serverName: name),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { listening.yield(port) }
            },
            logger: quiet)
        defer { listening.finish() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await port in ports { await onReady(port) }
            }
            group.addTask {
                defer { listening.finish() }
                try await Self.untilCancelled(application, logger: quiet)
            }
            while try await group.next() != nil {}
        }
        await pool.close()
    }

    /// Cancellation becomes a graceful shutdown: the server must not see it as its own, or it would drop the
    /// requests under way.
    private static func untilCancelled(_ service: any Service, logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(services: [service], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        let services = ServiceGroup(configuration: configuration)
        let server = Task { try await services.run() }
        try await withTaskCancellationHandler {
            try await server.value
        } onCancel: {
            Task { await services.triggerGracefulShutdown() }
        }
    }

    /// The frameworks' own start and stop lines would stand between the demo's.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

extension Response {
    static func json(_ status: Int, _ json: JSONText) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
    }

    /// Members and a fresh `requestId`.
    static func json(_ status: Int, _ members: [JSONText.Member]) -> Response {
        .json(status, .object(members + [JSONText.member("requestId", .string(ShopID.randomRequest()))]))
    }
}

/// The one place where errors become answers, unknown paths included.
struct ErrorAnswers: RouterMiddleware {
    typealias Context = ShopServer.Context

    let logger: Logger
    /// One line when the database goes and one when it is back, however many requests notice.
    private let outage = Outage()

    init(logger: Logger) {
        self.logger = logger
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            let response = try await next(request, context)
            if outage.ended() { logger.notice("database is back") }
            logger.debug(
                "answered",
                metadata: [
                    "method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)",
                    "shadow": "\(request.isShadow)",
                ])
            return response
        } catch {
            let error = answer(to: error)
            return .json(error.status, [JSONText.member("error", .string(error.message))])
        }
    }

    private func answer(to error: any Error) -> ShopError {
        switch error {
        case let error as ShopError:
            return error
        case let error as PostgresError where error.isRetryable || error.code == .closed:
            if outage.began() { logger.warning("database is away", metadata: ["error": "\(error)"]) }
            return .databaseAway
        case let error as any HTTPResponseError:
            return ShopError(status: error.status.code, message: error.status.reasonPhrase.lowercased())
        default:
            logger.error("request failed", metadata: ["error": "\(error)"])
            return ShopError(status: 500, message: "internal error")
        }
    }
}

/// Whether the database is away, as far as the last requests know.
private final class Outage: Sendable {
    private let isOn = Mutex(false)

    /// True if this is news.
    func began() -> Bool { change(to: true) }

    /// True if this is news.
    func ended() -> Bool { change(to: false) }

    private func change(to value: Bool) -> Bool {
        isOn.withLock { isOn in
            defer { isOn = value }
            return isOn != value
        }
    }
}

extension Request {
    /// Whether the client has been answered by the other system, so that nothing may leave the house.
    var isShadow: Bool { header("Strangler-Shadow") == "1" }

    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { headers[$0] }
    }

    /// The whole body, at most 64 KiB; more is a 413.
    func bytes() async throws -> [UInt8] {
        let buffer = try await body.collect(upTo: 65_536)
        return Array(buffer.readableBytesView)
    }
}
