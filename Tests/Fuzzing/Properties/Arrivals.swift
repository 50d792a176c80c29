internal import TestSupport

/// Ways in which the same bytes may arrive: each is the ascending ends of its reads, the last of them the bytes' count.
///
/// Chosen by the bytes alone, so that a finding breaks again when it is replayed.
func arrivals(of bytes: UnsafeRawBufferPointer) -> [[Int]] {
    guard bytes.count > 1 else { return [[bytes.count]] }
    var generator = SeededGenerator(seed: fingerprint(of: bytes))
    var ways: [[Int]] = []
    if bytes.count <= 192 { ways.append(Array(1...bytes.count)) }
    for cuts in [1, 1, 2, 5] {
        var ends: Set<Int> = [bytes.count]
        for _ in 0..<cuts { ends.insert(Int.random(in: 1..<bytes.count, using: &generator)) }
        ways.append(ends.sorted())
    }
    return ways
}

func described(_ ends: [Int]) -> String {
    ends.count > 8 ? "byte by byte" : "in reads that end at \(ends)"
}

/// FNV-1a.
func fingerprint(of bytes: UnsafeRawBufferPointer) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

/// Hands `body` a copy of `bytes` in memory of exactly that size, which is gone afterwards: the address sanitizer sees a
/// read past the end, and a pointer that was kept from an earlier read.
func withOwnMemory<Result>(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Violation) -> Result
) throws(Violation) -> Result {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyMemory(from: bytes)
    return try body(UnsafeRawBufferPointer(memory))
}

extension UnsafeRawBufferPointer {
    func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
