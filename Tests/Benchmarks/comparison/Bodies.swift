/// Pairs of bodies of a given size that look like answers of a shop. The same seed gives the same bytes.
struct Bodies {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) % UInt64(bound))
    }

    /// An object with a list of orders: about `bytes` long, the second with the same members in another order.
    mutating func shuffledPair(bytes: Int) -> (primary: [UInt8], shadow: [UInt8]) {
        var left: [String] = []
        var right: [String] = []
        var size = 0
        while size < bytes - 40 {
            let members = order(left.count)
            left.append("{" + members.joined(separator: ",") + "}")
            right.append("{" + shuffled(members).joined(separator: ",") + "}")
            size += (left.last?.utf8.count ?? 0) + 1
        }
        return (
            Array("{\"count\":\(left.count),\"orders\":[\(left.joined(separator: ","))]}".utf8),
            Array("{\"orders\":[\(right.joined(separator: ","))],\"count\":\(left.count)}".utf8)
        )
    }

    /// One order: 150 to 400 bytes, the second in another order and, if it is to differ, with another total.
    mutating func smallPair(differs: Bool) -> (primary: [UInt8], shadow: [UInt8]) {
        let members = order(next(1_000))
        var other = shuffled(members)
        if differs {
            other = other.map { $0.hasPrefix("\"totalAmount\"") ? "\"totalAmount\":\"12.50\"" : $0 }
        }
        let text = { (members: [String]) in Array("{\(members.joined(separator: ","))}".utf8) }
        return (text(members), text(other))
    }

    private mutating func order(_ number: Int) -> [String] {
        let items = (0...next(2)).map { line in
            let product = ["Kaffeemühle", "Teekanne", "Wasserkocher \\\"Blitz\\\"", "Filter"][next(4)]
            return
                "{\"productId\":\(1_000 + next(9_000)),\"name\":\"\(product)\",\"quantity\":\(1 + next(9)),\"price\":\(next(500)).\(10 + next(90))}"
        }
        return [
            "\"orderId\":\"ord_\(100_000 + number)\"", "\"customerId\":\(next(50_000))",
            "\"status\":\"\(["open", "paid", "shipped"][next(3)])\"", "\"totalAmount\":\(next(900)).\(10 + next(90))",
            "\"createdAt\":\"2026-11-\(10 + next(19))T0\(next(10)):15:3\(next(10))Z\"", "\"isGift\":\(next(2) == 0)",
            "\"note\":null", "\"items\":[\(items.joined(separator: ","))]",
        ]
    }

    private mutating func shuffled(_ members: [String]) -> [String] {
        var members = members
        for index in members.indices.reversed() where index > 0 { members.swapAt(index, next(index + 1)) }
        return members
    }
}
