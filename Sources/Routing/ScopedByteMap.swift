/// A frozen map from (scope, bytes) to a number: open addressing over one array of slots and one of bytes.
///
/// One map serves every node of the route tree (the scope is the node), so a lookup costs one hash and one comparison
/// however many children a node has. Keys come from the configuration only, and at most half of the slots are taken, so
/// no request can make a probe sequence longer than the table already has it.
struct ScopedByteMap: Sendable {
    private struct Slot {
        var hash: UInt32 = 0
        var scope: Int32 = 0
        var start: Int32 = 0
        var length: Int32 = 0
        var value: Int32 = -1  // -1: free
    }

    struct Entry {
        let scope: Int32
        let key: [UInt8]
        let value: Int32
    }

    private let slots: [Slot]
    private let bytes: [UInt8]
    private let mask: Int
    /// A longer key is certainly not in the map, so nobody hashes a segment of kilobytes.
    let longestKey: Int
    let isEmpty: Bool

    /// `entries` hold each (scope, key) once, and values ≥ 0.
    init(_ entries: [Entry]) {
        var capacity = 4
        while capacity < entries.count * 2 { capacity *= 2 }
        var slots = [Slot](repeating: Slot(), count: capacity)
        var bytes: [UInt8] = []
        for entry in entries {
            let hash = entry.key.withUnsafeBytes { Self.hash(scope: entry.scope, $0) }
            var index = Int(hash) & (capacity - 1)
            while slots[index].value >= 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = Slot(
                hash: hash, scope: entry.scope, start: Int32(bytes.count), length: Int32(entry.key.count),
                value: entry.value)
            bytes += entry.key
        }
        self.slots = slots
        self.bytes = bytes
        self.mask = capacity - 1
        self.longestKey = entries.map(\.key.count).max() ?? 0
        self.isEmpty = entries.isEmpty
    }

    /// The value of a key, -1 if there is none.
    func find(scope: Int32, _ key: UnsafeRawBufferPointer) -> Int32 {
        if isEmpty || key.count > longestKey { return -1 }
        let hash = Self.hash(scope: scope, key)
        var index = Int(hash) & mask
        while slots[index].value >= 0 {
            let slot = slots[index]
            if slot.hash == hash, slot.scope == scope, Int(slot.length) == key.count, holds(slot, key) {
                return slot.value
            }
            index = (index &+ 1) & mask
        }
        return -1
    }

    @inline(__always)
    private func holds(_ slot: Slot, _ key: UnsafeRawBufferPointer) -> Bool {
        var position = Int(slot.start)
        for byte in key {
            if bytes[position] != byte { return false }
            position &+= 1
        }
        return true
    }

    /// Multiply and fold, eight bytes at a time. Not for untrusted keys in the map: see above.
    @inline(__always)
    private static func hash(scope: Int32, _ key: UnsafeRawBufferPointer) -> UInt32 {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var state = (UInt64(truncatingIfNeeded: scope) ^ UInt64(truncatingIfNeeded: key.count) &<< 32) &* factor
        var index = 0
        while key.count &- index >= 8 {
            state = (state ^ key.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* factor
            state ^= state &>> 32
            index &+= 8
        }
        while index < key.count {
            state = (state ^ UInt64(key[index])) &* factor
            state ^= state &>> 29
            index &+= 1
        }
        return UInt32(truncatingIfNeeded: state ^ state &>> 32)
    }
}
