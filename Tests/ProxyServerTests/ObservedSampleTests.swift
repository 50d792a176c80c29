import HTTPWire
import NIOCore
import Resilience
import Routing
import Testing

@testable import ProxyServer

@Suite struct ObservedSamples {
    private static func sample(of count: Int, seed: UInt64, path: (Int) -> String = { "/\($0)" }) -> ObservedSample {
        var chance = Chance(seed: seed)
        var sample = ObservedSample()
        for number in 0..<count where sample.admits(&chance) {
            sample.append(
                ByteBuffer(string: "GET \(path(number)) HTTP/1.1\r\n\r\n"), method: .get, status: 200,
                nanoseconds: Int64(number), bytes: number, &chance)
        }
        return sample
    }

    @Test(arguments: [0, 1, 2, 255, 256, 257, 300, 383, 384, 385, 511, 512, 513, 1_000, 4_097, 100_001])
    func `weights add up to how many there were, and the room is bounded`(count: Int) {
        for seed in 1...20 as ClosedRange<UInt64> {
            let sample = Self.sample(of: count, seed: seed)
            let requests = sample.requests()
            #expect(sample.total == count)
            #expect(requests.map(\.weight).reduce(0, +) == count)
            #expect(requests.allSatisfy { $0.weight >= 1 })
            #expect(requests.count < ObservedSample.capacity)
            #expect(requests.count == count || requests.count >= ObservedSample.capacity / 2 - 1)
            // In order, each with its own path.
            #expect(requests.map(\.bytes) == requests.map(\.bytes).sorted())
            #expect(requests.allSatisfy { $0.path == "/\($0.bytes)" && $0.nanoseconds == Int64($0.bytes) })
        }
    }

    @Test func `requests that alternate are each represented by their share`() {
        var even = 0
        for seed in 1...100 as ClosedRange<UInt64> {
            even += Self.sample(of: 5_000, seed: seed).requests().filter { $0.bytes % 2 == 0 }.map(\.weight).reduce(
                0, +)
        }
        // 100 × 5,000 draws of half: a systematic sample would take all or nothing.
        #expect((240_000...260_000).contains(even), "\(even)")
    }

    @Test func `a path is cut, ends before its query, and may be no text at all`() throws {
        let long = "/" + String(repeating: "a", count: 400)
        for (path, expected) in [(long, String(long.prefix(256))), ("/a?b=/c", "/a"), ("*", "*"), ("/", "/")] {
            let request = try #require(Self.sample(of: 1, seed: 1) { _ in path }.requests().first)
            #expect(request.path == expected)
        }
        var chance = Chance(seed: 1)
        for head in ["", "GET", "GET /", "\u{0}\u{7F}"] {
            var sample = ObservedSample()
            let isAdmitted = sample.admits(&chance)
            #expect(isAdmitted)
            sample.append(ByteBuffer(string: head), method: .other, status: 0, nanoseconds: 0, bytes: 0, &chance)
            #expect(sample.requests().map(\.method) == ["other"])
        }
    }
}
