internal import Comparison

extension SchemaDiff {
    /// Two sets of schemas that hold at once, for values of one kind.
    /// - Parameters:
    ///   - isFirst: the first kind that both have: keywords that belong to no kind are compared with it.
    ///   - isAlone: neither has an alternative, so that their types are compared already.
    mutating func compareParts(
        _ kind: SchemaTypes, _ oldOne: SchemaView.Alternative, _ newOne: SchemaView.Alternative, _ path: String,
        isFirst: Bool, isAlone: Bool = false
    ) {
        guard spend(1, path) else { return }
        let (oldWhole, newWhole) = (
            !old.types(of: oldOne).contains(.fraction), !new.types(of: newOne).contains(.fraction)
        )
        if kind == .number, !isAlone, oldWhole != newWhole {
            report(newWhole ? .narrowed : .widened, path, newWhole ? "has no fraction now" : "may have a fraction now")
        }
        compareOpaque(kind, oldOne, newOne, path, isFirst)
        switch kind {
        case .number:
            compareBound("minimum", old.minimum(oldOne), new.minimum(newOne), path) { $0 < $1 }
            compareBound("maximum", old.maximum(oldOne), new.maximum(newOne), path) { $0 > $1 }
        case .string: compareSize("length", old.size(oldOne, \.lengths), new.size(newOne, \.lengths), path)
        case .array:
            compareSize("number of elements", old.size(oldOne, \.items), new.size(newOne, \.items), path)
            let (oldElements, newElements) = (old.elements(oldOne), new.elements(newOne))
            if !oldElements.isEmpty || !newElements.isEmpty { compare(oldElements, newElements, path + "[*]") }
        case .object:
            compareSize("number of properties", old.size(oldOne, \.members), new.size(newOne, \.members), path)
            compareObjects(oldOne, newOne, path)
        default: break
        }
    }

    /// - Parameter isLooser: whether the first allows more than the second.
    private mutating func compareBound(
        _ name: String, _ oldBound: SchemaBound?, _ newBound: SchemaBound?, _ path: String,
        isLooser: (ExactDecimal, ExactDecimal) -> Bool
    ) {
        guard oldBound != newBound else { return }
        guard let newBound else { return report(.widened, path, "the \(name) \(oldBound?.shown ?? "") is gone") }
        guard let oldBound else { return report(.narrowed, path, "the \(name) \(newBound.shown) is new") }
        let widens =
            oldBound.value == newBound.value
            ? oldBound.isExclusive : isLooser(newBound.value, oldBound.value)
        report(widens ? .widened : .narrowed, path, "the \(name) is \(newBound.shown), it was \(oldBound.shown)")
    }

    private mutating func compareSize(_ name: String, _ oldRange: SizeRange, _ newRange: SizeRange, _ path: String) {
        compareLimit("least " + name, oldRange.least, newRange.least, path) { $0 < $1 }
        compareLimit("greatest " + name, oldRange.most, newRange.most, path) { $0 > $1 }
    }

    private mutating func compareLimit(
        _ name: String, _ oldLimit: Int?, _ newLimit: Int?, _ path: String, isLooser: (Int, Int) -> Bool
    ) {
        guard oldLimit != newLimit else { return }
        guard let newLimit else { return report(.widened, path, "the \(name), \(oldLimit ?? 0), is gone") }
        guard let oldLimit else { return report(.narrowed, path, "the \(name), \(newLimit), is new") }
        report(
            isLooser(newLimit, oldLimit) ? .widened : .narrowed, path,
            "the \(name) is \(newLimit), it was \(oldLimit)")
    }

    // MARK: - Keywords as texts

    private static let keywords: [SchemaTypes: Set<String>] = [
        .string: ["pattern", "format"], .number: ["format", "multipleOf"],
        .array: ["uniqueItems", "prefixItems", "contains", "minContains", "maxContains", "unevaluatedItems"],
        .object: [
            "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies",
            "unevaluatedProperties",
        ],
    ]
    private static let ofAnyKind = keywords.values.reduce(Set()) { $0.union($1) }

    /// A keyword that is new allows less, one that is gone allows more; of two that differ nobody can tell, but for
    /// formats of numbers that are part of each other.
    private mutating func compareOpaque(
        _ kind: SchemaTypes, _ oldOne: SchemaView.Alternative, _ newOne: SchemaView.Alternative, _ path: String,
        _ isFirst: Bool
    ) {
        let (oldTexts, newTexts) = (old.opaque(oldOne), new.opaque(newOne))
        guard oldTexts != newTexts else { return }
        for keyword in Set(oldTexts.keys).union(newTexts.keys).sorted() {
            let belongs = Self.keywords[kind]?.contains(keyword) ?? false
            guard belongs || isFirst && !Self.ofAnyKind.contains(keyword) else { continue }
            let (was, now) = (oldTexts[keyword], newTexts[keyword])
            guard was != now else { continue }
            guard let now else { report(.widened, path, "`\(keyword)` is gone, it was \(Self.cut(was))"); continue }
            guard let was else { report(.narrowed, path, "`\(keyword)` is new: \(Self.cut(now))"); continue }
            report(Self.effect(was, now), path, "`\(keyword)` is \(Self.cut(now)), it was \(Self.cut(was))")
        }
    }

    private static func effect(_ was: String, _ now: String) -> Effect {
        switch (was, now) {
        case ("int32", "int64"), ("float", "double"): .widened
        case ("int64", "int32"), ("double", "float"): .narrowed
        default: .changed
        }
    }

    private static func cut(_ text: String?) -> String {
        guard let text, text.count > 80 else { return text ?? "" }
        return text.prefix(80) + "…"
    }

    // MARK: - Objects

    private mutating func compareObjects(
        _ oldOne: SchemaView.Alternative, _ newOne: SchemaView.Alternative, _ path: String
    ) {
        let names = old.propertyNames(oldOne).union(new.propertyNames(newOne))
        let (oldRequired, newRequired) = (old.required(oldOne), new.required(newOne))
        guard spend(names.count, path) else { return }
        var gone: Set<String> = []
        for name in names.sorted() {
            let place = path + ContractText.member(name)
            let (was, now) = (old.property(name, oldOne), new.property(name, newOne))
            let isNewlyRequired = newRequired.contains(name) && !oldRequired.contains(name)
            switch (was.takes, now.takes) {
            case (.nothing, .nothing): break
            case (.named, .named), (.named, .others), (.others, .named), (.others, .others):
                compare(was.schemas, now.schemas, place)
            case (.named, .anything), (.named, .nothing):
                gone.insert(name)
                report(.changed, place, "is gone")
            case (.anything, .named):
                // That it is required is said below.
                if !isNewlyRequired { report(.harmless, place, "is new") }
            case (.nothing, .named): report(.widened, place, "is new, where the old contract allows no other property")
            default: break
            }
        }
        for name in newRequired.subtracting(oldRequired).sorted() {
            let isNew = old.property(name, oldOne).takes == .anything && new.property(name, newOne).isDeclared
            report(.narrowed, path + ContractText.member(name), isNew ? "is new and required" : "is required now")
        }
        for name in oldRequired.subtracting(newRequired).subtracting(gone).sorted() {
            report(.widened, path + ContractText.member(name), "is no longer required")
        }
        compareAdditional(old.property(nil, oldOne), new.property(nil, newOne), path)
    }

    private mutating func compareAdditional(_ was: SchemaView.Property, _ now: SchemaView.Property, _ path: String) {
        let place = path + ".*"
        switch (was.takes, now.takes) {
        case (.others, .others): compare(was.schemas, now.schemas, place)
        case (.anything, .nothing), (.others, .nothing): report(.narrowed, place, "no other properties are allowed now")
        case (.nothing, .anything), (.nothing, .others): report(.widened, place, "other properties are allowed now")
        case (.anything, .others), (.others, .anything): compare(was.schemas, now.schemas, place)
        default: break
        }
    }
}

extension SchemaView.Property {
    /// What may stand under a name.
    fileprivate enum Takes {
        /// The name may not be there.
        case nothing
        /// The contract does not speak of it.
        case anything
        /// Under any name of its own the values have a schema.
        case others
        case named
    }

    fileprivate var takes: Takes {
        if isForbidden { return .nothing }
        if isDeclared { return .named }
        return schemas.isEmpty ? .anything : .others
    }
}
