/// Finds a lane by its key: open addressing over four bytes a place, for lanes may be as many as writes. Keys stand with the
/// lanes themselves, and are looked at through `key`.
struct LaneTable: Sendable {
    private static let empty = UInt32.max
    private static let removed = UInt32.max - 1

    private var places: ContiguousArray<UInt32> = []
    /// Places that are not empty: those of lanes that are gone among them, until the next growth.
    private var used = 0
    private(set) var count = 0

    var bytes: Int { places.capacity * MemoryLayout<UInt32>.stride }

    private static func home(_ key: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: ((key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    func find(_ key: UInt64, _ keyOf: (UInt32) -> UInt64) -> UInt32? {
        guard !places.isEmpty else { return nil }
        let mask = places.count - 1
        var place = LaneTable.home(key, mask)
        while places[place] != LaneTable.empty {
            if places[place] != LaneTable.removed, keyOf(places[place]) == key { return places[place] }
            place = (place + 1) & mask
        }
        return nil
    }

    /// - Parameter lane: not in the table yet.
    mutating func insert(_ lane: UInt32, key: UInt64, _ keyOf: (UInt32) -> UInt64) {
        if used * 4 >= places.count * 3 { rebuild(keyOf) }
        place(lane, key)
        count += 1
    }

    private mutating func place(_ lane: UInt32, _ key: UInt64) {
        let mask = places.count - 1
        var place = LaneTable.home(key, mask)
        while places[place] < LaneTable.removed { place = (place + 1) & mask }
        if places[place] == LaneTable.empty { used += 1 }
        places[place] = lane
    }

    mutating func remove(_ lane: UInt32, key: UInt64) {
        guard !places.isEmpty else { return }
        let mask = places.count - 1
        var place = LaneTable.home(key, mask)
        while places[place] != LaneTable.empty {
            if places[place] == lane {
                let isLast = places[(place + 1) & mask] == LaneTable.empty
                places[place] = isLast ? LaneTable.empty : LaneTable.removed
                if isLast { used -= 1 }
                count -= 1
                return
            }
            place = (place + 1) & mask
        }
    }

    private mutating func rebuild(_ keyOf: (UInt32) -> UInt64) {
        let lanes = places.filter { $0 < LaneTable.removed }
        var size = 64
        while lanes.count * 2 >= size { size *= 2 }
        places = ContiguousArray(repeating: LaneTable.empty, count: size)
        used = 0
        for lane in lanes { place(lane, keyOf(lane)) }
    }
}
