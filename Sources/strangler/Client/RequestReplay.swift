import AdminAPI
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends requests through the proxy's own listener: ordinary requests, answered, shadowed, compared and counted like any
/// client's.
struct RequestReplay: Sendable {
    /// Of the listener, without a slash at the end.
    let base: String
    /// Requests a second.
    let rate: Int
    let headers: [RequestField]

    /// Under way at the same time.
    private static let lanes = 16
    private static let timeout = TimeAmount.seconds(30)
    /// So many failures in a row mean that nobody is there.
    private static let patience = 10

    struct Outcome: Sendable, Equatable {
        /// By the number of the request; nil where none came.
        var statuses: [Int: Int?] = [:]
        /// Why none came, by what the client said.
        var failures: [String: Int] = [:]
        fileprivate var failuresInARow = 0
        fileprivate var next = 0

        var answered: Int { statuses.values.count { $0 != nil } }
    }

    /// Until all are sent, the task is cancelled, or nobody answers.
    /// - Parameter progress: called with how many are done.
    func send(_ requests: [RequestLine], progress: @escaping @Sendable (Int) -> Void) async -> Outcome {
        let shared = Shared()
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let began = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<min(Self.lanes, requests.count) {
                group.addTask {
                    while let number = shared.take(of: requests.count, patience: Self.patience) {
                        // By the time it is due, not by a pause: what was late is made up for.
                        let due = began + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(rate))
                        guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
                        let answer = await ask(requests[number], http)
                        if case .none = answer { return }
                        progress(shared.note(number, answer ?? .failure("")))
                    }
                }
            }
        }
        try? await http.shutdown()
        return shared.outcome
    }

    private enum Answer: Sendable {
        case status(Int)
        case failure(String)
    }

    /// Nil if it was cut short by cancellation.
    private func ask(_ line: RequestLine, _ http: HTTPClient) async -> Answer? {
        var request = HTTPClientRequest(url: base + line.target)
        request.method = HTTPMethod(rawValue: line.method)
        request.headers.add(name: "user-agent", value: "strangler-replay")
        for header in headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        do {
            let response = try await http.execute(request, timeout: Self.timeout)
            for try await _ in response.body {}
            return .status(Int(response.status.code))
        } catch {
            return Task.isCancelled ? nil : .failure(Self.sentence(error))
        }
    }

    private static func sentence(_ error: any Error) -> String {
        switch error as? HTTPClientError {
        case .some(.connectTimeout): "no connection"
        case .some(.deadlineExceeded), .some(.readTimeout): "no answer within 30 s"
        case .some(.remoteConnectionClosed): "the connection was closed"
        default: error is HTTPClientError ? "not sent" : "no connection"
        }
    }

    /// What the lanes share.
    private final class Shared: Sendable {
        private let state = Mutex(Outcome())

        var outcome: Outcome { state.withLock { $0 } }

        func take(of count: Int, patience: Int) -> Int? {
            guard !Task.isCancelled else { return nil }
            return state.withLock { state in
                guard state.next < count, state.failuresInARow < patience else { return nil }
                defer { state.next += 1 }
                return state.next
            }
        }

        /// - Returns: how many are done.
        func note(_ number: Int, _ answer: Answer) -> Int {
            state.withLock { state in
                switch answer {
                case .status(let status):
                    state.statuses[number] = status
                    state.failuresInARow = 0
                case .failure(let why):
                    state.statuses[number] = .some(nil)
                    state.failures[why, default: 0] += 1
                    state.failuresInARow += 1
                }
                return state.statuses.count
            }
        }
    }
}
