import Spool
import Testing

@Suite struct SpoolFormatTests {
    @Test func segmentsBeginWithEightBytes() { #expect(SpoolFormat.magic.count == 8) }
}
