/// Orders shadow work per lane, so that the shadow sees writes in the order the primary saw them and a read never
/// overtakes the write before it.
///
/// Within a lane a write waits for everything before it, a read for the writes before it; reads between two writes run
/// side by side. Lanes know nothing of each other. First in, first out with a head that may block gives exactly that:
/// whatever stands behind a waiting piece of work would have to wait for it or for the same thing as it.
///
/// Answers for order only: what a piece of work is, and whether it may be dropped, is the caller's. Values and ids, no
/// references out; each call costs constant time, amortised. Work that waits and work that runs takes one node, a lane
/// exists while it has either, and nothing is left of what has finished.
package struct LaneScheduler: Sendable {
    private struct Node {
        let id: UInt64
        let lane: UInt64
        let isWrite: Bool
        var isRunning = false
        /// The node behind this one in the queue of its lane.
        var next: Int?
    }

    private struct Lane {
        var runningReads = 0
        var writeRuns = false
        var head: Int?
        var tail: Int?

        var isIdle: Bool { runningReads == 0 && !writeRuns && head == nil }

        func canStart(isWrite: Bool) -> Bool { !writeRuns && (!isWrite || runningReads == 0) }

        mutating func started(isWrite: Bool) {
            if isWrite { writeRuns = true } else { runningReads += 1 }
        }

        mutating func finished(isWrite: Bool) {
            if isWrite { writeRuns = false } else { runningReads -= 1 }
        }
    }

    private static let nodesKeptWhenIdle = 1_024

    private var lanes: [UInt64: Lane] = [:]
    private var nodeOfID: [UInt64: Int] = [:]
    private var nodes: [Node] = []
    private var freeNodes: [Int] = []

    /// Pieces of work that wait for others.
    package private(set) var waitingCount = 0

    package init() {}

    /// Pieces of work that were started and have not finished.
    package var runningCount: Int { nodeOfID.count - waitingCount }

    /// Lanes with work that waits or runs.
    package var laneCount: Int { lanes.count }

    /// Work has arrived.
    ///
    /// - Parameters:
    ///   - id: of the caller's choice, not in use now.
    ///   - started: gets the id appended if the work may start at once.
    /// - Returns: false, and nothing happens, when the id is in use.
    @discardableResult
    package mutating func enqueue(id: UInt64, lane: UInt64, isWrite: Bool, into started: inout [UInt64]) -> Bool {
        guard nodeOfID[id] == nil else { return false }
        let index = addNode(Node(id: id, lane: lane, isWrite: isWrite))
        nodeOfID[id] = index
        waitingCount += 1

        var queue = lanes[lane] ?? Lane()
        if let tail = queue.tail { nodes[tail].next = index } else { queue.head = index }
        queue.tail = index
        startHeads(of: &queue, into: &started)
        lanes[lane] = queue
        return true
    }

    /// Started work has finished, well or not.
    ///
    /// - Parameter started: gets the ids appended that may start now.
    /// - Returns: false, and nothing happens, when no such work runs.
    @discardableResult
    package mutating func finished(id: UInt64, into started: inout [UInt64]) -> Bool {
        guard let index = nodeOfID[id], nodes[index].isRunning else { return false }
        let node = nodes[index]
        guard var queue = lanes[node.lane] else { return false }
        nodeOfID[id] = nil
        freeNodes.append(index)
        queue.finished(isWrite: node.isWrite)
        startHeads(of: &queue, into: &started)
        lanes[node.lane] = queue.isIdle ? nil : queue
        if nodeOfID.isEmpty { shrink() }
        return true
    }

    private mutating func startHeads(of queue: inout Lane, into started: inout [UInt64]) {
        while let head = queue.head, queue.canStart(isWrite: nodes[head].isWrite) {
            queue.started(isWrite: nodes[head].isWrite)
            queue.head = nodes[head].next
            if queue.head == nil { queue.tail = nil }
            nodes[head].next = nil
            nodes[head].isRunning = true
            waitingCount -= 1
            started.append(nodes[head].id)
        }
    }

    private mutating func addNode(_ node: Node) -> Int {
        if let index = freeNodes.popLast() {
            nodes[index] = node
            return index
        }
        nodes.append(node)
        return nodes.count - 1
    }

    /// Gives back what a burst has grown, at a moment when nothing needs to be moved.
    private mutating func shrink() {
        guard nodes.count > Self.nodesKeptWhenIdle else { return }
        lanes = [:]
        nodeOfID = [:]
        nodes = []
        freeNodes = []
    }
}
