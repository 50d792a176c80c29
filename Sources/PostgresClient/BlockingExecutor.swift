import Dispatch

/// A serial executor of its own for an actor that makes blocking calls, so that a slow server never occupies a thread
/// of Swift's shared pool, which has only as many as the machine has cores.
final class BlockingExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
