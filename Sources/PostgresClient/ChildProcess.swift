import Foundation
import Glibc

/// A program started by us, watched until it ends.
///
/// Differs from Foundation's `Process` in three ways that a database server needs: it inherits no descriptor but the
/// three standard ones (not the proxy's listening sockets), it leads a process group of its own (Ctrl-C on the
/// terminal reaches only the proxy, which stops it in order), and one thread lives exactly as long as it does. The last is what
/// makes the kernel's parent-death signal usable: it fires when the *thread* that spawned the child ends.
final class ChildProcess: @unchecked Sendable {
    // @unchecked: `status` is read and written only while `condition` is locked; the rest never changes.

    enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
        case exited(Int32)
        case killed(signal: Int32)

        init(wait status: Int32) {
            // The layout of wait(2)'s status: low seven bits the signal, next byte the exit code.
            self = status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
        }

        var description: String {
            switch self {
            case .exited(let code): "exited with status \(code)"
            case .killed(let signal): "was killed by signal \(signal)"
            }
        }
    }

    struct Command: Sendable {
        /// An absolute path, then its arguments.
        var words: [String]
        var environment: [String: String]
        var workingDirectory: String
        /// Receives standard output and error; appended to.
        var logFile: String
    }

    let pid: pid_t
    /// Yields once, when the program has ended. For one consumer.
    let exits: AsyncStream<ExitStatus>
    private let yieldExit: AsyncStream<ExitStatus>.Continuation
    private let condition = NSCondition()
    private var status: ExitStatus?

    private init(pid: pid_t) {
        self.pid = pid
        (exits, yieldExit) = AsyncStream.makeStream(of: ExitStatus.self)
    }

    /// Starts `command`; blocks for the moment that takes.
    static func start(_ command: Command) throws(PostgresError) -> ChildProcess {
        let started = Handover()
        let thread = Thread {
            do throws(PostgresError) {
                let child = ChildProcess(pid: try spawn(command))
                started.fill(.success(child))
                child.reap()
            } catch {
                started.fill(.failure(error))
            }
        }
        thread.name = "strangler.child"
        thread.start()
        return try started.take().get()
    }

    /// Does nothing once the program has ended: its number may belong to another by then.
    func signal(_ number: Int32) {
        condition.lock()
        defer { condition.unlock() }
        if status == nil { kill(pid, number) }
    }

    /// Blocks until the program has ended, at most `seconds`; nil if it is still running.
    func waitForExit(seconds: Double) -> ExitStatus? {
        let limit = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while status == nil, condition.wait(until: limit) {}
        return status
    }

    private func reap() {
        // Looks first and reaps under the lock, so that `signal` can never hit a number that was given away.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        condition.lock()
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
        let ended = ExitStatus(wait: raw)
        status = ended
        condition.broadcast()
        condition.unlock()
        yieldExit.yield(ended)
        yieldExit.finish()
    }

    private static func spawn(_ command: Command) throws(PostgresError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 1, command.logFile, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        try GNUSpawn.closeAll(from: 3, &actions)
        try GNUSpawn.changeDirectory(to: command.workingDirectory, &actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setpgroup(&attributes, 0)
        // What the proxy ignores or blocks (SIGPIPE, SIGTERM) would be inherited through exec.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)

        let arguments = command.words.map { strdup($0) } + [nil]
        let environment = command.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, command.words.first ?? "", &actions, &attributes, arguments, environment)
        guard failure == 0 else {
            throw PostgresError(
                .serverFailed, "cannot run \(command.words.first ?? "nothing"): \(String(cString: strerror(failure)))")
        }
        return pid
    }
}

/// Two actions that glibc has since 2.29 and 2.34, in a part of its header that Swift's Glibc module leaves out.
private enum GNUSpawn {
    private typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>

    static func closeAll(from descriptor: Int32, _ actions: inout posix_spawn_file_actions_t) throws(PostgresError) {
        typealias Function = @convention(c) (Actions, Int32) -> Int32
        let symbol = try find("posix_spawn_file_actions_addclosefrom_np")
        _ = unsafeBitCast(symbol, to: Function.self)(&actions, descriptor)
    }

    static func changeDirectory(
        to path: String, _ actions: inout posix_spawn_file_actions_t
    ) throws(PostgresError) {
        typealias Function = @convention(c) (Actions, UnsafePointer<CChar>) -> Int32
        let symbol = try find("posix_spawn_file_actions_addchdir_np")
        _ = unsafeBitCast(symbol, to: Function.self)(&actions, path)
    }

    private static func find(_ name: String) throws(PostgresError) -> UnsafeMutableRawPointer {
        guard let symbol = dlsym(nil, name) else {
            throw PostgresError(.serverFailed, "the private Postgres needs glibc 2.34 or later (\(name) is missing)")
        }
        return symbol
    }
}

/// A place where one thread leaves the new child and another picks it up.
private final class Handover: @unchecked Sendable {
    // @unchecked: `value` is written before the signal and read after the wait.
    private let filled = DispatchSemaphore(value: 0)
    private var value: Result<ChildProcess, PostgresError> = .failure(PostgresError(.serverFailed, "not started"))

    func fill(_ value: Result<ChildProcess, PostgresError>) {
        self.value = value
        filled.signal()
    }

    func take() -> Result<ChildProcess, PostgresError> {
        filled.wait()
        return value
    }
}
