import Foundation
import Logging
import ProxyServer

// A new process takes the place of a running one without a request being lost.
//
//   new                                   old
//    │  reads and checks its files         │  serves
//    │──── I am process 4712 ────────────▶│
//    │◀─── addresses, listening sockets ──│
//    │  is set up, but accepts nobody yet  │
//    │──── ready ────────────────────────▶│
//    │                                     │  accepts no more, closes the admin address
//    │◀─── released ──────────────────────│
//    │  accepts from the same queues       │  answers what it has accepted, exits 0
//    │  opens the admin address
//
// Sockets of its own beside the old ones (SO_REUSEPORT alone) would not do: what waits in the queue of a listening socket
// is reset when that socket is closed. The very same sockets are passed on instead (SCM_RIGHTS), queues and all; between
// `released` and the new process's first accept, clients wait there for a moment.
//
// Until `ready` the old process has changed nothing: if the new one fails, it goes on. If the old one dies at any
// moment, the new one has the sockets and goes on.

/// What the old process has to give.
struct TakeoverOffer: Codable, Sendable {
    struct Address: Codable, Sendable, Equatable {
        /// As the old process's file says it; a port of 0 stays 0.
        var host: String
        var port: Int
        var boundPort: Int
        /// How many of the descriptors that follow are this address's, in order.
        var sockets: Int
    }

    var version = TakeoverOffer.currentVersion
    var process: Int32
    var listeners: [Address]
    var adminHost: String
    var adminPort: Int

    /// Goes up when an old process could not understand a new one, or the other way round.
    static let currentVersion = 1
    static let ready = "ready"
    static let released = "released"
    static let fileName = "takeover.sock"
}

/// What the new process says first.
struct TakeoverRequest: Codable, Sendable {
    var version = TakeoverOffer.currentVersion
    var process: Int32
}

/// The old process's end: waits for a successor for as long as the process serves.
struct TakeoverServer: Sendable {
    private let socket: LocalListener
    private let logger: Logger

    /// Nil, with a line in the log, if there cannot be a takeover.
    init?(data: DataDirectory, logger: Logger) async {
        let path = data.file(TakeoverOffer.fileName)
        do throws(TakeoverError) {
            let other = try await offThread { () throws(TakeoverError) in try LocalConnection.connect(to: path) }
            if other != nil { throw TakeoverError("another proxy uses the folder \(data.path)") }
            socket = try await offThread { () throws(TakeoverError) in try LocalListener(path: path) }
        } catch {
            logger.warning("no process will be able to take over from this one: \(error)")
            return nil
        }
        self.logger = logger
    }

    /// - Parameters:
    ///   - offer: asked for each successor, with the descriptors that it speaks of.
    ///   - release: called when a successor is ready; stops accepting and closes the admin address.
    /// - Returns: true when a successor has taken over; false when the task was cancelled.
    func run(
        offer: @Sendable () -> (TakeoverOffer, [CInt]), release: @Sendable () async -> Void
    ) async -> Bool {
        defer { socket.removeName() }
        while !Task.isCancelled {
            guard let successor = try? await offThread({ () throws(TakeoverError) in socket.accept() }) else {
                continue
            }
            do throws(TakeoverError) {
                let process = try await handOver(to: successor, offer())
                logger.notice("process \(process) has taken over; answering what is under way")
                await release()
                // Before the successor is told, since it takes the name next.
                socket.removeName()
                // If it is gone, there is nobody left to serve, and nothing to be done about that.
                try? await offThread { () throws(TakeoverError) in
                    try successor.send(line: TakeoverOffer.released, within: 5)
                }
                return true
            } catch {
                logger.warning("a takeover came to nothing, serving goes on: \(error)")
            }
        }
        return false
    }

    /// Returns when the successor is ready.
    private func handOver(
        to successor: LocalConnection, _ offer: (TakeoverOffer, [CInt])
    ) async throws(TakeoverError) -> Int32 {
        guard successor.peerIsUs else { throw TakeoverError("it was asked for by another user") }
        return try await offThread { () throws(TakeoverError) in
            let request: TakeoverRequest = try decoded(try successor.receiveLine(within: 5))
            guard request.version == offer.0.version else {
                throw TakeoverError("process \(request.process) speaks version \(request.version)")
            }
            try successor.send(line: try encoded(offer.0), within: 5)
            try successor.send(descriptors: offer.1, within: 5)
            guard try successor.receiveLine(within: 60) == TakeoverOffer.ready else {
                throw TakeoverError("process \(request.process) gave up")
            }
            return request.process
        }
    }
}

/// The new process's end.
struct TakeoverClient: Sendable {
    let offer: TakeoverOffer
    private let old: LocalConnection
    /// By address, in the offer's order.
    private let sockets: [InheritedSockets]

    /// Nil if no proxy runs on this data.
    /// - Throws: with nothing changed in the old process.
    init?(data: DataDirectory) async throws(TakeoverError) {
        let path = data.file(TakeoverOffer.fileName)
        guard let old = try await offThread({ () throws(TakeoverError) in try LocalConnection.connect(to: path) })
        else { return nil }
        guard old.peerIsUs else { throw TakeoverError("the running proxy belongs to another user") }
        (offer, sockets) = try await offThread { () throws(TakeoverError) in
            try old.send(line: try encoded(TakeoverRequest(process: getpid())), within: 5)
            let offer: TakeoverOffer = try decoded(try old.receiveLine(within: 30))
            guard offer.version == TakeoverOffer.currentVersion else {
                throw TakeoverError("the running proxy speaks version \(offer.version) of the takeover")
            }
            let counts = offer.listeners.map(\.sockets)
            guard counts.allSatisfy({ (1...65_536).contains($0) }) else {
                throw TakeoverError("no sockets are offered")
            }
            var rest = try old.receiveDescriptors(counts.reduce(0, +), within: 10)[...]
            let sockets = offer.listeners.map { address in
                defer { rest = rest.dropFirst(address.sockets) }
                return InheritedSockets(port: address.boundPort, descriptors: Array(rest.prefix(address.sockets)))
            }
            return (offer, sockets)
        }
        self.old = old
    }

    /// The sockets of each address, if the old process has it; nil for an address that is to be opened. Those that no
    /// address wants are closed. To be called once.
    func sockets(for addresses: [ProxyServer.Address]) -> [InheritedSockets?] {
        var left = Array(zip(offer.listeners, sockets))
        let found = addresses.map { address -> InheritedSockets? in
            let index = left.firstIndex { $0.0.host == address.host && $0.0.port == address.port }
            return index.map { left.remove(at: $0).1 }
        }
        for (_, unwanted) in left {
            for descriptor in unwanted.descriptors { close(descriptor) }
        }
        return found
    }

    /// Tells the old process that it can go. Returns when it accepts nobody any more, or has died: both are the same.
    func complete() async {
        _ = try? await offThread { () throws(TakeoverError) in
            try old.send(line: TakeoverOffer.ready, within: 5)
            return try old.receiveLine(within: 30)
        }
    }
}

private func encoded(_ value: some Encodable) throws(TakeoverError) -> String {
    do {
        return String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    } catch {
        throw TakeoverError("\(error)")
    }
}

private func decoded<Value: Decodable>(_ line: String?) throws(TakeoverError) -> Value {
    guard let line else { throw TakeoverError("the other process has ended the conversation") }
    do {
        return try JSONDecoder().decode(Value.self, from: Data(line.utf8))
    } catch {
        throw TakeoverError("the other process says what this version does not understand")
    }
}
