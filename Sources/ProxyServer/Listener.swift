internal import NIOCore
internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The sockets of one address: one for each loop, in one SO_REUSEPORT group. Their descriptors are known, so that another
/// process can be given the very same sockets, queues of waiting connections and all.
package final class Listener: Sendable {
    private struct Socket: Sendable {
        let channel: any Channel
        let descriptor: CInt
    }

    /// As it was asked for: a port of 0 stays 0.
    package let address: ProxyServer.Address
    /// That the kernel chose if `address.port` was 0.
    package let port: Int
    private let sockets: [Socket]

    private init(address: ProxyServer.Address, port: Int, sockets: [Socket]) {
        self.address = address
        self.port = port
        self.sockets = sockets
    }

    /// Belong to the listener, which closes them.
    package var descriptors: [CInt] { sockets.map(\.descriptor) }

    /// Begins to accept, if it was opened paused.
    package func start() async {
        for socket in sockets { try? await socket.channel.setOption(.autoRead, value: true).get() }
    }

    /// Accepts nobody any more. Who has connected already and waits to be accepted still is: closing a socket over its
    /// queue would reset them all.
    package func close() async {
        for socket in sockets {
            let loop = socket.channel.eventLoop
            let closed = loop.makePromise(of: Void.self)
            loop.execute { Listener.close(socket, turns: Listener.maximumTurns, closed) }
            try? await closed.futureResult.get()
        }
    }

    /// Accepts nobody any more; the queues are another process's now.
    package func release() async {
        for socket in sockets { try? await socket.channel.close().get() }
    }

    /// More turns of a loop than a full queue takes. One that never empties is closed all the same.
    private static let maximumTurns = 2_048

    private static func close(_ socket: Socket, turns: Int, _ closed: EventLoopPromise<Void>) {
        var state = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        guard turns > 0, socket.channel.isActive, poll(&state, 1, 0) > 0 else {
            socket.channel.close(promise: closed)
            return
        }
        // The loop accepts some before it comes to this task.
        socket.channel.eventLoop.execute { close(socket, turns: turns - 1, closed) }
    }

    /// - Parameter inherited: sockets that already listen there; they are the listener's from here on, or closed.
    /// - Throws: `ProxyServer.ListenError`, with nothing left open.
    static func open(
        _ address: ProxyServer.Address, inherited: InheritedSockets?,
        on bootstraps: [(loop: any EventLoop, bootstrap: ServerBootstrap)]
    ) async throws(ProxyServer.ListenError) -> Listener {
        var port = inherited?.port ?? address.port
        var descriptors = inherited?.descriptors ?? []
        var sockets: [Socket] = []
        do {
            let resolved = try SocketAddress.makeAddressResolvingHost(address.host, port: port)
            while descriptors.count < bootstraps.count {
                let bound = try bind(try withPort(port, resolved))
                descriptors.append(bound.descriptor)
                port = bound.port
            }
            // More sockets than loops: every one of them has clients in its queue.
            for index in descriptors.indices {
                let descriptor = descriptors[index]
                let target = bootstraps[index % bootstraps.count]
                let channel = try await target.bootstrap.withBoundSocket(descriptor).get()
                // NIO has set a backlog of its own.
                try? await target.loop.submit { _ = listen(descriptor, Listener.backlog) }.get()
                sockets.append(Socket(channel: channel, descriptor: descriptor))
            }
            return Listener(address: address, port: port, sockets: sockets)
        } catch {
            for socket in sockets { try? await socket.channel.close().get() }
            for descriptor in descriptors.dropFirst(sockets.count) { Glibc.close(descriptor) }
            throw ProxyServer.ListenError(error, address: address)
        }
    }

    private static let backlog: CInt = 4_096

    private static func withPort(_ port: Int, _ address: SocketAddress) throws -> SocketAddress {
        var address = address
        address.port = port
        return address
    }

    private static func bind(_ address: SocketAddress) throws -> (descriptor: CInt, port: Int) {
        let descriptor = socket(
            address.protocol.rawValue, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        do {
            for option in [SO_REUSEADDR, SO_REUSEPORT] {
                var on: CInt = 1
                guard setsockopt(descriptor, SOL_SOCKET, option, &on, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
                    throw IOError(errnoCode: errno, reason: "setsockopt")
                }
            }
            let failure = address.withSockAddr { pointer, size in
                Glibc.bind(descriptor, pointer, socklen_t(size)) == 0 ? 0 : errno
            }
            guard failure == 0 else { throw IOError(errnoCode: failure, reason: "bind") }
            return (descriptor, try boundPort(descriptor))
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    private static func boundPort(_ descriptor: CInt) throws -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failure = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard failure == 0 else { throw IOError(errnoCode: errno, reason: "getsockname") }
        // The port stands at the same place for IPv4 and IPv6.
        return withUnsafeBytes(of: &storage) { Int(UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self))) }
    }
}

/// Listening sockets that another process has handed over.
package struct InheritedSockets: Sendable {
    package let port: Int
    package let descriptors: [CInt]

    package init(port: Int, descriptors: [CInt]) {
        self.port = port
        self.descriptors = descriptors
    }
}
