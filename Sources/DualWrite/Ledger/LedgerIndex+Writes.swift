package import Extraction

/// Writes come, become known, and go.
extension LedgerIndex {
    /// An intent is on its way to the disk.
    ///
    /// - Parameter facts: its sequence is higher than that of any write of its lane, unless it was recovered.
    package mutating func intended(_ facts: WriteFacts) -> Handle {
        let extraction = extraction(facts.extraction)
        var node = Node()
        node.sequence = facts.sequence
        node.id = facts.id
        node.at = facts.at
        node.name = names.name(extraction, facts.endpoint)
        node.phase = .intent
        if facts.primary == .service { node.flags.formUnion([.serviceIsPrimary, .serviceAnswered]) }
        underWay[Int(extraction)] += 1
        return insert(node, lane: lane(facts.lane ^ LedgerIndex.salt(extraction)))
    }

    /// The primary may see it.
    package mutating func intentDurable(_ handle: Handle, at position: LogPosition) {
        guard node(handle) != nil else { return }
        nodes[handle.index].intent = position
        nodes[handle.index].flags.insert(.isDurable)
    }

    /// The primary has taken it; the outcome is on its way to the disk.
    ///
    /// - Returns: false for one that is not open, or has an outcome.
    package mutating func accepted(_ handle: Handle, by side: Side) -> Bool {
        guard let node = node(handle), node.phase == .intent else { return false }
        nodes[handle.index].phase = .accepting
        setAnswered(handle.index, side)
        underWay[Int(names.extraction(of: node.name))] -= 1
        return true
    }

    /// The outcome is on disk: from now on it is delivered.
    package mutating func owed(_ handle: Handle, at position: LogPosition, now: Int64) {
        guard let node = node(handle), node.phase == .accepting else { return }
        nodes[handle.index].outcome = position
        becomeOwed(handle.index, since: LedgerIndex.coarse(now))
        advance(node.lane)
    }

    /// Writes that hold a log's segments up to this one: those that wait to be delivered, `limit` of them at most.
    package func waiting(upTo segment: UInt32, origin: UInt8, limit: Int) -> [Handle] {
        var found: [Handle] = []
        nodes.visit { index, node in
            if node.phase == .owed, node.origin == origin, node.intent.segment <= segment,
                node.flags.contains(.isDurable)
            {
                found.append(Handle(index: index, sequence: node.sequence))
            }
            return found.count < limit
        }
        return found
    }

    /// Whether it is owed and not on its way.
    package func isWaiting(_ handle: Handle) -> Bool { node(handle)?.phase == .owed }

    /// The side that each open write of an extraction is owed to, or will be, and its lane.
    package func visitOpen(_ extraction: UInt16, _ visit: (_ side: Side, _ lane: UInt64) -> Void) {
        nodes.visit { _, node in
            if node.phase != .free, names.extraction(of: node.name) == extraction {
                visit(target(node).side, lanes[node.lane].key ^ LedgerIndex.salt(extraction))
            }
            return true
        }
    }

    /// It stands in the log anew.
    package mutating func moved(_ handle: Handle, to position: LogPosition, origin: UInt8) {
        guard node(handle) != nil else { return }
        nodes[handle.index].intent = position
        nodes[handle.index].outcome = position
        nodes[handle.index].origin = origin
    }

    /// One that stood open in a log: its primary has taken it.
    ///
    /// - Parameter wasSent: an attempt may have reached the other side.
    package mutating func recovered(
        _ facts: WriteFacts, intent: LogPosition, outcome: LogPosition, origin: UInt8, answeredBy: Side, attempts: Int,
        isRetried: Bool, wasSent: Bool, since: Int64
    ) -> Handle {
        let extraction = extraction(facts.extraction)
        var node = Node()
        node.sequence = facts.sequence
        node.id = facts.id
        node.at = facts.at
        node.intent = intent
        node.outcome = outcome
        node.origin = origin
        node.name = names.name(extraction, facts.endpoint)
        node.attempts = UInt16(clamping: attempts)
        node.phase = .owed
        node.flags = .isDurable
        if facts.primary == .service { node.flags.insert(.serviceIsPrimary) }
        if isRetried { node.flags.insert(.isRetried) }
        if wasSent { node.flags.insert(.wasSent) }
        if answeredBy == .service { node.flags.insert(.serviceAnswered) }
        let handle = insert(node, lane: lane(facts.lane ^ LedgerIndex.salt(extraction)))
        becomeOwed(handle.index, since: LedgerIndex.coarse(since))
        advance(nodes[handle.index].lane)
        return handle
    }

    /// It is done with: refused, settled, dead, uncertain. Its lane goes on.
    ///
    /// - Parameter reads: gets the ids appended that may start now.
    /// - Returns: false for one that is not open, or owed and not being delivered.
    @discardableResult
    package mutating func closed(_ handle: Handle, startingReads reads: inout [UInt64]) -> Bool {
        guard let node = node(handle) else { return false }
        switch node.phase {
        case .free, .owed: return false
        case .intent: underWay[Int(names.extraction(of: node.name))] -= 1
        case .accepting: break
        case .running:
            noLongerOwed(handle.index)
            stopped(node)
        case .ending: noLongerOwed(handle.index)
        }
        let isHead = lanes[node.lane].head == handle.index
        unlink(handle.index)
        if isHead {
            lanes[node.lane].phase = .waiting
            lanes[node.lane].failures = 0
        }
        nodes.remove(handle.index)
        startReads(of: node.lane, into: &reads)
        advance(node.lane)
        if nodes.count == 0 { names.forgetEndpoints() }
        return true
    }

    // MARK: Lists

    private mutating func setAnswered(_ index: UInt32, _ side: Side) {
        if side == .service {
            nodes[index].flags.insert(.serviceAnswered)
        } else {
            nodes[index].flags.remove(.serviceAnswered)
        }
    }

    private mutating func becomeOwed(_ index: UInt32, since: UInt32) {
        nodes[index].phase = .owed
        nodes[index].owedSince = since
        let place = target(nodes[index]).index
        let tail = targets[place].owedTail
        nodes[index].owedPrevious = tail
        if tail == LedgerIndex.none { targets[place].owedHead = index } else { nodes[tail].owedNext = index }
        targets[place].owedTail = index
        targets[place].owed += 1
    }

    private mutating func noLongerOwed(_ index: UInt32) {
        let node = nodes[index]
        let place = target(node).index
        if node.owedPrevious == LedgerIndex.none {
            targets[place].owedHead = node.owedNext
        } else {
            nodes[node.owedPrevious].owedNext = node.owedNext
        }
        if node.owedNext == LedgerIndex.none {
            targets[place].owedTail = node.owedPrevious
        } else {
            nodes[node.owedNext].owedPrevious = node.owedPrevious
        }
        targets[place].owed -= 1
    }

    mutating func lane(_ key: UInt64) -> UInt32 {
        if let lane = findLane(key) { return lane }
        var fresh = Lane()
        fresh.key = key
        let lane = lanes.add(fresh)
        let lanes = lanes
        table.insert(lane, key: key) { lanes[$0].key }
        return lane
    }

    func findLane(_ key: UInt64) -> UInt32? { table.find(key) { lanes[$0].key } }

    /// Nearly always at the end; one that was recovered while others came goes before them.
    private mutating func insert(_ fresh: Node, lane: UInt32) -> Handle {
        var node = fresh
        var before = lanes[lane].tail
        while before != LedgerIndex.none, nodes[before].sequence > node.sequence, nodes[before].phase != .running,
            nodes[before].phase != .ending,
            !(lanes[lane].head == before && lanes[lane].phase != .waiting)
        {
            before = nodes[before].previous
        }
        node.lane = lane
        node.previous = before
        node.next = before == LedgerIndex.none ? lanes[lane].head : nodes[before].next
        let index = nodes.add(node)
        if before == LedgerIndex.none { lanes[lane].head = index } else { nodes[before].next = index }
        if node.next == LedgerIndex.none { lanes[lane].tail = index } else { nodes[node.next].previous = index }
        lanes[lane].open += 1
        return Handle(index: index, sequence: node.sequence)
    }

    private mutating func unlink(_ index: UInt32) {
        let node = nodes[index]
        if node.previous == LedgerIndex.none {
            lanes[node.lane].head = node.next
        } else {
            nodes[node.previous].next = node.next
        }
        if node.next == LedgerIndex.none {
            lanes[node.lane].tail = node.previous
        } else {
            nodes[node.next].previous = node.previous
        }
        lanes[node.lane].open -= 1
    }
}
