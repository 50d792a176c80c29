internal import DualWrite

/// What one loop gets of a recovery: places in its lists, which all loops share. In order of sequence.
struct RecoveredShare: Sendable {
    enum Found {
        /// - Parameter isFirst: of its lane. Only that one can have been on its way.
        case owed(LedgerRecovery.Write, isFirst: Bool)
        case uncertain(LedgerRecovery.Write)
    }

    let names: LedgerRecovery.Names
    private let found: LedgerRecovery.Found
    private var owed: [(place: UInt32, isFirst: Bool)] = []
    private var uncertain: [UInt32] = []

    private init(_ found: LedgerRecovery.Found, _ names: LedgerRecovery.Names) {
        self.found = found
        self.names = names
    }

    /// By loop, as lanes are.
    static func split(_ found: LedgerRecovery.Found, _ names: LedgerRecovery.Names, among count: Int)
        -> [RecoveredShare]
    {
        var shares = Array(repeating: RecoveredShare(found, names), count: count)
        guard count > 0 else { return shares }
        let loops = UInt64(count)
        var lanes: Set<UInt64> = []
        for (place, write) in found.owed.enumerated() {
            let isFirst = lanes.insert(write.lane).inserted
            shares[Int(write.lane % loops)].owed.append((UInt32(clamping: place), isFirst))
        }
        for (place, write) in found.uncertain.enumerated() {
            shares[Int(write.lane % loops)].uncertain.append(UInt32(clamping: place))
        }
        return shares
    }

    var count: Int { owed.count + uncertain.count }

    subscript(place: Int) -> Found {
        if place < owed.count { return .owed(found.owed[Int(owed[place].place)], isFirst: owed[place].isFirst) }
        return .uncertain(found.uncertain[Int(uncertain[place - owed.count])])
    }
}
