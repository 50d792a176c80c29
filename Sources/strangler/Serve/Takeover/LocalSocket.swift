import Foundation
import Glibc

/// Why two processes could not speak with each other.
struct TakeoverError: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) { description = what }

    init(_ what: String, errno code: CInt) { description = "\(what): \(String(cString: strerror(code)))" }
}

/// One end of a Unix socket between two processes of one user: lines of text, and open descriptors (SCM_RIGHTS, unix(7)).
/// Everything blocks, each step at most as long as `limit` says.
final class LocalConnection: Sendable {
    private let descriptor: CInt
    private static let longestLine = 64 * 1024
    /// The kernel takes 253 (SCM_MAX_FD).
    private static let descriptorsPerMessage = 64
    /// SCM_RIGHTS.
    private static let rights: CInt = 1

    fileprivate init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit { Glibc.close(descriptor) }

    /// Nil if nobody listens there.
    static func connect(to path: String) throws(TakeoverError) -> LocalConnection? {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TakeoverError("socket", errno: errno) }
        let connection = LocalConnection(descriptor)
        let failure = LocalAddress.with(path) { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        switch failure {
        case 0: return connection
        case ENOENT, ECONNREFUSED: return nil
        default: throw TakeoverError("cannot connect to \(path)", errno: failure)
        }
    }

    /// The user that the other end runs as: the kernel says so, not the other end.
    var peerIsUs: Bool {
        // struct ucred: process, user, group.
        var credentials: (pid_t, uid_t, gid_t) = (0, .max, .max)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return false }
        return credentials.1 == geteuid()
    }

    func send(line: String, within seconds: Int) throws(TakeoverError) {
        setLimit(SO_SNDTIMEO, seconds)
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { throw TakeoverError("the other process does not listen", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// The next line; nil at the end. Takes not a byte more, since descriptors may hang on it.
    func receiveLine(within seconds: Int) throws(TakeoverError) -> String? {
        setLimit(SO_RCVTIMEO, seconds)
        var line: [UInt8] = []
        while line.count < LocalConnection.longestLine {
            var byte: UInt8 = 0
            let count = recv(descriptor, &byte, 1, 0)
            if count == 0 { return nil }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TakeoverError("the other process says nothing", errno: errno) }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw TakeoverError("the other process says too much")
    }

    // MARK: Descriptors

    func send(descriptors: [CInt], within seconds: Int) throws(TakeoverError) {
        setLimit(SO_SNDTIMEO, seconds)
        var rest = descriptors[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(LocalConnection.descriptorsPerMessage))
            guard sendMessage(part) else { throw TakeoverError("the sockets cannot be passed on", errno: errno) }
            rest = rest.dropFirst(part.count)
        }
    }

    /// - Throws: with none left open.
    func receiveDescriptors(_ count: Int, within seconds: Int) throws(TakeoverError) -> [CInt] {
        setLimit(SO_RCVTIMEO, seconds)
        var received: [CInt] = []
        while received.count < count {
            let (more, isWhole) = receiveMessage()
            received += more
            guard isWhole, !more.isEmpty else {
                for descriptor in received { Glibc.close(descriptor) }
                throw TakeoverError("the sockets did not arrive")
            }
        }
        return received
    }

    /// `struct cmsghdr` and its padding (cmsg(3)), written out: the macros are not there in Swift.
    private struct Control {
        static let header = 16
        var bytes: [UInt64]

        init(room count: Int) {
            bytes = [UInt64](repeating: 0, count: (Control.header + count * 4 + 7) / 8)
        }

        init(_ descriptors: [CInt]) {
            self.init(room: descriptors.count)
            bytes.withUnsafeMutableBytes { raw in
                raw.storeBytes(of: Control.header + descriptors.count * 4, toByteOffset: 0, as: Int.self)
                raw.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: CInt.self)
                raw.storeBytes(of: LocalConnection.rights, toByteOffset: 12, as: CInt.self)
                for (index, descriptor) in descriptors.enumerated() {
                    raw.storeBytes(of: descriptor, toByteOffset: Control.header + index * 4, as: CInt.self)
                }
            }
        }

        func descriptors(in length: Int) -> [CInt] {
            bytes.withUnsafeBytes { raw in
                guard length >= Control.header, raw.load(fromByteOffset: 8, as: CInt.self) == SOL_SOCKET,
                    raw.load(fromByteOffset: 12, as: CInt.self) == LocalConnection.rights
                else { return [] }
                let size = min(raw.load(fromByteOffset: 0, as: Int.self), length, raw.count)
                return (0..<max(0, size - Control.header) / 4).map {
                    raw.load(fromByteOffset: Control.header + $0 * 4, as: CInt.self)
                }
            }
        }
    }

    private func sendMessage(_ descriptors: [CInt]) -> Bool {
        var control = Control(descriptors)
        var byte = UInt8(ascii: "F")
        return withMessage(&byte, &control) { sendmsg(descriptor, &$0, CInt(MSG_NOSIGNAL)) } == 1
    }

    private func receiveMessage() -> (descriptors: [CInt], isWhole: Bool) {
        var control = Control(room: LocalConnection.descriptorsPerMessage)
        var byte: UInt8 = 0
        var length = 0
        var isCut = false
        let count = withMessage(&byte, &control) { message in
            let count = recvmsg(descriptor, &message, CInt(MSG_CMSG_CLOEXEC))
            length = count > 0 ? Int(message.msg_controllen) : 0
            isCut = message.msg_flags & CInt(MSG_CTRUNC) != 0
            return count
        }
        return (control.descriptors(in: length), count == 1 && !isCut)
    }

    private func withMessage(
        _ byte: inout UInt8, _ control: inout Control, _ body: (inout msghdr) -> Int
    ) -> Int {
        withUnsafeMutableBytes(of: &byte) { payload in
            var vector = iovec(iov_base: payload.baseAddress, iov_len: 1)
            return control.bytes.withUnsafeMutableBytes { ancillary in
                withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = ancillary.baseAddress
                    message.msg_controllen = ancillary.count
                    return body(&message)
                }
            }
        }
    }

    private func setLimit(_ option: CInt, _ seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}

/// A Unix socket that only our own user may connect to.
final class LocalListener: Sendable {
    private let descriptor: CInt
    private let path: String
    private let inode: ino_t

    /// Replaces a socket that a dead process has left at `path`.
    init(path: String) throws(TakeoverError) {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TakeoverError("socket", errno: errno) }
        unlink(path)
        // Before it is bound, so that it never is anybody else's (unix(7) takes the file's mode from the socket's).
        fchmod(descriptor, 0o600)
        let failure = LocalAddress.with(path) { bind(descriptor, $0, $1) == 0 ? 0 : errno }
        var found = stat()
        guard failure == 0, listen(descriptor, 4) == 0, lstat(path, &found) == 0 else {
            let code = failure == 0 ? errno : failure
            Glibc.close(descriptor)
            throw TakeoverError("cannot listen on \(path)", errno: code)
        }
        self.descriptor = descriptor
        self.path = path
        inode = found.st_ino
    }

    deinit { Glibc.close(descriptor) }

    /// Waits at most half a second; nil if nobody has come.
    func accept() -> LocalConnection? {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 500) > 0 else { return nil }
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        return LocalConnection(accepted)
    }

    /// Takes the name away, unless it is another process's by now.
    func removeName() {
        var found = stat()
        if lstat(path, &found) == 0, found.st_ino == inode { unlink(path) }
    }
}

private enum LocalAddress {
    /// `sockaddr_un` of a path. One that is too long for it goes by the descriptor of its folder.
    static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard path.utf8.count > room else { return with(fitting: path, &address, body) }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let folder = open(String(path.dropLast(name.count)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return errno }
        defer { Glibc.close(folder) }
        return with(fitting: "/proc/self/fd/\(folder)/\(name)", &address, body)
    }

    private static func with(
        fitting path: String, _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Runs what blocks on a thread of its own.
func offThread<Result: Sendable>(_ body: @escaping @Sendable () throws(TakeoverError) -> Result)
    async
    throws(TakeoverError) -> Result
{
    let result: Swift.Result<Result, TakeoverError> = await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            do throws(TakeoverError) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}
