internal import Extraction

/// Who is next, and what an attempt came to.
extension LedgerIndex {
    /// The next write to be delivered to a target; it is to be followed by `closed`, `failed`, `held` or `putBack`.
    ///
    /// Lanes take turns. Those whose head has failed before may have half of the calls: if many of them hang, the others go
    /// on.
    package mutating func next(_ target: Target) -> Handle? {
        let place = target.index
        guard place < targets.count, !targets[place].isPaused, targets[place].running < callsPerTarget else {
            return nil
        }
        let lane: UInt32
        if targets[place].runningFailed < max(1, callsPerTarget / 2), let first = popFirst(failed: true, of: place) {
            lane = first
            targets[place].runningFailed += 1
        } else if let first = popFirst(failed: false, of: place) {
            lane = first
        } else {
            return nil
        }
        targets[place].running += 1
        lanes[lane].phase = .running
        let head = lanes[lane].head
        nodes[head].phase = .running
        return Handle(index: head, sequence: nodes[head].sequence)
    }

    /// Whether a lane is ready to go to a target.
    package func hasReady(_ target: Target) -> Bool {
        guard target.index < targets.count else { return false }
        let state = targets[target.index]
        return state.fresh.head != LedgerIndex.none || state.failed.head != LedgerIndex.none
    }

    /// An attempt has failed: the lane pauses.
    ///
    /// - Parameters:
    ///   - burned: it counts against the limit.
    ///   - wasSent: it may have reached the other side.
    ///   - isSilent: the target as a whole seems to be away; when it answers again, the pause is over.
    package mutating func failed(_ handle: Handle, burned: Bool, wasSent: Bool, isSilent: Bool, until: Int64) {
        guard let node = node(handle), node.phase == .running else { return }
        let target = target(node).index
        stopped(node)
        nodes[handle.index].phase = .owed
        if burned, node.attempts < UInt16.max { nodes[handle.index].attempts += 1 }
        if wasSent { nodes[handle.index].flags.insert(.wasSent) }
        if lanes[node.lane].failures < UInt8.max { lanes[node.lane].failures += 1 }
        lanes[node.lane].answersSeen = targets[target].answers
        if isSilent { targets[target].isSilent = true }
        pause(node.lane, isSilent ? .away : .pausing, until)
    }

    /// It cannot be made into a request yet.
    package mutating func held(_ handle: Handle, until: Int64) {
        guard let node = node(handle), node.phase == .running else { return }
        stopped(node)
        nodes[handle.index].phase = .owed
        targets[target(node).index].holding += 1
        pause(node.lane, .holding, until)
    }

    /// Whether its target is away, or is owed a write that came before this one: either may still tell what it waits for.
    package func mayLearnMore(_ handle: Handle) -> Bool {
        guard let node = node(handle) else { return false }
        let state = targets[target(node).index]
        if state.isSilent || state.isPaused { return true }
        return state.owedHead != LedgerIndex.none && nodes[state.owedHead].sequence < node.sequence
    }

    /// What one waited for is known, perhaps.
    package mutating func mayGoOn(_ handle: Handle) {
        guard let node = node(handle), node.phase == .owed, lanes[node.lane].head == handle.index,
            lanes[node.lane].phase == .holding
        else { return }
        leavePause(node.lane)
        advance(node.lane)
    }

    /// It was not tried after all, and is the next one again.
    package mutating func putBack(_ handle: Handle) {
        guard let node = node(handle), node.phase == .running else { return }
        stopped(node)
        nodes[handle.index].phase = .owed
        lanes[node.lane].phase = .waiting
        advance(node.lane)
    }

    /// How it ended is known and waits for room on the disk: its lane waits with it, its call is over.
    package mutating func ending(_ handle: Handle) {
        guard let node = node(handle), node.phase == .running else { return }
        stopped(node)
        nodes[handle.index].phase = .ending
        lanes[node.lane].phase = .waiting
    }

    /// Whether a target has answered somebody since the last attempt of this write.
    package func hasAnsweredSince(_ handle: Handle) -> Bool {
        guard let node = node(handle), lanes[node.lane].failures > 0 else { return false }
        return targets[target(node).index].answers != lanes[node.lane].answersSeen
    }

    /// A target has answered something. When it seemed to be away, all that pauses because of that goes on.
    package mutating func answered(_ target: Target) {
        guard target.index < targets.count else { return }
        targets[target.index].answers &+= 1
        guard targets[target.index].isSilent else { return }
        targets[target.index].isSilent = false
        for (lane, until) in targets[target.index].away.takeAll() {
            guard lanes.contains(lane), lanes[lane].until == until, lanes[lane].phase == .away,
                self.target(nodes[lanes[lane].head]) == target
            else { continue }
            lanes[lane].phase = .waiting
            advance(lane)
        }
    }

    package mutating func setPaused(_ target: Target, _ isPaused: Bool) {
        guard target.index < targets.count else { return }
        targets[target.index].isPaused = isPaused
    }

    package func isPaused(_ target: Target) -> Bool {
        target.index < targets.count && targets[target.index].isPaused
    }

    /// Lanes whose pause is over are ready.
    package mutating func wake(now: Int64) {
        while let (lane, until) = pauses.pop(until: now) { endPause(lane, until) }
        for place in targets.indices {
            while let (lane, until) = targets[place].away.pop(until: now) { endPause(lane, until) }
        }
    }

    private mutating func endPause(_ lane: UInt32, _ until: Int64) {
        // The lane may have gone, and its place with it.
        guard lanes.contains(lane), lanes[lane].until == until, lanes[lane].phase.isPause else { return }
        leavePause(lane)
        advance(lane)
    }

    /// Owed writes whose target is not paused.
    package var deliverable: Int { targets.reduce(0) { $0 + ($1.isPaused ? 0 : $1.owed) } }

    // MARK: Lanes

    mutating func stopped(_ node: Node) {
        let place = target(node).index
        targets[place].running -= 1
        if lanes[node.lane].failures > 0 { targets[place].runningFailed -= 1 }
    }

    mutating func leavePause(_ lane: UInt32) {
        if lanes[lane].phase == .holding { targets[target(nodes[lanes[lane].head]).index].holding -= 1 }
        lanes[lane].phase = .waiting
    }

    private mutating func pause(_ lane: UInt32, _ phase: Lane.Phase, _ until: Int64) {
        lanes[lane].phase = phase
        lanes[lane].until = until
        if phase == .away {
            targets[target(nodes[lanes[lane].head]).index].away.insert(lane, until: until)
        } else {
            pauses.insert(lane, until: until)
        }
    }

    /// Puts a lane whose head may go into its target's queue; lets go of one that has nothing left.
    mutating func advance(_ lane: UInt32) {
        guard lanes[lane].phase == .waiting, lanes[lane].reads == 0 else { return }
        let head = lanes[lane].head
        guard head != LedgerIndex.none else {
            // Whoever waited has been started, or there would be reads.
            table.remove(lane, key: lanes[lane].key)
            lanes.remove(lane)
            return
        }
        guard nodes[head].phase == .owed, !isHeld else { return }
        lanes[lane].phase = .ready
        append(lane, failed: lanes[lane].failures > 0, of: target(nodes[head]).index)
    }

    private mutating func append(_ lane: UInt32, failed: Bool, of place: Int) {
        lanes[lane].link = LedgerIndex.none
        var queue = failed ? targets[place].failed : targets[place].fresh
        if queue.tail == LedgerIndex.none { queue.head = lane } else { lanes[queue.tail].link = lane }
        queue.tail = lane
        if failed { targets[place].failed = queue } else { targets[place].fresh = queue }
        readyCount += 1
    }

    private mutating func popFirst(failed: Bool, of place: Int) -> UInt32? {
        var queue = failed ? targets[place].failed : targets[place].fresh
        let lane = queue.head
        guard lane != LedgerIndex.none else { return nil }
        queue.head = lanes[lane].link
        if queue.head == LedgerIndex.none { queue.tail = LedgerIndex.none }
        if failed { targets[place].failed = queue } else { targets[place].fresh = queue }
        readyCount -= 1
        return lane
    }
}
