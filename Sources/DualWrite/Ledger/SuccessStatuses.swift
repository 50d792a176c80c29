/// Which statuses mean that a side has taken a write.
package struct SuccessStatuses: Sendable, Hashable {
    /// 2xx and 3xx.
    package static let standard = SuccessStatuses([200...399])

    /// Within 100...599, in the order given.
    package let ranges: [ClosedRange<UInt16>]

    /// - Parameter ranges: what lies outside 100...599 is left out; so is what comes after the 16th.
    package init(_ ranges: [ClosedRange<Int>]) {
        let possible = 100...599
        self.ranges = ranges.prefix(16).filter { $0.overlaps(possible) }
            .map { $0.clamped(to: possible) }
            .map { UInt16($0.lowerBound)...UInt16($0.upperBound) }
    }

    package func contains(_ status: Int) -> Bool {
        guard let status = UInt16(exactly: status) else { return false }
        return ranges.contains { $0.contains(status) }
    }
}
