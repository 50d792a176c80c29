import Extraction
import Testing

@testable import ProxyServer

@Suite struct ExchangeMachineDecisions {
    /// The service answers; the monolith may stand in.
    private static let moved = Decision(primary: .service, shadow: nil, monolithMayAnswer: true, why: .keyMoved)
    private static let retired = Decision(primary: .service, shadow: nil, monolithMayAnswer: false, why: .retired)

    private static func machine(_ decision: Decision, isSafe: Bool = true, hasBody: Bool = false) -> ExchangeMachine {
        var machine = ExchangeMachine()
        machine.requestArrived(decision, isSafe: isSafe, hasBody: hasBody)
        return machine
    }

    @Test func `a safe request is asked again once where a fresh connection broke, twice where kept ones did`() {
        var fresh = Self.machine(.unmatched)
        fresh.headHandedOn()
        #expect(fresh.upstreamFailed(.reset, reused: false) == .retry)
        #expect(fresh.phase == .connecting)
        fresh.headHandedOn()
        #expect(
            fresh.upstreamFailed(.reset, reused: false) == .answer(status: 502, detail: AttemptFailure.reset.detail))
        #expect(fresh.phase == .ended)

        var kept = Self.machine(.unmatched)
        for _ in 0..<2 {
            kept.headHandedOn()
            #expect(kept.upstreamFailed(.reset, reused: true) == .retry)
        }
        kept.headHandedOn()
        #expect(kept.upstreamFailed(.reset, reused: true) == .answer(status: 502, detail: AttemptFailure.reset.detail))
    }

    @Test func `a write whose head was sent is never repeated`() {
        var machine = Self.machine(.unmatched, isSafe: false, hasBody: true)
        machine.headHandedOn()
        #expect(
            machine.upstreamFailed(.reset, reused: true) == .answer(status: 502, detail: AttemptFailure.reset.detail))
    }

    @Test(arguments: [AttemptFailure.malformed, .firstByteTimeout, .connectTimeout, .brokenOff, .refused])
    func `only a connection that broke before the answer is tried again`(failure: AttemptFailure) {
        var machine = Self.machine(.unmatched)
        machine.headHandedOn()
        #expect(
            machine.upstreamFailed(failure, reused: true) == .answer(status: failure.status, detail: failure.detail))
    }

    @Test(arguments: [
        (AttemptFailure.refused, 502), (.reset, 502), (.malformed, 502), (.brokenOff, 502), (.noConnection, 503),
        (.circuitOpen, 503), (.connectTimeout, 504), (.firstByteTimeout, 504),
    ])
    func `each failure has its status where nobody stands in`(failure: AttemptFailure, status: Int) {
        var machine = Self.machine(.unmatched, isSafe: false)
        guard case .answer(let given, _) = machine.upstreamFailed(failure, reused: false) else {
            // Certainly unsent: a reset before anything was handed on is tried once more.
            #expect(failure == .reset)
            return
        }
        #expect(given == status)
    }

    @Test func `the monolith stands in for every failure of a safe request, and its own failure is the end`() {
        for failure in [AttemptFailure.refused, .connectTimeout, .noConnection, .circuitOpen, .malformed, .brokenOff] {
            var machine = Self.machine(Self.moved)
            machine.headHandedOn()
            #expect(machine.upstreamFailed(failure, reused: false) == .fallBack(failure.fallbackReason))
            #expect(machine.side == .monolith)
            #expect(machine.fellBack == failure.fallbackReason)
            #expect(
                machine.upstreamFailed(.refused, reused: false)
                    == .answer(status: 502, detail: AttemptFailure.refused.detail))
        }
    }

    @Test func `a write falls back only while nothing of it has been sent`() {
        var unsent = Self.machine(Self.moved, isSafe: false, hasBody: true)
        #expect(unsent.upstreamFailed(.refused, reused: false) == .fallBack(.refused))

        var sent = Self.machine(Self.moved, isSafe: false, hasBody: true)
        sent.headHandedOn()
        #expect(sent.upstreamFailed(.firstByteTimeout, reused: false).status == 504)
    }

    @Test func `a body that was handed on cannot be sent to the monolith too`() {
        var machine = Self.machine(Self.moved, isSafe: true, hasBody: true)
        machine.headHandedOn()
        machine.bodyBytesHandedOn()
        #expect(machine.upstreamFailed(.firstByteTimeout, reused: false).status == 504)
        #expect(machine.fellBack == nil)
    }

    @Test func `502, 503 and 504 of the service turn to the monolith for safe requests only`() {
        for (status, reason) in [(502, FallbackReason.badGateway), (503, .unavailable), (504, .gatewayTimeout)] {
            var safe = Self.machine(Self.moved)
            safe.headHandedOn()
            #expect(safe.answerHeadArrived(status: status) == .fallBack(reason))
            var write = Self.machine(Self.moved, isSafe: false)
            write.headHandedOn()
            #expect(write.answerHeadArrived(status: status) == .forward)
        }
        var plain = Self.machine(Self.moved)
        plain.headHandedOn()
        #expect(plain.answerHeadArrived(status: 500) == .forward)
        var monolith = Self.machine(.unmatched)
        monolith.headHandedOn()
        #expect(monolith.answerHeadArrived(status: 503) == .forward)
    }

    @Test func `once the answer has begun, every failure breaks the client's connection`() {
        for failure in [AttemptFailure.brokenOff, .malformed, .reset] {
            var machine = Self.machine(Self.moved)
            machine.headHandedOn()
            #expect(machine.answerHeadArrived(status: 200) == .forward)
            #expect(machine.upstreamFailed(failure, reused: true) == .abort)
            #expect(machine.phase == .ended)
        }
    }

    // MARK: Upgrades

    private static func upgrade(_ decision: Decision) -> ExchangeMachine {
        var machine = ExchangeMachine()
        machine.requestArrived(decision, isSafe: true, hasBody: false, wantsUpgrade: true)
        machine.headHandedOn()
        return machine
    }

    @Test func `101 makes a tunnel for those who asked, and both its sides have to end`() {
        for (first, second) in [
            (ExchangeMachine.TunnelEnd.client, ExchangeMachine.TunnelEnd.upstream), (.upstream, .client),
        ] {
            var machine = Self.upgrade(Self.moved)
            #expect(machine.tunnelInputEnded(first) == .ignore)
            #expect(machine.answerHeadArrived(status: 101) == .tunnel)
            #expect(machine.phase == .tunnelling)
            #expect(machine.tunnelInputEnded(first) == .passOn)
            #expect(machine.tunnelInputEnded(first) == .ignore)
            #expect(machine.phase == .tunnelling)
            #expect(machine.tunnelInputEnded(second) == .finish)
            #expect(machine.phase == .ended)
            #expect(machine.tunnelInputEnded(second) == .ignore)
        }
        var plain = Self.machine(Self.moved)
        plain.headHandedOn()
        #expect(plain.answerHeadArrived(status: 101) == .forward)
    }

    @Test func `a refused upgrade is an answer like any other, and the next request is not an upgrade`() {
        var machine = Self.upgrade(Self.moved)
        #expect(machine.answerHeadArrived(status: 403) == .forward)
        #expect(machine.phase == .answering)
        machine.ended()
        machine.requestArrived(Self.moved, isSafe: true, hasBody: false)
        #expect(!machine.wantsUpgrade)
        machine.headHandedOn()
        #expect(machine.answerHeadArrived(status: 101) == .forward)
    }

    @Test func `an upgrade that was sent is asked of nobody else, one that was not may be`() {
        for failure in [AttemptFailure.reset, .firstByteTimeout, .malformed] {
            var sent = Self.upgrade(Self.moved)
            #expect(sent.upstreamFailed(failure, reused: false).status == failure.status)
        }
        for status in [502, 503, 504] {
            var answered = Self.upgrade(Self.moved)
            #expect(answered.answerHeadArrived(status: status) == .forward)
        }
        var unsent = ExchangeMachine()
        unsent.requestArrived(Self.moved, isSafe: true, hasBody: false, wantsUpgrade: true)
        #expect(unsent.upstreamFailed(.refused, reused: false) == .fallBack(.refused))
    }

    @Test func `a tunnel that breaks breaks the client's connection`() {
        var machine = Self.upgrade(Self.moved)
        #expect(machine.answerHeadArrived(status: 101) == .tunnel)
        #expect(machine.upstreamFailed(.brokenOff, reused: false) == .abort)
        #expect(machine.phase == .ended)
    }

    @Test func `retired extractions never ask the monolith`() {
        var machine = Self.machine(Self.retired)
        #expect(machine.upstreamFailed(.refused, reused: false).status == 503)
        var answered = Self.machine(Self.retired)
        answered.headHandedOn()
        #expect(answered.answerHeadArrived(status: 503) == .forward)
    }
}

extension ExchangeMachine.FailureAction {
    /// Of an answer, else 0.
    fileprivate var status: Int { if case .answer(let status, _) = self { status } else { 0 } }
}
