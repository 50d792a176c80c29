internal import DualWrite
internal import NIOCore
internal import Synchronization

/// Brings what a log says, on its thread, to the loop that waits for it: one hop for all records of a commit.
final class LedgerMailbox: Sendable {
    typealias Letter = @Sendable (DeliveryLoop) -> Void

    private struct State {
        var letters: [Letter] = []
        var receiver: NIOLoopBound<DeliveryLoop>?
    }

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(loop: any EventLoop) { self.loop = loop }

    /// On the loop, before the first letter.
    func receive(_ receiver: DeliveryLoop) {
        let bound = NIOLoopBound(receiver, eventLoop: loop)
        state.withLock { $0.receiver = bound }
    }

    /// Nothing comes to it any more.
    func close() { state.withLock { $0 = State() } }

    /// From any thread. Never runs the letter within the call.
    func put(_ letter: @escaping Letter) {
        let isFirst = state.withLock { state in
            guard state.receiver != nil else { return false }
            state.letters.append(letter)
            return state.letters.count == 1
        }
        if isFirst { loop.execute { self.deliver() } }
    }

    private func deliver() {
        let (letters, receiver) = state.withLock { state in
            defer { state.letters = [] }
            return (state.letters, state.receiver)
        }
        guard let receiver = receiver?.value else { return }
        for letter in letters { letter(receiver) }
        receiver.lettersRead()
    }
}
