package import DualWrite
package import FoundationEssentials
package import HTTPWire
package import NIOCore
internal import NIOPosix
package import Upstreams

/// Sends finished exchanges to the other side and has the answers compared.
///
/// A lane's work is done on the loop that its hash names, in order; comparing happens on worker threads.
package final class ShadowRunner: Sendable {
    let loops: [NIOLoopBound<ShadowLoop>]
    let sequence = WriteSequence()
    let milliseconds: @Sendable () -> Int64
    let log: any LedgerLog
    private let workers: NIOThreadPool

    /// - Parameters:
    ///   - directory: the process's; nil: one of its own.
    ///   - identities: the process's.
    ///   - log: where writes are on record; nil: in memory only.
    package init(
        loops eventLoops: [any EventLoop], settings: ShadowSettings, directory: UpstreamDirectory? = nil,
        recorder: EvidenceRecorder, identities: IdentityDirectory = IdentityDirectory(),
        log: (any LedgerLog)? = nil, workers count: Int = 1,
        now: @escaping @Sendable () -> Date = { Date() }
    ) async throws {
        let workers = NIOThreadPool(numberOfThreads: max(1, count))
        workers.start()
        self.workers = workers
        let log = log ?? MemoryLog()
        self.log = log
        let sequence = sequence
        let milliseconds = { @Sendable in Int64(now().timeIntervalSince1970 * 1_000) }
        self.milliseconds = milliseconds
        let comparison = PairComparison(recorder: recorder, identities: identities)
        let judge: ShadowLoop.Judge = { pairs, judged in
            workers.submit { _ in
                let time = now()
                judged(comparison.judge(pairs, now: time))
            }
        }
        var loops: [NIOLoopBound<ShadowLoop>] = []
        guard let directory = directory ?? eventLoops.first.map({ UpstreamDirectory(loop: $0) }) else {
            self.loops = []
            return
        }
        for loop in eventLoops {
            loops.append(
                try await loop.submit {
                    let shadow = ShadowLoop(
                        loop: loop, settings: settings, directory: directory, log: log, sequence: sequence,
                        identities: identities, judge: judge,
                        countSkipped: { comparison.count($0, $1, now: now()) },
                        isConfirmed: { recorder.group(of: $0, counted: false, now: now()).isConfirmed },
                        now: milliseconds)
                    shadow.start()
                    return NIOLoopBound(shadow, eventLoop: loop)
                }.get())
        }
        self.loops = loops
        var news: [NIOLoopBound<SideNews>] = []
        for loop in loops {
            news.append(
                try await loop.eventLoop.submit {
                    NIOLoopBound(loop.value.sender.news, eventLoop: loop.eventLoop)
                }.get())
        }
        for loop in loops {
            let others = news.filter { $0.eventLoop !== loop.eventLoop }
            try await loop.eventLoop.submit { loop.value.sender.news.meet(others) }.get()
        }
    }

    /// For the loop that it is called on: whether a request is to be captured for its shadow. If not, it has been counted.
    ///
    /// A lane's work may belong to another loop. That one has about as much to do as this one, and asks for itself again.
    package func admission(
        under settings: ShadowSettings
    ) -> (_ slot: Int, _ route: Int, _ method: Method, _ path: UnsafeRawBufferPointer, _ isService: Bool) -> Bool {
        guard let own = loops.first(where: { $0.eventLoop.inEventLoop })?.value else {
            return { _, _, _, _, _ in true }
        }
        return { slot, route, method, path, isService in
            own.admits(slot: slot, route: route, method: method, path: path, isService: isService, settings)
        }
    }

    /// For the loop that it is called on: counts a read that `sample` has left out.
    package func sampling(
        under settings: ShadowSettings
    ) -> (_ slot: Int, _ route: Int, _ method: Method, _ path: UnsafeRawBufferPointer) -> Void {
        guard let own = loops.first(where: { $0.eventLoop.inEventLoop })?.value else { return { _, _, _, _ in } }
        return { own.leftOut(slot: $0, route: $1, method: $2, path: $3, settings) }
    }

    /// For the loop that it is called on: whether one more of an extraction's answers is to be held against its contract.
    package func checking(under settings: ShadowSettings) -> (_ slot: Int) -> Bool {
        guard let own = loops.first(where: { $0.eventLoop.inEventLoop })?.value else { return { _ in false } }
        return { own.checks(slot: $0) }
    }

    /// Takes an exchange over. Returns at once; call on a loop, after the client has its answer.
    ///
    /// - Parameter settings: that it was decided by; nil for the present ones.
    package func accept(_ exchange: CapturedExchange, under settings: ShadowSettings? = nil) {
        // It has no order to keep, so it stays where it is.
        if exchange.isForContract, let own = loops.first(where: { $0.eventLoop.inEventLoop }) {
            return own.value.accept(exchange, under: settings)
        }
        let owner = loops[Int(exchange.lane % UInt64(loops.count))]
        if owner.eventLoop.inEventLoop {
            owner.value.accept(exchange, under: settings)
        } else {
            owner.eventLoop.execute { owner.value.accept(exchange, under: settings) }
        }
    }

    /// Bounds and upstreams are those of `settings` from here on.
    package func update(_ settings: ShadowSettings) async {
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.update(settings) }.get()
        }
    }

    /// How often primaries were asked a second time to learn their noise, since the start.
    package func twins() async -> TwinCounts {
        var sum = TwinCounts()
        for loop in loops {
            guard let counts = try? await loop.eventLoop.submit({ loop.value.twinCounts }).get() else { continue }
            sum.add(counts)
        }
        return sum
    }

    /// Writes that the primary has taken and the shadow has not got within a second, by slot.
    package func undeliveredWrites() async -> [Int] {
        var sums: [Int] = []
        for loop in loops {
            guard let counts = try? await loop.eventLoop.submit({ loop.value.delivery.lateWrites() }).get() else {
                continue
            }
            if sums.isEmpty { sums = counts } else { sums = zip(sums, counts).map { $0 + $1 } }
        }
        return sums
    }

    /// Waits until everything that was accepted has been delivered and judged, for at most `limit`, and not for a side that is
    /// away: what is not delivered stays in the log, for the next process.
    /// - Returns: whether nothing is left.
    package func drain(within limit: Duration) async -> Bool {
        let end = ContinuousClock.now + limit
        while true {
            // Asked first: what comes to its end between the two questions is not left.
            let isAtRest = await isAtRest
            if await load == ShadowLoad() { return true }
            if isAtRest { return false }
            guard ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                return false
            }
        }
    }

    /// What still waits is counted as not compared; when it returns, everything has been counted. Call when no exchange
    /// comes any more.
    package func shutdown() async {
        for loop in loops {
            try? await loop.eventLoop.flatSubmit { loop.value.stop() }.get()
        }
        try? await workers.shutdownGracefully()
    }

    private var isAtRest: Bool {
        get async {
            for loop in loops {
                guard (try? await loop.eventLoop.submit({ loop.value.isAtRest }).get()) != false else { return false }
            }
            return true
        }
    }

    /// What all loops hold together.
    var load: ShadowLoad {
        get async {
            var sum = ShadowLoad()
            for loop in loops {
                guard let load = try? await loop.eventLoop.submit({ loop.value.load }).get() else { continue }
                sum.add(load)
            }
            return sum
        }
    }
}

/// What is held of exchanges that have not been counted yet. All zero: nothing is left of any.
struct ShadowLoad: Sendable, Equatable {
    var jobs = 0
    /// Open ones, and records of theirs that are on their way.
    var writes = 0
    var records = 0
    var calls = 0
    var lanes = 0
    /// Pairs at the workers, and how many of them hold two answers.
    var unjudged = 0
    var compared = 0
    /// Reads that differed and will be asked again, and those that are being asked.
    var settling = 0
    var secondLooks = 0
    var twins = 0
    var bytes = 0

    mutating func add(_ other: ShadowLoad) {
        jobs += other.jobs
        writes += other.writes
        records += other.records
        calls += other.calls
        lanes += other.lanes
        unjudged += other.unjudged
        compared += other.compared
        settling += other.settling
        secondLooks += other.secondLooks
        twins += other.twins
        bytes += other.bytes
    }
}
