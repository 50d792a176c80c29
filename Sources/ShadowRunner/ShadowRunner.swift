internal import FoundationEssentials
package import NIOCore
internal import NIOPosix
package import Upstreams

/// Sends finished exchanges to the other side and has the answers compared.
///
/// A lane's work is done on the loop that its hash names, in order; comparing happens on worker threads.
package final class ShadowRunner: Sendable {
    private let loops: [NIOLoopBound<ShadowLoop>]
    private let workers: NIOThreadPool

    package init(
        loops eventLoops: [any EventLoop], settings: ShadowSettings, recorder: EvidenceRecorder, workers count: Int = 1
    ) async throws {
        let workers = NIOThreadPool(numberOfThreads: max(1, count))
        workers.start()
        self.workers = workers
        let comparison = PairComparison(settings: settings, recorder: recorder)
        let judge: ShadowLoop.Judge = { pair, differed in
            workers.submit { _ in
                if comparison.judge(pair, now: Date()) == .askAgain { differed() }
            }
        }
        var loops: [NIOLoopBound<ShadowLoop>] = []
        for loop in eventLoops {
            loops.append(
                try await loop.submit {
                    let shadow = ShadowLoop(loop: loop, settings: settings, judge: judge)
                    shadow.start()
                    return NIOLoopBound(shadow, eventLoop: loop)
                }.get())
        }
        self.loops = loops
    }

    /// Takes an exchange over. Returns at once; call on a loop, after the client has its answer.
    package func accept(_ exchange: CapturedExchange) {
        let owner = loops[Int(exchange.lane % UInt64(loops.count))]
        if owner.eventLoop.inEventLoop {
            owner.value.accept(exchange)
        } else {
            owner.eventLoop.execute { owner.value.accept(exchange) }
        }
    }

    /// Writes that the primary has taken and the shadow has not got within a second, by extraction.
    package func undeliveredWrites() async -> [Int] {
        var sums: [Int] = []
        for loop in loops {
            guard let counts = try? await loop.eventLoop.submit({ loop.value.undeliveredWrites() }).get() else {
                continue
            }
            if sums.isEmpty { sums = counts } else { sums = zip(sums, counts).map { $0 + $1 } }
        }
        return sums
    }

    /// What still waits is counted as not compared. Call when no exchange comes any more.
    package func shutdown() async {
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.stop() }.get()
        }
        try? await workers.shutdownGracefully()
    }
}
