import Extraction
import Foundation
import PostgresClient
import PostgresStore

extension StageKeeper {
    static let pollInterval = Duration.seconds(1)

    /// Follows what others change, until the task is cancelled: each change is told by Postgres in the moment of its
    /// commit (LISTEN/NOTIFY), and is on every loop some milliseconds later. What a notification does not bring, because
    /// the connection was gone or a pooler swallows them, a look each second does.
    func follow() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.poll() }
        }
    }

    private func poll() async {
        while !Task.isCancelled {
            await readStages()
            let wait: Duration = isFollowing ? StageKeeper.pollInterval : .milliseconds(100)
            guard (try? await Task.sleep(for: wait)) != nil else { break }
        }
    }

    /// A notification names what has changed, but everything is read: a connection that is new has missed some.
    private func listen() async {
        while !Task.isCancelled {
            if let store = try? store.connected() { await listen(to: store) }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
    }

    /// Until this is not the store any more: a private Postgres may come back at another address.
    private func listen(to current: PostgresStore) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in current.stageChanges() {
                    if case .lost(_) = event { continue }
                    await self.readStages()
                }
            }
            group.addTask {
                while (try? await Task.sleep(for: StageKeeper.pollInterval)) != nil {
                    guard let now = try? self.store.connected(), now === current else { return }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
