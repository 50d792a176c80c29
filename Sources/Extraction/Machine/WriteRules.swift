/// How writes that both sides get are kept until both have them: `shadow` of the route file, and what an entry of `match`
/// says otherwise.
package struct WriteRules: Sendable, Equatable {
    /// What becomes of a write that cannot be written down first.
    package enum WhenFull: String, CaseIterable, Sendable {
        /// It is answered 503, and no side sees it.
        case refuseWrites = "refuse-writes"
        /// It goes to the primary alone. The gap that this makes is on record and closes the gates.
        case serveWithoutShadow = "serve-without-shadow"
    }

    /// Default: clients come first, and what is missing is known.
    package var whenFull = WhenFull.serveWithoutShadow
    /// Statuses of the primary after which the other side has to get the write, too.
    package var success = StatusSet.successes
    /// The parameter of the path that names the entity whose writes keep their order; nil: they keep it by affinity key.
    package var laneParameter: String?
    /// Deliveries that may fail before a write is given up for a person to look at.
    package var attempts = 12
    /// How long a write waits for the other side's name of something that it speaks of.
    package var identityWait: Duration = .seconds(30)
    /// `reconcile --repair` may PUT the representation of the side that counts to the other side.
    package var reconcilesByPut = false

    package init() {}
}

/// A set of HTTP statuses (RFC 9110 §15): `[2xx, 3xx, 409]`.
package struct StatusSet: Sendable, Equatable {
    package let ranges: [ClosedRange<Int>]

    package init(_ ranges: [ClosedRange<Int>]) { self.ranges = ranges }

    /// 2xx and 3xx.
    package static let successes = StatusSet([200...399])

    package func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}
