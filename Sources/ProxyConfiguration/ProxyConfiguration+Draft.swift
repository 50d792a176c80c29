internal import Extraction
package import Routing

/// What stands against one more extraction in these files.
extension ProxyConfiguration {
    package static func isExtractionName(_ name: String) -> Bool {
        (try? Values.extractionName(name)) != nil
    }

    /// A sentence each; empty if nothing does.
    ///
    /// - Parameters:
    ///   - paths: what it would take.
    ///   - methods: empty for any.
    package func objections(toAdding name: String, paths: [RoutePattern], methods: [String]) -> [String] {
        var objections: [String] = []
        if let other = extractions.first(where: { $0.definition.name == name }) {
            objections.append("there is an extraction \(name) already: \(other.location)")
        }
        let added = paths.enumerated().map { number, path in
            Route(
                pattern: path, methods: methods, extraction: extractions.count,
                location: SourceLocation(file: "", line: number, column: 0))
        }
        do throws(RouteClashes) {
            _ = try RouteTable(routes + added)
        } catch {
            objections += error.clashes.map { clash in
                let other = clash.first.file.isEmpty ? clash.second : clash.first
                let what = clash.methods.isEmpty ? "any method" : clash.methods.joined(separator: ", ")
                return other.file.isEmpty
                    ? "two of the paths take \(what) of \(clash.pattern)"
                    : "\(other) takes \(what) of \(clash.pattern) already"
            }
        }
        return objections
    }
}
