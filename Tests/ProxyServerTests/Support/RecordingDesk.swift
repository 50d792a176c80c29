import NIOCore
import NIOPosix
import ProxyServer
import Upstreams

/// Where writes are brought to be on record. On each loop, when it gets its configuration.
protocol Desk: Sendable {
    func stand(in handoff: inout ExchangeHandoff)
}

/// Stands for the ledger: says when a write is on record, and keeps what it was told.
final class RecordingDesk: Desk {
    enum Answer: Sendable {
        case atOnce
        /// When `settle` says so.
        case later
        case refused(String)
    }

    struct Record: Sendable {
        var intended: [IntendedWrite] = []
        var withdrawn: [WriteTicket] = []
        var unrecorded: [(reason: String, isServed: Bool)] = []
        fileprivate var waiting: [@Sendable (IntentAnswer) -> Void] = []
    }

    let record = Watched(Record())
    private let answer: Watched<Answer>

    init(_ answer: Answer = .atOnce) { self.answer = Watched(answer) }

    func answers(_ answer: Answer) { self.answer.change { $0 = answer } }

    func stand(in handoff: inout ExchangeHandoff) {
        handoff.intend = { [self] write, done in
            let answer = answer.now
            guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else { return }
            let bound = NIOLoopBound(done, eventLoop: loop)
            let number = record.change { record in
                record.intended.append(write)
                if case .later = answer {
                    record.waiting.append { answer in loop.execute { bound.value(answer) } }
                }
                return UInt64(record.intended.count)
            }
            switch answer {
            case .atOnce: done(.durable(Self.ticket(number)))
            case .refused(let reason): done(.refused(reason: reason))
            case .later: break
            }
        }
        handoff.withdraw = { [record] ticket in record.change { $0.withdrawn.append(ticket) } }
        handoff.unrecorded = { [record] _, _, _, reason, isServed in
            record.change { $0.unrecorded.append((reason, isServed)) }
        }
    }

    static func ticket(_ number: UInt64) -> WriteTicket { WriteTicket(sequence: number, lane: 0, index: 0) }

    /// All that wait are on record now.
    func settle() {
        let waiting = record.change { record in
            defer { record.waiting = [] }
            return record.waiting
        }
        for (place, done) in waiting.enumerated() { done(.durable(Self.ticket(UInt64(place + 1)))) }
    }
}
