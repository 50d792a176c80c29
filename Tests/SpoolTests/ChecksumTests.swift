import Spool
import Testing

/// RFC 3720 appendix B.4.
@Suite struct ChecksumTests {
    private func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum = CRC32C()
        sum.update(bytes)
        return sum.value
    }

    @Test func `the vectors of RFC 3720 come out`() {
        #expect(sum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(sum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(sum(Array(0..<32)) == 0x46DD_794E)
        #expect(sum(Array((0..<32).reversed())) == 0x113F_DB5C)
        let read: [UInt8] = [
            0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0,
            0x18,
            0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
        ]
        #expect(sum(read) == 0xD996_3A56)
        #expect(sum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func `a sum continues over any split`() {
        let bytes = (0..<100).map { UInt8($0 * 7 & 0xFF) }
        for split in 0...bytes.count {
            var parts = CRC32C()
            parts.update(Array(bytes[..<split]))
            parts.update(Array(bytes[split...]))
            #expect(parts.value == sum(bytes))
        }
    }
}
