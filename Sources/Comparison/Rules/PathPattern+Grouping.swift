/// What the paths of different answers with one cause have in common.
extension PathPattern {
    /// The same pattern with `[*]` for every index and for every name that is evidently an identity.
    var grouping: PathPattern {
        let general = steps.map { step in
            switch step.selector {
            case .index: Step(descendant: step.descendant, selector: .any)
            case .name(let name) where root == .document && PathName.isIdentity(name):
                Step(descendant: step.descendant, selector: .any)
            default: step
            }
        }
        return PathPattern(root: root, steps: general)
    }
}

extension PathPattern.Step {
    /// - Parameter name: of a member; nil for an element.
    init(grouping name: [UInt8]?) {
        if let name, !PathName.isIdentity(name) { self.init(selector: .name(name)) } else { self.init(selector: .any) }
    }
}

extension PathName {
    /// Whether a member is evidently named after one thing of many: only digits (`4711`), a UUID, sixteen or more
    /// hexadecimal digits, letters with a separator and a tail of letters and digits with three digits or more
    /// (`ord_123`, `user-8f3k21`), or letters and right after them five digits or more (`k845503081`): fewer are part of
    /// many names that stand for themselves (`line1`, `sha256`, `h264`, `iso8601`). Wrong guesses (`sha-256`, `iso20022`)
    /// cost a group its finer distinction, nothing else.
    static func isIdentity(_ name: [UInt8]) -> Bool {
        guard !name.isEmpty, name.count <= 128 else { return false }
        if name.allSatisfy(isDigit) || TextShapes.isUUID(name) || TextShapes.isLongHexadecimal(name) { return true }
        let letters = name.prefix(while: isLetter)
        if !letters.isEmpty, name.count - letters.count >= 5, name[letters.endIndex...].allSatisfy(isDigit) {
            return true
        }
        guard let separator = name.lastIndex(where: { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }) else {
            return false
        }
        let (head, tail) = (name[..<separator], name[(separator + 1)...])
        return !head.isEmpty && head.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
            && tail.allSatisfy { isLetter($0) || isDigit($0) } && tail.count(where: isDigit) >= 3
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
}
