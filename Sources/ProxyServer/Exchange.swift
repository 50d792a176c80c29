internal import DualWrite
internal import Extraction
internal import HTTPWire
internal import NIOCore
internal import Resilience
internal import Routing
internal import Upstreams

/// One request and its answer: reads the route, takes the decision, moves bytes between client and upstream.
///
/// What to do when something fails is decided by `ExchangeMachine`; this class does it. One object serves all requests of
/// a client connection, one after the other.
final class Exchange {
    let context: LoopContext
    /// What the present request was decided by; it stays the same to the request's end.
    private(set) var configuration: LoopConfiguration
    /// Holds its exchange, and lets go of it when its connection ends; an unowned reference would cost two more reference
    /// counts at each use.
    private(set) var client: any ClientStream
    var machine = ExchangeMachine()
    var stream: (any UpstreamStream)?
    var waiter: UpstreamWaiter?
    var capture: Capture?
    /// How far a write is that has to be on record first.
    var recording = Recording.none
    var ticket: WriteTicket?
    /// Goes up with each, so that a late answer is not taken for the next one's.
    var recordings = 0
    /// The proxy has told the client to send its body.
    var hasSaidContinue = false
    /// When the upstream has been silent for too long, on the loop's coarse clock.
    var deadline = NIODeadline.distantFuture
    var extraction = -1
    var method = Method.other
    var requestEnded = false
    /// Status of the answer that was handed to the client.
    var answeredStatus = 0
    /// Who is being asked, or was last.
    private(set) var upstream: Upstream
    /// A call is under way that the upstream's circuit breaker has admitted.
    private var breakerOwed = false
    var attemptBegan = NIODeadline.uptimeNanoseconds(0)
    /// What the request is counted under for the monolith, see `LoopTraffic.key`; -1 for none.
    private(set) var trafficKey = -1
    /// From the last attempt's beginning to the answer's head; negative while there is none.
    var headNanoseconds: Int64 = -1
    /// The side that is being asked was counted before its answer, see `countIfSlow`.
    var isCountedSlow = false
    /// Of the answer's body, so far.
    var answerBytes = 0
    private var began = NIODeadline.uptimeNanoseconds(0)
    private(set) var head: ByteBuffer
    private var framing = BodyFraming.none
    /// Body that arrived before there was a connection to send it on.
    private(set) var pendingBody: [ByteBuffer] = []
    private var requestTrailers: [UInt8] = []
    private var isStarting = false

    init(context: LoopContext, client: any ClientStream) {
        self.context = context
        configuration = context.configuration
        self.client = client
        upstream = context.configuration.monolith
        head = ByteBufferAllocator().buffer(capacity: 1024)
    }

    var isActive: Bool { machine.phase != .idle && machine.phase != .ended }

    // MARK: The request

    /// A request head is complete: routes it, decides, and writes the head that goes on. `bytes` live for this call only.
    /// - Returns: false when its path is refused.
    func prepare(_ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer) -> Bool {
        if configuration !== context.configuration { configuration = context.configuration }
        let request = parser.head
        method = request.method
        framing = request.framing
        requestEnded = false
        requestTrailers = []
        pendingBody.removeAll(keepingCapacity: true)
        capture = nil
        recording = .none
        ticket = nil
        hasSaidContinue = false
        deadline = .distantFuture
        trafficKey = -1
        headNanoseconds = -1
        isCountedSlow = false
        answerBytes = 0
        answeredStatus = 0
        began = .now()
        attemptBegan = began
        guard let path = normalisedPath(request, bytes) else { return false }
        let decision = decide(path.changed, parser, bytes)
        machine.requestArrived(
            decision, isSafe: method.isSafe, isIdempotent: method.isIdempotent, hasBody: framing != .none,
            wantsUpgrade: request.wantsUpgrade)
        writeHead(path.changed, parser, bytes)
        if capture?.isRecorded == true {
            recording = .gathering(expectsContinue: parser.facts.expectsContinue)
        } else {
            count(decision)
        }
        return true
    }

    /// Asks the upstream for what `prepare` has just decided. The caller flushes by `requestReadComplete`.
    func start() {
        guard recording == .none else { return gather() }
        isStarting = true
        attempt(at: began)
        isStarting = false
    }

    func requestBody(_ bytes: ByteBuffer) {
        capture?.requestBody(bytes)
        guard let stream else {
            pendingBody.append(bytes)
            if recording.isGathering, capture?.isTruncated == true { notRecorded(LogRefusal.tooLarge.rawValue) }
            return
        }
        machine.bodyBytesHandedOn()
        stream.sendBody(bytes)
    }

    func requestEnded(trailers: [UInt8]) {
        requestEnded = true
        requestTrailers = trailers
        if recording.isGathering { return record() }
        guard let stream else { return }
        stream.sendEnd(trailers: trailers)
        if machine.phase == .sent { deadline = context.now + upstream.timeouts.firstByte }
    }

    /// All of one read has been handed over.
    func requestReadComplete() {
        guard let stream else { return }
        stream.flush()
        // Writing may have shown the connection to be dead, and another attempt to be under way.
        if self.stream === stream, !requestEnded || machine.phase == .tunnelling, !stream.isWritable {
            client.pauseRequest()
            deadline = context.now + silenceLimit
        }
    }

    /// The client has left before it had its answer.
    func clientGone() {
        guard isActive, !isDetached else { return }
        if machine.phase != .tunnelling { context.counters.clientAborts += 1 }
        countIfSlow(now: .now())
        // What becomes of a write on record has to be known, whoever waits for it.
        if ticket != nil, machine.wasSent {
            client = DetachedClient(client)
            context.detached(self)
            if machine.phase == .answering { deadline = context.now + silenceLimit }
            stream?.resumeReading()
        } else {
            abandon()
        }
    }

    /// The client has left, and the exchange goes on.
    var isDetached: Bool { client is DetachedClient }

    /// Ends the exchange without an answer of an upstream's: the client has left, cannot be understood, or took too long.
    func abandon() {
        guard isActive else { return }
        let captured = takeCapture(isOnRecordAlone ? .neverSent : .abandoned)
        machine.ended()
        settleBreaker(nil)
        release()
        if let captured { configuration.handoff.shadow(captured) }
    }

    func clientWritable() {
        guard let stream else { return }
        if machine.phase == .answering || machine.phase == .tunnelling { deadline = context.now + silenceLimit }
        stream.resumeReading()
    }

    func tick(now: NIODeadline) {
        guard isActive else { return }
        if machine.phase == .tunnelling {
            if now > deadline { finishTunnel() }
        } else if let limit = context.settings.exchange, now > began + limit {
            tookTooLong()
        } else if now > deadline {
            if recording == .asked { notRecorded(LogRefusal.slow.rawValue) } else { upstreamTookTooLong() }
        } else {
            countIfSlow(now: now)
        }
    }

    /// All of its parts may have been in time. Nobody else is asked: the time is over for the client, not for an upstream.
    private func tookTooLong() {
        context.counters.overdue += 1
        let isAnswering = machine.phase == .answering
        // Unless the client is what took so long: its request is not whole, or it does not read.
        if isAnswering ? client.isWritable : requestEnded { countAnswer(isError: true) }
        let requestEnded = requestEnded
        abandon()
        if isAnswering {
            client.abort()
        } else {
            client.sendError(
                status: requestEnded ? 504 : 408, detail: "The request took longer than is allowed.",
                requestEnded: requestEnded)
        }
    }

    private func upstreamTookTooLong() {
        let failure: AttemptFailure =
            switch machine.phase {
            case .answering: .brokenOff
            case .connecting: .noConnection
            case .idle, .sent, .tunnelling, .ended: .firstByteTimeout
            }
        waiter?.consumer = nil
        waiter = nil
        if failure == .firstByteTimeout { stream?.timedOut() } else { stream?.cancel() }
        stream = nil
        failed(failure, reused: false)
    }

    // MARK: Deciding

    private struct NormalisedPath {
        let changed: [UInt8]?
    }

    /// The path that is routed and forwarded; `changed` is nil where it is as the client wrote it. Nil when refused.
    private func normalisedPath(_ request: RequestHead, _ bytes: UnsafeRawBufferPointer) -> NormalisedPath? {
        let path = request.path(in: bytes)
        if request.targetForm == .asterisk { return NormalisedPath(changed: nil) }
        if path.isEmpty {
            // `OPTIONS http://host` asks about the server as a whole (RFC 9112 §3.2.4).
            let isServer = request.method == .options && request.query(in: bytes).isEmpty
            return NormalisedPath(changed: [isServer ? 0x2A : 0x2F])
        }
        switch PathNormalization.normalize(path: path) {
        case .unchanged: return NormalisedPath(changed: nil)
        case .changed(let normal): return NormalisedPath(changed: normal)
        case .refused: return nil
        }
    }

    private func decide(_ changed: [UInt8]?, _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer)
        -> Decision
    {
        let snapshot = configuration.snapshot
        let request = parser.head
        let token = request.methodToken(in: bytes)
        let host = request.authority(in: bytes)
        let method = method
        var endpoint = -1
        let route = Exchange.withPath(changed, request, bytes) { path in
            let route = snapshot.routes.match(method: method, methodToken: token, path: path, host: host)
            if route >= 0 { endpoint = snapshot.endpoints.endpoint(route: route, path: path) }
            return route
        }
        guard route >= 0, route < snapshot.extractionOfRoute.count else {
            extraction = -1
            return .unmatched
        }
        extraction = snapshot.extractionOfRoute[route]
        guard let traffic = snapshot.extractions[extraction] else {
            extraction = -1
            return .unmatched
        }
        if endpoint >= 0 { trafficKey = LoopTraffic.key(endpoint: endpoint, method) }
        return decide(route, traffic, changed, parser, bytes)
    }

    /// What is routed: the normalised path where it differs from the client's.
    private static func withPath<Result>(
        _ changed: [UInt8]?, _ request: RequestHead, _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if let changed { changed.withUnsafeBytes(body) } else { body(request.path(in: bytes)) }
    }

    private func decide(
        _ route: Int, _ traffic: ExtractionTraffic, _ changed: [UInt8]?, _ parser: borrowing RequestHeadParser,
        _ bytes: UnsafeRawBufferPointer
    ) -> Decision {
        let plan = traffic.plan
        guard plan.needsAffinity(isSafe: method.isSafe) || plan.mayShadow || traffic.isOwed else {
            if plan.checksContract, configuration.handoff.checks(extraction) {
                capture = Capture(
                    route: route, lane: 0, requestID: [], shadowIsService: true,
                    limit: context.settings.captureLimit, isForContract: true)
            }
            return plan.decide(bucket: 0, isSafe: method.isSafe, sampleRoll: 0)
        }
        let segments = configuration.snapshot.affinitySegments
        let segment = route < segments.count ? segments[route] : -1
        let key = Exchange.withPath(changed, parser.head, bytes) { path in
            AffinityKey.withKey(
                traffic.affinity, path, segment: segment, parser, bytes,
                clientAddress: client.forwardingFacts.clientAddress
            ) { AffinityHash.hash(salt: traffic.seed, key: $0) }
        }
        let lanes = configuration.snapshot.laneSegments
        let lane =
            route < lanes.count && lanes[route] >= 0
            ? Exchange.withPath(changed, parser.head, bytes) { path in
                PathSegments.value(at: lanes[route], of: path).map { AffinityHash.hash(salt: traffic.seed, key: $0) }
            } ?? key : key
        var decision: Decision
        let bucket = AffinityHash.bucket(of: key)
        var held = traffic.held?.decide(bucket: bucket, isSafe: method.isSafe, sampleRoll: 0).primary
        if let pin = traffic.pin, let side = pin.side(parser, bytes), pin.isBelieved(from: client.peer) {
            decision = plan.decide(pinnedTo: side, isSafe: method.isSafe, sampleRoll: context.sampleRoll())
            // A write keeps to its lane: the other process would not know that it went elsewhere.
            if method.isSafe { held = nil }
        } else {
            decision = plan.decide(bucket: bucket, isSafe: method.isSafe, sampleRoll: context.sampleRoll())
        }
        if let board = traffic.board {
            decision = plan.turned(decision, board, lane: lane, isSafe: method.isSafe, held: held)
        }
        guard let shadow = decision.shadow else {
            if plan.samplesSafe, method.isSafe {
                Exchange.withPath(changed, parser.head, bytes) {
                    configuration.handoff.leftOut(extraction, route, method, $0)
                }
            }
            return decision
        }
        let isAdmitted = Exchange.withPath(changed, parser.head, bytes) {
            configuration.handoff.admits(extraction, route, method, $0, shadow == .service)
        }
        guard isAdmitted else {
            return Decision(
                primary: decision.primary, shadow: nil, monolithMayAnswer: decision.monolithMayAnswer,
                why: decision.why)
        }
        capture = Capture(
            route: route, lane: lane, requestID: context.makeRequestID(), shadowIsService: shadow == .service,
            limit: context.settings.captureLimit,
            isRecorded: !method.isSafe && traffic.board != nil && !parser.head.wantsUpgrade)
        return decision
    }

    /// Of a write that has to be on record first, when a side is asked.
    func count(_ decision: Decision) {
        if extraction < 0 {
            context.counters.unmatched.toMonolith += 1
        } else {
            switch decision.primary {
            case .monolith: context.counters.extractions[extraction].toMonolith += 1
            case .service: context.counters.extractions[extraction].toService += 1
            }
            if decision.shadow != nil, capture != nil, !machine.wantsUpgrade {
                context.counters.extractions[extraction].shadowed += 1
            }
        }
    }

    private func writeHead(
        _ path: [UInt8]?, _ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer
    ) {
        let forwarding = RequestForwarding(
            facts: client.forwardingFacts, path: path, upstreamAuthority: configuration.monolith.authority,
            requestID: capture?.requestID ?? [])
        head.clear()
        head.writeHead(estimate: forwarding.capacity(for: parser.head)) { forwarding.write(parser, bytes, to: &$0) }
    }

    // MARK: Attempts

    /// - Parameter failedAt: set for a retry: another endpoint is asked if there is one, on a fresh connection always.
    func attempt(failedAt: EndpointID? = nil, at now: NIODeadline = .now()) {
        attemptBegan = now
        upstream = (machine.side == .service ? configuration.services[extraction] : nil) ?? configuration.monolith
        if let admission = upstream.admit(now: attemptBegan) {
            if admission == .refused {
                failed(.circuitOpen, reused: false)
                return
            }
            breakerOwed = true
        }
        // A connection that is to become a tunnel is none of the pool's, and a kept one might turn out dead.
        let isFresh = failedAt != nil || machine.wantsUpgrade
        let freshness: ConnectionFreshness = isFresh ? .fresh : machine.mayRepeat ? .kept : .checked
        switch upstream.acquire(self, freshness, avoiding: failedAt ?? .none) {
        case .ready(let connection): connected(connection)
        case .pending(let waiter):
            self.waiter = waiter
            // Connecting has a time limit in the pool; this one is for the queue, when all connections are taken.
            deadline = context.now + upstream.timeouts.connect + upstream.timeouts.firstByte
            if !requestEnded { client.pauseRequest() }
        case .full: failed(.noConnection, reused: false)
        case .noneHealthy: failed(.noUpstream, reused: false)
        }
    }

    func connected(_ connection: any UpstreamStream) {
        waiter = nil
        stream = connection
        connection.begin(self, method: method, framing: framing, head: head)
        // A large head is sent at once, which may show that nobody is there, and another attempt is under way already.
        guard stream === connection else { return }
        if machine.wantsUpgrade { connection.mayUpgrade = true }
        machine.headHandedOn()
        for bytes in pendingBody {
            machine.bodyBytesHandedOn()
            connection.sendBody(bytes)
        }
        pendingBody.removeAll(keepingCapacity: true)
        if requestEnded { connection.sendEnd(trailers: requestTrailers) }
        deadline = requestEnded ? context.now + upstream.timeouts.firstByte : .distantFuture
        if !isStarting {
            connection.flush()
            client.resumeRequest()
        }
    }

    /// Lets go of the upstream.
    func release() {
        recordings &+= 1
        recording = .none
        waiter?.consumer = nil
        waiter = nil
        stream?.cancel()
        stream = nil
        deadline = .distantFuture
        pendingBody.removeAll(keepingCapacity: true)
    }

    /// Tells the upstream's circuit breaker how the admitted call went; nil: it was given up.
    func settleBreaker(_ outcome: CircuitBreaker.Outcome?, now: NIODeadline? = nil) {
        guard breakerOwed else { return }
        breakerOwed = false
        let now = now ?? .now()
        upstream.settle(outcome, took: now - attemptBegan, now: now)
    }

    /// Hands the finished exchange to the shadow, if it is to have one. Only after the client has its answer.
    func takeCapture(_ outcome: CapturedExchange.Outcome) -> CapturedExchange? {
        guard let capture else { return nil }
        self.capture = nil
        // It was to be on record first, and nobody has seen it.
        if capture.isRecorded, ticket == nil { return nil }
        return CapturedExchange(
            extraction: extraction, route: capture.route, method: method, requestHead: head,
            requestBody: capture.requestBody, answerHead: capture.answerHead, answerBody: capture.answerBody,
            isTruncated: capture.isTruncated, outcome: machine.wantsUpgrade ? .upgrade : outcome,
            // Who is owed it is who did not answer.
            shadowIsService: capture.isRecorded ? machine.side == .monolith : capture.shadowIsService,
            lane: capture.lane, requestID: capture.requestID,
            primaryNanoseconds: (NIODeadline.now() - began).nanoseconds, isForContract: capture.isForContract,
            ticket: ticket, answeredBy: machine.side, hasTurned: capture.hasTurned)
    }
}
