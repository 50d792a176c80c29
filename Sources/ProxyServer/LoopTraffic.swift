package import Extraction
internal import HTTPWire
package import Routing

/// How clients were answered at each endpoint by each side, on one loop and under one configuration: plain integers in
/// rows, found by number. Names are made of them off the loop, when they are harvested.
///
/// A row is there from the first request on that it counts, and goes with the harvest, so that a thousand endpoints of
/// which ten are asked cost ten rows.
final class LoopTraffic {
    let index: EndpointIndex
    /// The row of each key; -1 for none yet. Empty as long as nothing was counted.
    private var rowOfKey: [Int32] = []
    private var rows = TrafficRows()

    /// Rows that there is room for before the memory of a second's grows.
    private static let usualRows = 32

    init(_ index: EndpointIndex) { self.index = index }

    /// What an endpoint's requests of one method are counted under, for the monolith; `Side.rawValue` is to be added.
    static func key(endpoint: Int, _ method: Method) -> Int {
        (endpoint &* Method.allCases.count &+ Int(method.rawValue)) &* 2
    }

    /// A request that `side` was asked, when all is known of it.
    ///
    /// - Parameters:
    ///   - nanoseconds: from sending it to the answer's head; negative where there was none.
    ///   - bytes: of the answer's body.
    func count(_ key: Int, _ side: Side, isError: Bool, nanoseconds: Int64, bytes: Int) {
        let row = row(of: key &+ Int(side.rawValue))
        rows.add(at: row, isError: isError, nanoseconds: nanoseconds, bytes: bytes)
    }

    /// How a request ended that was counted before.
    func countEnd(_ key: Int, _ side: Side, isError: Bool, bytes: Int) {
        rows.addEnd(at: row(of: key &+ Int(side.rawValue)), isError: isError, bytes: bytes)
    }

    /// The service failed, and the monolith is asked in its place.
    /// - Parameter isCounted: the request was counted before, but for its end.
    func countFallback(_ key: Int, _ reason: FallbackReason, nanoseconds: Int64, isCounted: Bool) {
        let row = row(of: key &+ Int(Side.service.rawValue))
        if isCounted {
            rows.addEnd(at: row, isError: true, bytes: 0)
        } else {
            rows.add(at: row, isError: true, nanoseconds: nanoseconds, bytes: 0)
        }
        rows.addFallback(at: row, reason)
    }

    private func row(of key: Int) -> Int {
        if rowOfKey.isEmpty {
            let keys = LoopTraffic.key(endpoint: index.count, .get)
            rowOfKey = [Int32](repeating: -1, count: keys)
            rows.reserve(LoopTraffic.usualRows)
        }
        let known = rowOfKey[key]
        if known >= 0 { return Int(known) }
        let row = rows.append(Int32(truncatingIfNeeded: key))
        rowOfKey[key] = Int32(truncatingIfNeeded: row)
        return row
    }

    /// What was counted since the last time.
    ///
    /// - Parameter isLast: nothing more is expected, so no memory is kept either.
    func take(isLast: Bool = false) -> TrafficRows {
        var taken = TrafficRows()
        swap(&taken, &rows)
        if isLast {
            rowOfKey = []
        } else if !rowOfKey.isEmpty {
            for key in taken.keys { rowOfKey[Int(key)] = -1 }
            rows.reserve(max(LoopTraffic.usualRows, taken.keys.count))
        }
        return taken
    }
}

/// What one loop has counted since it was last asked.
package struct LoopHarvest: Sendable {
    /// Under each configuration that requests were decided by.
    let counted: [(index: EndpointIndex, rows: TrafficRows)]
    let sample: ObservedSample

    /// Off the loops: this makes names.
    package func forEach(_ body: (CountedTraffic) -> Void) {
        for part in counted { part.rows.forEach(under: part.index, body) }
    }

    /// Requests that no route takes: a sample whose weights add up to `unmatched`. Off the loops.
    package var observed: [ObservedRequest] { sample.requests() }

    /// How many requests no route has taken, exactly.
    package var unmatched: Int { sample.total }
}

/// Counted rows, one after the other in one array each.
struct TrafficRows: Sendable {
    private static let fixed = 4
    private static let buckets = LatencyHistogram.bucketCount
    private static let width = fixed + buckets + FallbackReason.allCases.count

    /// What each row counts, see `LoopTraffic.key`.
    fileprivate private(set) var keys: [Int32] = []
    /// Of each row: requests, errors, bytes, nanoseconds, the latency's buckets, the fallbacks by reason.
    private var counts: [Int] = []

    var isEmpty: Bool { keys.isEmpty }

    fileprivate mutating func reserve(_ rows: Int) {
        keys.reserveCapacity(rows)
        counts.reserveCapacity(rows * TrafficRows.width)
    }

    fileprivate mutating func append(_ key: Int32) -> Int {
        keys.append(key)
        counts.append(contentsOf: repeatElement(0, count: TrafficRows.width))
        return keys.count &- 1
    }

    fileprivate mutating func add(at row: Int, isError: Bool, nanoseconds: Int64, bytes: Int) {
        let start = row &* TrafficRows.width
        counts[start] &+= 1
        if isError { counts[start &+ 1] &+= 1 }
        counts[start &+ 2] &+= bytes
        guard nanoseconds >= 0 else { return }
        counts[start &+ 3] &+= Int(truncatingIfNeeded: nanoseconds)
        counts[start &+ TrafficRows.fixed &+ LatencyHistogram.bucket(of: nanoseconds)] &+= 1
    }

    fileprivate mutating func addEnd(at row: Int, isError: Bool, bytes: Int) {
        let start = row &* TrafficRows.width
        if isError { counts[start &+ 1] &+= 1 }
        counts[start &+ 2] &+= bytes
    }

    fileprivate mutating func addFallback(at row: Int, _ reason: FallbackReason) {
        counts[row &* TrafficRows.width &+ TrafficRows.fixed &+ TrafficRows.buckets &+ reason.number] &+= 1
    }

    /// Calls `body` for each row with all that it says. Off the loops: this makes names.
    func forEach(under index: EndpointIndex, _ body: (CountedTraffic) -> Void) {
        let methods = Method.allCases
        for (row, key) in keys.enumerated() {
            let (pair, side) = Int(key).quotientAndRemainder(dividingBy: 2)
            let (endpoint, method) = pair.quotientAndRemainder(dividingBy: methods.count)
            guard let names = index.names(endpoint: endpoint, method: methods[method]) else { continue }
            let start = row * TrafficRows.width
            let latency = start + TrafficRows.fixed
            let fallbacks = latency + TrafficRows.buckets
            body(
                CountedTraffic(
                    extraction: names.extraction, endpoint: names.endpoint,
                    side: side == Int(Side.service.rawValue) ? .service : .monolith,
                    traffic: SideTraffic(
                        requests: counts[start], errors: counts[start + 1],
                        latency: LatencyHistogram(counts: Array(counts[latency..<fallbacks]))),
                    bytes: counts[start + 2], nanoseconds: counts[start + 3],
                    fellBack: zip(FallbackReason.allCases, counts[fallbacks...]).filter { $0.1 > 0 }))
        }
    }
}

/// How one side answered clients at one endpoint, on one loop, since the last harvest.
package struct CountedTraffic: Sendable {
    package let extraction: String
    /// `GET /api/v1/orders/{id}`.
    package let endpoint: String
    package let side: Side
    package let traffic: SideTraffic
    /// Of answers' bodies.
    package let bytes: Int
    /// Sum of the times from sending a request to its answer's head.
    package let nanoseconds: Int
    /// Of the service: how often the monolith was asked in its place.
    package let fellBack: [(reason: FallbackReason, count: Int)]
}

extension FallbackReason {
    /// Its place among all cases.
    var number: Int {
        switch self {
        case .refused: 0
        case .timeout: 1
        case .badGateway: 2
        case .unavailable: 3
        case .gatewayTimeout: 4
        case .circuitOpen: 5
        case .reset: 6
        case .noConnection: 7
        }
    }
}
