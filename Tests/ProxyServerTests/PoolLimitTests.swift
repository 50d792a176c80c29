import HTTPWire
import NIOCore
import NIOPosix
import Testing

@testable import Upstreams

/// An exchange that asks for `/`, and reports what became of it.
private final class Asker: UpstreamConsumer {
    private(set) var outcome: String?
    private(set) var waiter: UpstreamWaiter?
    /// Set: it asks once more when a kept connection had died.
    private var repeatsAt: Upstream?
    private var stream: (any UpstreamStream)?

    func ask(_ upstream: Upstream, _ freshness: ConnectionFreshness = .kept) {
        switch upstream.acquire(self, freshness) {
        case .ready(let connection): upstreamConnected(connection)
        case .pending(let waiter): self.waiter = waiter
        case .full: outcome = "full"
        case .noneHealthy: outcome = "none healthy"
        }
    }

    func askTwiceIfNeeded(_ upstream: Upstream) {
        repeatsAt = upstream
        ask(upstream)
    }

    func leave() {
        waiter?.consumer = nil
        stream?.cancel()
        stream = nil
    }

    func upstreamConnected(_ stream: any UpstreamStream) {
        self.stream = stream
        stream.begin(self, method: .get, framing: .none, head: ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        stream.sendEnd(trailers: [])
        stream.flush()
    }

    func upstreamHead(_ parser: borrowing ResponseHeadParser, _ bytes: UnsafeRawBufferPointer) {}
    func upstreamBody(_ bytes: ByteBuffer) {}
    func upstreamEnded(trailers: [UInt8]) { outcome = "ended" }
    func upstreamReadComplete() {}
    func upstreamWritabilityChanged(_ isWritable: Bool) {}

    func upstreamFailed(_ failure: UpstreamFailure, reused: Bool) {
        guard let upstream = repeatsAt, reused else {
            outcome = "\(failure)"
            return
        }
        repeatsAt = nil
        ask(upstream, .fresh)
    }
}

/// A pool and those who ask it, all on one loop.
private final class Scene: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let bound: NIOLoopBoundBox<(upstream: Upstream, askers: [Asker])>

    init(port: Int, connections: Int, pending: Int) async throws {
        let loop = group.next()
        bound = try await loop.submit {
            var settings = UpstreamSettings(UpstreamAddress(host: "127.0.0.1", port: port))
            settings.connections = connections
            settings.pending = pending
            let upstream = Upstream(loop: loop, settings: settings, directory: nil)
            return NIOLoopBoundBox((upstream: upstream, askers: []), eventLoop: loop)
        }.get()
    }

    func ask(times: Int = 1) async throws {
        try await bound.eventLoop.submit { [bound] in
            for _ in 0..<times {
                let asker = Asker()
                bound.value.askers.append(asker)
                asker.ask(bound.value.upstream)
            }
        }.get()
    }

    /// Asks, and leaves before the loop could do anything about it.
    func askAndLeave() async throws {
        try await bound.eventLoop.submit { [bound] in
            let asker = Asker()
            bound.value.askers.append(asker)
            asker.ask(bound.value.upstream)
            asker.leave()
        }.get()
    }

    func askTwiceIfNeeded() async throws {
        try await bound.eventLoop.submit { [bound] in
            let asker = Asker()
            bound.value.askers.append(asker)
            asker.askTwiceIfNeeded(bound.value.upstream)
        }.get()
    }

    /// Asks while the loop has had no chance to hear of what happened before.
    func ask(_ freshness: ConnectionFreshness, once happened: @escaping @Sendable () -> Bool) async throws {
        try await bound.eventLoop.submit { [bound] in
            #expect(happened())
            let asker = Asker()
            bound.value.askers.append(asker)
            asker.ask(bound.value.upstream, freshness)
        }.get()
    }

    func leave(_ index: Int) async throws {
        try await bound.eventLoop.submit { [bound] in bound.value.askers[index].leave() }.get()
    }

    func outcomes() async throws -> [String?] {
        try await bound.eventLoop.submit { [bound] in bound.value.askers.map(\.outcome) }.get()
    }

    func connections() async throws -> Int {
        try await bound.eventLoop.submit { [bound] in bound.value.upstream.connections }.get()
    }

    func reaches(_ isTrue: (Scene) async throws -> Bool) async throws -> Bool {
        let deadline = NIODeadline.now() + .seconds(20)
        while try await !isTrue(self) {
            if NIODeadline.now() > deadline { return false }
            await Task.yield()
        }
        return true
    }

    func close() async throws {
        try await bound.eventLoop.submit { [bound] in bound.value.upstream.close() }.get()
        #expect(try await reaches { try await $0.connections() == 0 })
        try await group.shutdownGracefully()
    }
}

@Suite struct UpstreamPoolLimitsHold {
    @Test func `at the limit exchanges wait, and each gets the connection of one that ended`() async throws {
        let mayAnswer = Watched(false)
        let origin = try ScriptedOrigin(answering: { _ in
            _ = mayAnswer.wait { $0 }
            return plainAnswer("x")
        })
        let scene = try await Scene(port: origin.port, connections: 2, pending: 3)
        try await scene.ask(times: 6)
        #expect(try await scene.outcomes() == [nil, nil, nil, nil, nil, "full"])
        #expect(origin.record.wait { $0.requests.count == 2 })
        #expect(try await scene.connections() == 2)
        mayAnswer.change { $0 = true }
        #expect(try await scene.reaches { try await $0.outcomes().allSatisfy { $0 != nil } })
        #expect(try await scene.outcomes() == ["ended", "ended", "ended", "ended", "ended", "full"])
        #expect(origin.accepted == 2)
        try await scene.close()
    }

    @Test func `whoever leaves the queue makes room in it, and the others move up`() async throws {
        let mayAnswer = Watched(false)
        let origin = try ScriptedOrigin(answering: { _ in
            _ = mayAnswer.wait { $0 }
            return plainAnswer("x")
        })
        let scene = try await Scene(port: origin.port, connections: 1, pending: 2)
        try await scene.ask(times: 3)
        for index in [1, 2] { try await scene.leave(index) }
        try await scene.ask(times: 2)
        #expect(try await scene.outcomes() == [nil, nil, nil, nil, nil])
        mayAnswer.change { $0 = true }
        #expect(try await scene.reaches { try await $0.outcomes()[4] != nil })
        #expect(try await scene.outcomes() == ["ended", nil, nil, "ended", "ended"])
        #expect(origin.requests.count == 3)
        try await scene.close()
    }

    @Test func `a connection that breaks lets the next in the queue have a new one`() async throws {
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            if connection.number > 0 { try connection.send(plainAnswer("x")) }
        }
        let scene = try await Scene(port: origin.port, connections: 1, pending: 2)
        try await scene.ask(times: 2)
        #expect(try await scene.reaches { try await $0.outcomes().allSatisfy { $0 != nil } })
        #expect(try await scene.outcomes() == ["closedBeforeHead", "ended"])
        try await scene.close()
    }

    @Test func `connections that cannot be made are not counted, and everybody waiting hears of it`() async throws {
        let scene = try await Scene(
            port: try ScriptedOrigin.refusingPort(), connections: 1, pending: 5)
        try await scene.ask(times: 5)
        #expect(try await scene.reaches { try await $0.outcomes().allSatisfy { $0 == "refused" } })
        #expect(try await scene.connections() == 0)
        try await scene.close()
    }

    @Test func `a connection whose asker has left by then serves the next one`() async throws {
        let origin = try ScriptedOrigin(answering: { _ in plainAnswer("x") })
        let scene = try await Scene(port: origin.port, connections: 1, pending: 5)
        try await scene.askAndLeave()
        try await scene.ask()
        #expect(try await scene.reaches { try await $0.outcomes()[1] == "ended" })
        #expect(try await scene.outcomes() == [nil, "ended"])
        #expect(origin.accepted == 1)
        try await scene.close()
    }

    /// Its place was taken by the next in the queue when its connection died: what it gets then must not be a kept one.
    @Test func `a second attempt that has to wait at the limit gets a fresh connection`() async throws {
        let mayEnd = Watched(false)
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("x"))
            _ = try connection.request()
            _ = mayEnd.wait { $0 }
            if connection.number == 1 { try connection.send(plainAnswer("x")) }
        }
        let scene = try await Scene(port: origin.port, connections: 1, pending: 5)
        try await scene.ask()
        #expect(try await scene.reaches { try await $0.outcomes() == ["ended"] })
        try await scene.askTwiceIfNeeded()
        #expect(origin.record.wait { $0.requests.count == 2 })
        try await scene.ask()
        mayEnd.change { $0 = true }
        #expect(try await scene.reaches { try await $0.outcomes() == ["ended", "ended", "ended"] })
        // The first died, the second served the one in the queue and made room, the third is the fresh one.
        #expect(origin.accepted == 3)
        #expect(origin.requests.count == 4)
        try await scene.close()
    }

    @Test func `a request that cannot be repeated is not sent on a connection that is known to be closed`() async throws
    {
        let mayClose = Watched<Set<Int>>([])
        let origin = try ScriptedOrigin { connection throws(SocketError) in
            _ = try connection.request()
            try connection.send(plainAnswer("x"))
            _ = mayClose.wait { $0.contains(connection.number) }
        }
        let scene = try await Scene(port: origin.port, connections: 5, pending: 5)
        let record = origin.record
        for (number, freshness) in [ConnectionFreshness.kept, .checked].enumerated() {
            try await scene.ask()
            #expect(try await scene.reaches { try await $0.outcomes()[2 * number] == "ended" })
            try await scene.ask(freshness) {
                mayClose.change { _ = $0.insert(number) }
                return record.wait { $0.finished == number + 1 }
            }
            #expect(try await scene.reaches { try await $0.outcomes()[2 * number + 1] != nil })
        }
        #expect(try await scene.outcomes() == ["ended", "closedBeforeHead", "ended", "ended"])
        mayClose.change { _ = $0.insert(2) }
        try await scene.close()
    }
}
