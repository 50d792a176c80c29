internal import Comparison
internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Resilience
internal import Upstreams

/// What reads and deliveries of one loop send by: the shadow's upstreams, its circuits, and the calls under way.
final class ShadowSender {
    let identities: IdentityDirectory
    private(set) var settings: ShadowSettings
    var gate: ShadowGate
    let news: SideNews
    private let upstreams: ShadowUpstreams
    private var calls: [ObjectIdentifier: ShadowCall] = [:]

    init(
        loop: any EventLoop, settings: ShadowSettings, directory: UpstreamDirectory, identities: IdentityDirectory
    ) {
        self.settings = settings
        self.identities = identities
        gate = ShadowGate(openFor: settings.circuitOpenFor)
        news = SideNews()
        upstreams = ShadowUpstreams(loop: loop, settings: settings, directory: directory)
    }

    var callCount: Int { calls.count }

    func update(_ settings: ShadowSettings) {
        self.settings = settings
        upstreams.update(settings)
    }

    func tick(now: NIODeadline) {
        for call in Array(calls.values) { call.tick(now: now) }
        upstreams.sweep(now: now)
    }

    /// Gives up every call; nobody is told.
    func close() {
        for call in calls.values { call.abandon() }
        calls.removeAll()
        upstreams.close()
        news.close()
    }

    /// A call that the gate has admitted is over.
    func ended(slot: Int, side: Side, began: Int64, _ result: ShadowCall.Result) {
        let change = gate.ended(slot: slot, isService: side == .service, began: began, result)
        if change == .opened { news.isAway(slot: slot, side) }
    }

    func upstream(_ side: Side, slot: Int, of extraction: ShadowedExtraction, under settings: ShadowSettings)
        -> Upstream
    {
        side == .service ? upstreams.service(slot, extraction.service) : upstreams.monolith(settings.monolith)
    }

    /// - Parameter onEnd: gets the call, too, which knows how far it came.
    func send(
        _ request: ShadowRequest, _ method: Method, to upstream: Upstream, within nanoseconds: Int64,
        under settings: ShadowSettings, _ onEnd: @escaping (ShadowCall.Result, ShadowCall) -> Void
    ) {
        let call = ShadowCall(
            method: method, head: request.head, body: request.body, upstream: upstream,
            deadline: .now() + .nanoseconds(nanoseconds),
            answer: BodyCollector(cap: settings.answerLimit, ceiling: settings.answerCeiling)
        ) { [unowned self] call, result in
            calls[ObjectIdentifier(call)] = nil
            onEnd(result, call)
        }
        calls[ObjectIdentifier(call)] = call
        call.start()
    }
}
