import Comparison
import Contract
import TestSupport
import Testing

/// A schema of a small language, of which everything can be said by trying all values.
private indirect enum Sample: Sendable {
    case type([String])
    case values([String])
    case number(integer: Bool, least: Int?, most: Int?)
    case string(least: Int?, most: Int?)
    case array(Sample, most: Int?)
    case object([String: Sample], required: Set<String>, closed: Bool)
    case either(Sample, String)

    var yaml: String {
        switch self {
        case .type(let names): "{type: [\(names.map { "\"\($0)\"" }.joined(separator: ", "))]}"
        case .values(let values): "{enum: [\(values.joined(separator: ", "))]}"
        case .number(let integer, let least, let most):
            "{type: \(integer ? "integer" : "number")\(least.map { ", minimum: \($0)" } ?? "")\(most.map { ", maximum: \($0)" } ?? "")}"
        case .string(let least, let most):
            "{type: string\(least.map { ", minLength: \($0)" } ?? "")\(most.map { ", maxLength: \($0)" } ?? "")}"
        case .array(let element, let most):
            "{type: array, items: \(element.yaml)\(most.map { ", maxItems: \($0)" } ?? "")}"
        case .object(let properties, let required, let closed):
            "{type: object, properties: {\(properties.sorted { $0.key < $1.key }.map { "\($0): \($1.yaml)" }.joined(separator: ", "))}"
                + ", required: [\(required.sorted().joined(separator: ", "))]\(closed ? ", additionalProperties: false" : "")}"
        case .either(let one, let type): "{oneOf: [\(one.yaml), {type: \"\(type)\"}]}"
        }
    }

    static func random(_ depth: Int, _ generator: inout SeededGenerator) -> Sample {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &generator) {
        case 0:
            return .type(
                Array(
                    ["null", "boolean", "string", "integer", "number"].shuffled(using: &generator).prefix(
                        Int.random(in: 1...2, using: &generator))))
        case 1, 2:
            let pool = ["1", "2", "2.5", "\"\"", "\"a\"", "\"bb\"", "true", "null"].shuffled(using: &generator)
            return .values(Array(pool.prefix(Int.random(in: 1...4, using: &generator))))
        case 3:
            let least = Bool.random(using: &generator) ? Int.random(in: 0...1, using: &generator) : nil
            let most = Bool.random(using: &generator) ? Int.random(in: 2...3, using: &generator) : nil
            return .number(integer: Bool.random(using: &generator), least: least, most: most)
        case 4:
            let least = Bool.random(using: &generator) ? 1 : nil
            let most = Bool.random(using: &generator) ? Int.random(in: 1...2, using: &generator) : nil
            return .string(least: least, most: most)
        case 5:
            return .array(random(depth - 1, &generator), most: Bool.random(using: &generator) ? 1 : nil)
        case 6, 7:
            var properties: [String: Sample] = [:]
            for name in ["a", "b"] where Bool.random(using: &generator) {
                properties[name] = random(depth - 1, &generator)
            }
            let required = Set(properties.keys.filter { _ in Bool.random(using: &generator) })
            return .object(properties, required: required, closed: Int.random(in: 0..<4, using: &generator) == 0)
        default:
            let inner = random(depth - 1, &generator)
            guard !inner.takesNull else { return inner }
            return .either(inner, "null")
        }
    }

    private var takesNull: Bool {
        switch self {
        case .type(let names): names.contains("null")
        case .values(let values): values.contains("null")
        case .either: true
        default: false
        }
    }

    /// A small change somewhere, or another schema.
    func varied(_ depth: Int, _ generator: inout SeededGenerator) -> Sample {
        let fresh = Int.random(in: 0..<4, using: &generator) == 0
        switch self {
        case .array(let element, let most) where !fresh:
            return .array(element.varied(depth - 1, &generator), most: most)
        case .object(var properties, var required, let closed) where !fresh:
            let name = ["a", "b"].randomElement(using: &generator) ?? "a"
            if let property = properties[name], Int.random(in: 0..<4, using: &generator) > 0 {
                properties[name] = property.varied(depth - 1, &generator)
            } else if properties.removeValue(forKey: name) == nil {
                properties[name] = Sample.random(max(0, depth - 1), &generator)
            }
            required.formIntersection(properties.keys)
            return .object(properties, required: required, closed: closed)
        case .either(let one, let type) where !fresh: return .either(one.varied(depth - 1, &generator), type)
        default: return Sample.random(max(0, depth), &generator)
        }
    }
}

/// Values as trees, so that names can be looked for.
private indirect enum Value: Hashable, Sendable {
    case scalar(String)
    case array([Value])
    case object([String: Value])

    var text: String {
        switch self {
        case .scalar(let text): text
        case .array(let elements): "[\(elements.map(\.text).joined(separator: ","))]"
        case .object(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\"\($0)\":\($1.text)" }.joined(separator: ","))}"
        }
    }

    static let scalars = [
        "null", "true", "false", "-1", "0", "1", "1.5", "2", "2.5", "3", "4", "\"\"", "\"a\"", "\"b\"", "\"bb\"",
        "\"ccc\"",
    ].map(Value.scalar)

    /// Values that show any difference of two schemas: what is wrong with one member does not depend on the others,
    /// so each is tried beside members that are right.
    static func telling(_ old: Sample, _ new: Sample) -> [Value] {
        switch (old, new) {
        case (.either(let one, _), _): return telling(one, new)
        case (_, .either(let one, _)): return telling(old, one)
        case (.array(let one, _), .array(let other, _)):
            let inner = telling(one, other)
            return scalars + [.array([])] + inner.map { .array([$0]) } + inner.map { .array([$0, $0]) }
        case (.array(let one, _), _), (_, .array(let one, _)):
            guard case .object = old else {
                guard case .object = new else { return scalars + [.array([])] + telling(one, one).map { .array([$0]) } }
                return scalars + [.array([])] + telling(one, one).map { .array([$0]) } + objects(new, new)
            }
            return scalars + [.array([])] + telling(one, one).map { .array([$0]) } + objects(old, old)
        case (.object, .object): return scalars + [.array([])] + objects(old, new)
        case (.object, _): return scalars + [.array([])] + objects(old, old)
        case (_, .object): return scalars + [.array([])] + objects(new, new)
        default: return scalars + [.array([]), .object([:])]
        }
    }

    private static func objects(_ old: Sample, _ new: Sample) -> [Value] {
        guard case .object(let olds, _, _) = old, case .object(let news, _, _) = new else { return [] }
        let anything = Sample.type(["null"])
        var candidates: [String: [Value]] = [:]
        for name in ["a", "b"] {
            let (one, other) = (olds[name] ?? news[name] ?? anything, news[name] ?? olds[name] ?? anything)
            candidates[name] = telling(one, other)
        }
        func right(_ name: String) -> [Value?] {
            let all = candidates[name] ?? []
            let (one, other) = (olds[name], news[name])
            return [
                nil, all.first { (one?.takes($0) ?? true) && (other?.takes($0) ?? true) },
                all.first { one?.takes($0) ?? true }, all.first { other?.takes($0) ?? true },
            ]
        }
        var values: [Value] = []
        for (name, beside) in [("a", "b"), ("b", "a")] {
            for other in right(beside) {
                for value in (candidates[name] ?? []).map(Optional.some) + [nil] {
                    var members: [String: Value] = [:]
                    members[name] = value
                    members[beside] = other
                    values.append(.object(members))
                    members["zz"] = .scalar("1")
                    if value == nil || other == nil { values.append(.object(members)) }
                }
            }
        }
        for one in right("a") {
            for other in right("b") {
                var members = ["zz": Value.scalar("1")]
                members["a"] = one
                members["b"] = other
                values.append(.object(members))
            }
        }
        return values
    }
}

extension Sample {
    /// What the schema means, said once more.
    fileprivate func takes(_ value: Value) -> Bool {
        switch (self, value) {
        case (.type(let names), .scalar(let text)): names.contains { Self.isOf($0, text) }
        case (.values(let values), .scalar(let text)): values.contains(text)
        case (.number(let integer, let least, let most), .scalar(let text)):
            Self.isOf(integer ? "integer" : "number", text)
                && Double(text).map { $0 >= Double(least ?? -9) && $0 <= Double(most ?? 9) } == true
        case (.string(let least, let most), .scalar(let text)):
            Self.isOf("string", text) && text.count - 2 >= least ?? 0 && text.count - 2 <= most ?? 9
        case (.array(let element, let most), .array(let elements)):
            elements.count <= most ?? 9 && elements.allSatisfy { element.takes($0) }
        case (.object(let properties, let required, let closed), .object(let members)):
            required.allSatisfy { members[$0] != nil }
                && members.allSatisfy { name, value in properties[name].map { $0.takes(value) } ?? !closed }
        case (.either(let one, let type), _):
            if case .scalar(let text) = value, Self.isOf(type, text) { true } else { one.takes(value) }
        default: false
        }
    }

    private static func isOf(_ type: String, _ text: String) -> Bool {
        switch type {
        case "null": text == "null"
        case "boolean": text == "true" || text == "false"
        case "string": text.hasPrefix("\"")
        case "integer": Int(text) != nil
        default: Double(text) != nil
        }
    }
}

extension Value {
    /// Whether the value has a name that only the newer schema speaks of, where the older one allows any.
    fileprivate func usesName(newIn new: Sample, after old: Sample) -> Bool {
        switch (self, old, new) {
        case (_, .either(let one, _), _): return usesName(newIn: new, after: one)
        case (_, _, .either(let one, _)): return usesName(newIn: one, after: old)
        case (.array(let elements), .array(let one, _), .array(let other, _)):
            return elements.contains { $0.usesName(newIn: other, after: one) }
        case (.object(let members), .object(let olds, _, let closed), .object(let news, _, _)):
            return members.contains { name, value in
                if olds[name] == nil, news[name] != nil { return !closed }
                guard let one = olds[name], let other = news[name] else { return false }
                return value.usesName(newIn: other, after: one)
            }
        default: return false
        }
    }
}

extension Sample {
    /// Whether a name that the older schema speaks of is not there any more, where both take such values.
    fileprivate func losesName(in new: Sample) -> Bool {
        switch (self, new) {
        case (.either(let one, _), _): return one.losesName(in: new)
        case (_, .either(let one, _)): return losesName(in: one)
        case (.array(let one, _), .array(let other, _)): return one.losesName(in: other)
        case (.object(let olds, _, _), .object(let news, _, _)):
            return olds.contains { name, one in news[name].map { one.losesName(in: $0) } ?? true }
        default: return false
        }
    }
}

@Suite struct SchemaProperties {
    private static func takes(_ document: ContractDocument, _ value: Document) -> Bool {
        document.check(method: "GET", path: "/x", status: 200, mediaType: "application/json", body: value)
            .violations.isEmpty
    }

    @Test func `a difference breaks if, and only if, a value shows it`() throws {
        var generator = SeededGenerator(seed: 5)
        var (broken, whole) = (0, 0)
        for _ in 0..<500 {
            let old = Sample.random(2, &generator)
            let new = old.varied(2, &generator)
            let (one, other) = (try answering(old.yaml), try answering(new.yaml))
            let (asked, askedNow) = (try taking(old.yaml), try taking(new.yaml))
            #expect(differences(one, one) == [] && differences(asked, asked) == [], "\(old.yaml)")
            let allowed = Set(Value.telling(old, new)).map { ($0, old.takes($0), new.takes($0)) }
            for (value, takesOld, takesNew) in allowed.prefix(100) {
                let body = try json(value.text)
                #expect(Self.takes(one, body) == takesOld, "\(old.yaml) \(value.text)")
                #expect(Self.takes(other, body) == takesNew, "\(new.yaml) \(value.text)")
            }
            let loses = old.losesName(in: new)
            let requestBreaks = loses || allowed.contains { $1 && !$2 && !$0.usesName(newIn: new, after: old) }
            let answerBreaks = loses || allowed.contains { !$1 && $2 }
            let requestSaid = ContractDiff(from: asked, to: askedNow).isBreaking
            let answerSaid = ContractDiff(from: one, to: other).isBreaking
            #expect(
                requestSaid == requestBreaks,
                "request \(old.yaml) → \(new.yaml): \(differences(asked, askedNow)), shown by \(allowed.first { $1 && !$2 }?.0.text ?? "nothing")"
            )
            #expect(
                answerSaid == answerBreaks,
                "answer \(old.yaml) → \(new.yaml): \(differences(one, other)), shown by \(allowed.first { !$1 && $2 }?.0.text ?? "nothing")"
            )
            if requestBreaks || answerBreaks { broken += 1 } else { whole += 1 }
        }
        #expect(broken > 100 && whole > 30, "\(broken) break, \(whole) do not")
    }
}
