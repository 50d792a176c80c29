import Testing

@testable import Spool

@Suite struct GroupCommitTests {
    private let interval = Duration.milliseconds(3)

    @Test func `an intent that comes alone does not wait`() {
        var grouping = GroupCommit()
        for _ in 0..<3 {
            let hurries = grouping.added(isEssential: false)
            #expect(!hurries && grouping.pause(interval: interval) == .zero)
            grouping.taken()
        }
    }

    @Test func `while many come each commit waits for more, once`() {
        var grouping = GroupCommit()
        for _ in 0..<4 { _ = grouping.added(isEssential: false) }
        #expect(grouping.pause(interval: interval) == .zero, "nobody knew before")
        grouping.taken()
        _ = grouping.added(isEssential: false)
        #expect(grouping.pause(interval: interval) == interval)
        let hurries = grouping.added(isEssential: false)
        #expect(!hurries && grouping.pause(interval: interval) == .zero)
        grouping.taken()
        // Two were not many.
        _ = grouping.added(isEssential: false)
        #expect(grouping.pause(interval: interval) == .zero)
    }

    @Test func `without an interval nothing is waited for`() {
        var grouping = GroupCommit()
        for _ in 0..<9 { _ = grouping.added(isEssential: false) }
        grouping.taken()
        _ = grouping.added(isEssential: false)
        #expect(grouping.pause(interval: .zero) == .zero)
    }

    @Test func `what no client waits for goes along with the next intent, or a moment later`() {
        var grouping = GroupCommit()
        let first = grouping.added(isEssential: true)
        #expect(!first && grouping.pause(interval: interval) > .zero)
        let hurries = grouping.added(isEssential: false)
        #expect(hurries, "the thread is woken")
        #expect(grouping.pause(interval: interval) == .zero)
        grouping.taken()
        _ = grouping.added(isEssential: true)
        #expect(grouping.pause(interval: interval) > .zero)
        #expect(grouping.pause(interval: interval) == .zero, "the moment is over")
        grouping.taken()
    }

    @Test func `commits of what no client waits for say nothing about how many come`() {
        var grouping = GroupCommit()
        for _ in 0..<5 { _ = grouping.added(isEssential: false) }
        grouping.taken()
        _ = grouping.added(isEssential: true)
        grouping.taken()
        _ = grouping.added(isEssential: false)
        #expect(grouping.pause(interval: interval) == interval)
    }
}
