extension ContractDiff {
    /// Every difference between two versions of a contract that clients or services can notice.
    package init(from old: ContractDocument, to new: ContractDocument) {
        var comparison = ContractComparison(old, new)
        comparison.run()
        let step: VersionStep =
            if comparison.changes.contains(where: { $0.effect == .breaking }) {
                .major
            } else if !comparison.changes.isEmpty {
                .minor
            } else {
                old.digest == new.digest ? .none : .patch
            }
        let all = Set(comparison.changes).sorted {
            ($0.effect == .breaking ? 0 : 1, $0.place, $0.sentence)
                < ($1.effect == .breaking ? 0 : 1, $1.place, $1.sentence)
        }
        self.init(
            changes: Array(all.prefix(Self.maximumChanges)), omitted: max(0, all.count - Self.maximumChanges),
            oldVersion: old.version, newVersion: new.version, step: step)
    }
}

/// Walks over the operations of two contracts.
///
/// Paths are the same if they differ in nothing but their parameters' names. A status or a media type that is gone
/// from the list is gone, unless a range or `default` still takes it. A status that is new breaks nobody: clients have to
/// understand the class of any (RFC 9110 §15).
private struct ContractComparison {
    let old: ContractDocument
    let new: ContractDocument
    var changes: [ContractChange] = []
    private var schemas: SchemaDiff
    /// More are found and forgotten: nobody reads them, and a hostile pair of files could make millions.
    private static let mostChanges = 100_000

    init(_ old: ContractDocument, _ new: ContractDocument) {
        self.old = old
        self.new = new
        schemas = SchemaDiff(old, new)
    }

    mutating func report(_ place: String, breaks: Bool, _ sentence: String) {
        guard changes.count < Self.mostChanges else { return }
        changes.append(ContractChange(place: place, effect: breaks ? .breaking : .compatible, sentence: sentence))
    }

    mutating func run() {
        compareBasePaths()
        let oldPaths = Self.byPath(old)
        let newPaths = Self.byPath(new)
        for (shape, operations) in oldPaths {
            guard let others = newPaths[shape] else {
                for operation in operations.values { report(operation.name, breaks: true, "is gone with its path") }
                continue
            }
            for operation in operations.values {
                if let other = others[operation.method] {
                    compare(operation, other)
                } else {
                    report(operation.name, breaks: true, "is gone")
                }
            }
        }
        for (shape, operations) in newPaths {
            for operation in operations.values where oldPaths[shape]?[operation.method] == nil {
                report(operation.name, breaks: false, "is new")
            }
        }
        compareSchemes()
    }

    private static func byPath(_ document: ContractDocument) -> [PathTemplate: [String: ContractOperation]] {
        var result: [PathTemplate: [String: ContractOperation]] = [:]
        for operation in document.operations {
            result[PathTemplate(operation.path), default: [:]][operation.method] = operation
        }
        return result
    }

    private mutating func compareBasePaths() {
        for base in old.basePaths where !new.basePaths.contains(base) {
            report("servers", breaks: true, "the base path `\(base.isEmpty ? "/" : base)` is gone")
        }
        for base in new.basePaths where !old.basePaths.contains(base) {
            report("servers", breaks: false, "the base path `\(base.isEmpty ? "/" : base)` is new")
        }
    }

    // MARK: - One operation

    private mutating func compare(_ one: ContractOperation, _ other: ContractOperation) {
        compareParameters(one, other)
        compareBodies(one.requestBody, other.requestBody, one.name + " request")
        compareSecurity(one, other)
        for response in one.responses { compare(response, of: one, with: other) }
        for response in other.responses where !one.responses.contains(where: { $0.status == response.status }) {
            let place = one.name + " " + response.status
            // What a range or `default` said about it is held against what is said now.
            if response.status != "default", let general = one.response(response.status) {
                compare(general, response, place)
            } else {
                report(place, breaks: false, "is new")
            }
        }
    }

    private mutating func compare(
        _ response: ContractResponse, of one: ContractOperation, with other: ContractOperation
    ) {
        let place = one.name + " " + response.status
        if let same = other.responses.first(where: { $0.status == response.status }) {
            compare(response, same, place)
        } else if response.status != "default", let general = other.response(response.status) {
            compare(response, general, place)
        } else {
            report(place, breaks: true, "is gone")
        }
    }

    private mutating func compareSchemas(
        _ one: SchemaID, _ other: SchemaID, _ direction: SchemaDiff.Direction, _ place: String
    ) {
        guard changes.count < Self.mostChanges else { return }
        for change in schemas.compare(one, other) {
            // Of a parameter or a header the whole is what its place says already.
            let isBody = place.split(separator: " ").last?.contains("/") ?? false
            let path = change.path == ContractText.root && !isBody ? "" : " " + change.path
            report(place + path, breaks: change.effect.breaks(direction), change.sentence)
        }
    }

    // MARK: - Requests

    /// Parameters of the path are told apart by where they stand, all others by name.
    private func parameters(of operation: ContractOperation) -> [String: ContractParameter] {
        let names = PathTemplate(operation.path).parameters
        return Dictionary(
            operation.parameters.map { parameter in
                guard parameter.location == .path, let place = names.firstIndex(of: parameter.name) else {
                    return (parameter.key, parameter)
                }
                return ("path #\(place)", parameter)
            }
        ) { first, _ in first }
    }

    private mutating func compareParameters(_ one: ContractOperation, _ other: ContractOperation) {
        let (olds, news) = (parameters(of: one), parameters(of: other))
        for (key, parameter) in olds {
            let place = "\(one.name) \(parameter.location.rawValue) \(parameter.name)"
            guard let now = news[key] else {
                // A path without the parameter is another path; the parameter was merely not described any more.
                report(place, breaks: parameter.location != .path, "is gone")
                continue
            }
            if now.isRequired != parameter.isRequired {
                report(place, breaks: now.isRequired, now.isRequired ? "is required now" : "is no longer required")
            }
            if now.writing != parameter.writing {
                report(place, breaks: true, "is written as \(now.writing), it was \(parameter.writing)")
            }
            compareSchemas(parameter.schema, now.schema, .request, place)
        }
        for (key, parameter) in news where olds[key] == nil {
            let place = "\(one.name) \(parameter.location.rawValue) \(parameter.name)"
            let breaks = parameter.isRequired && parameter.location != .path
            report(place, breaks: breaks, breaks ? "is new and required" : "is new")
        }
    }

    private mutating func compareBodies(_ was: ContractBody?, _ now: ContractBody?, _ place: String) {
        switch (was, now) {
        case (nil, nil): break
        case (nil, .some(let now)):
            report(place, breaks: now.isRequired, now.isRequired ? "is new and required" : "is new")
        case (.some, nil): report(place, breaks: true, "is gone: no body is read any more")
        case (.some(let was), .some(let now)):
            if was.isRequired != now.isRequired {
                report(place, breaks: now.isRequired, now.isRequired ? "is required now" : "is no longer required")
            }
            compareContent(was.content, now.content, .request, place)
        }
    }

    // MARK: - Answers

    private mutating func compare(_ was: ContractResponse, _ now: ContractResponse, _ place: String) {
        compareContent(was.content, now.content, .response, place)
        for header in was.headers {
            let spot = place + " header " + header.name
            guard let same = now.headers.first(where: { $0.name.lowercased() == header.name.lowercased() }) else {
                report(spot, breaks: true, "is gone")
                continue
            }
            if header.isRequired != same.isRequired {
                report(
                    spot, breaks: header.isRequired, same.isRequired ? "is required now" : "is no longer required")
            }
            compareSchemas(header.schema, same.schema, .response, spot)
        }
        for header in now.headers
        where !was.headers.contains(where: { $0.name.lowercased() == header.name.lowercased() }) {
            report(place + " header " + header.name, breaks: false, "is new")
        }
    }

    private mutating func compareContent(
        _ was: [ContractMedia], _ now: [ContractMedia], _ direction: SchemaDiff.Direction, _ place: String
    ) {
        for media in was {
            let spot = place + " " + media.type
            let same =
                now.first { $0.type == media.type } ?? now.first { MediaRange($0.type).covers(media.type) }
            guard let same else {
                report(spot, breaks: true, "is gone")
                continue
            }
            switch (media.schema, same.schema) {
            case (nil, nil): break
            case (nil, .some): report(spot, breaks: direction == .request, "has a schema now")
            case (.some, nil): report(spot, breaks: direction == .response, "has no schema any more")
            case (.some(let one), .some(let other)): compareSchemas(one, other, direction, spot)
            }
        }
        for media in now where !was.contains(where: { MediaRange($0.type).covers(media.type) }) {
            report(place + " " + media.type, breaks: false, "is new")
        }
    }

    // MARK: - Security

    /// Tightened if somebody who was let in by one of the old alternatives fulfils none of the new ones.
    private mutating func compareSecurity(_ one: ContractOperation, _ other: ContractOperation) {
        guard Set(one.security) != Set(other.security) else { return }
        let (was, now) = (Self.alternatives(one), Self.alternatives(other))
        let shut = was.filter { old in !now.contains { $0.isSubset(of: old) } }
        let opened = now.filter { new in !was.contains { $0.isSubset(of: new) } }
        let text = Self.text(now)
        for alternative in shut {
            report(
                one.name + " security", breaks: true, "needs \(text) now; \(Self.text([alternative])) was enough")
        }
        if shut.isEmpty, !opened.isEmpty {
            report(one.name + " security", breaks: false, "lets in by \(Self.text(opened)), too")
        }
    }

    private static func alternatives(_ operation: ContractOperation) -> [Set<String>] {
        operation.security.isEmpty ? [[]] : operation.security
    }

    private static func text(_ alternatives: [Set<String>]) -> String {
        ContractText.list(
            alternatives.map { $0.isEmpty ? "nothing" : $0.sorted().joined(separator: " with ") }.sorted())
    }

    private mutating func compareSchemes() {
        let used = Set(old.operations.flatMap { $0.security.flatMap { $0 } })
        for (name, scheme) in old.securitySchemes where used.contains(name) {
            guard let now = new.securitySchemes[name], now != scheme else { continue }
            report("security scheme \(name)", breaks: true, "is \(now), it was \(scheme)")
        }
    }
}
