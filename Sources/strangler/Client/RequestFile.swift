import AdminAPI
import Foundation

/// The requests of a file, sorted into those that are sent and those that are not, and why.
struct RequestFile {
    /// In the order of the file, the same one as often as it stands there.
    private(set) var sent: [(request: RequestLine, endpoint: String)] = []
    /// How many were left out, by why, with one of them.
    private(set) var leftOut: [String: (count: Int, example: String)] = [:]

    /// Bytes. Of a longer log, a part is as good.
    static let sizeLimit = 256 * 1024 * 1024

    var different: Int { Set(sent.map(\.request)).count }

    static func lines(of file: String) throws(ClientFailure) -> [Substring] {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let size = (attributes?[.size] as? NSNumber)?.intValue else {
            throw ClientFailure(exit: .refused, message: "\(file) cannot be read")
        }
        guard size <= sizeLimit else {
            throw ClientFailure(
                exit: .refused, message: "\(file) has more than \(sizeLimit >> 20) MiB: give a part of it")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ClientFailure(exit: .refused, message: "\(file) cannot be read")
        }
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
    }

    /// - Parameters:
    ///   - limit: of requests that are sent.
    ///   - explain: what the proxy would do with a request; nil for a path that it refuses.
    ///   - progress: called for each line.
    mutating func sort(
        _ lines: [Substring], of extraction: String, limit: Int,
        explain: (RequestLine) async throws(ClientFailure) -> ExplainReport?, progress: (Int) -> Void
    ) async throws(ClientFailure) {
        var known: [RequestLine: ExplainReport?] = [:]
        for (number, line) in lines.enumerated() {
            if Task.isCancelled { return }
            progress(number)
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard let request = RequestLine(text) else {
                leave(text, because: "not a request")
                continue
            }
            guard request.isSafe else {
                leave("\(request.method) \(request.path)", because: "may change something")
                continue
            }
            guard sent.count < limit else {
                leave("\(request.method) \(request.path)", because: "beyond --count \(limit)")
                continue
            }
            // Routes go by method and path.
            let asked = RequestLine(pathOf: request)
            let report: ExplainReport?
            if let found = known[asked] {
                report = found
            } else {
                report = try await explain(asked)
                // Whoever made up paths by the million gets no memory for each.
                if known.count < 200_000 { known[asked] = .some(report) }
            }
            guard let report else {
                leave("\(request.method) \(request.path)", because: "the proxy refuses the path")
                continue
            }
            guard report.extraction == extraction else {
                leave(
                    "\(request.method) \(request.path)",
                    because: report.extraction.map { "belongs to \($0)" } ?? "no extraction takes it")
                continue
            }
            sent.append((request, report.endpoint))
        }
    }

    private mutating func leave(_ example: String, because reason: String) {
        leftOut[reason, default: (0, example)].count += 1
    }
}

extension RequestLine {
    /// Without the query.
    fileprivate init(pathOf request: RequestLine) {
        self.init(method: request.method, target: request.path)
    }
}
