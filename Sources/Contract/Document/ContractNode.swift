/// A place in the file that a contract was read from.
package struct ContractPlace: Sendable, Hashable, Comparable {
    /// Both from 1; the column in Unicode scalars.
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: ContractPlace, right: ContractPlace) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value of a contract's file, before it means anything: what YAML and JSON have in common, with places.
///
/// Whoever makes one bounds its nesting (see ``maximumDepth``): what reads it recurses over it.
package struct ContractNode: Sendable {
    /// Mappings and lists within each other; deeper is for the maker to refuse.
    package static let maximumDepth = 128

    package enum Value: Sendable {
        case null
        case boolean(Bool)
        /// As it was written, in the grammar of JSON.
        case number(String)
        case text(String)
        case list([ContractNode])
        case map(ContractMap)
    }

    package let value: Value
    package let place: ContractPlace

    package init(_ value: Value, at place: ContractPlace) {
        self.value = value
        self.place = place
    }

    var map: ContractMap? { if case .map(let map) = value { map } else { nil } }
    var list: [ContractNode]? { if case .list(let list) = value { list } else { nil } }
    var boolean: Bool? { if case .boolean(let value) = value { value } else { nil } }

    /// A text, or a number that somebody forgot to quote: `version: 1.0`.
    var text: String? {
        switch value {
        case .text(let text), .number(let text): text
        default: nil
        }
    }

    subscript(name: String) -> ContractNode? { map?[name] }

    /// For sentences such as "`properties` is a list".
    var kindName: String {
        switch value {
        case .null: "empty"
        case .boolean, .number, .text: "a single value"
        case .list: "a list"
        case .map: "a mapping"
        }
    }
}

/// The members of a mapping in the order in which they were written, found by name in constant time: a contract's
/// components are looked up once per reference.
package struct ContractMap: Sendable {
    package struct Member: Sendable {
        package let name: String
        package let place: ContractPlace
        package let value: ContractNode

        package init(name: String, place: ContractPlace, value: ContractNode) {
            self.name = name
            self.place = place
            self.value = value
        }
    }

    package let members: [Member]
    private let index: [String: Int]

    /// Of names that are there twice the first counts.
    package init(_ members: [Member]) {
        self.members = members
        index = Dictionary(members.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    package subscript(name: String) -> ContractNode? { index[name].map { members[$0].value } }
}

/// Something wrong in a contract, or something in it that is not looked at.
package struct ContractRemark: Error, Sendable, Hashable {
    package let place: ContractPlace
    package let message: String
    /// What was expected, or what to do.
    package let fix: String?
}

/// Everything that is wrong with a contract, at once.
package struct ContractProblems: Error, Sendable {
    /// In the order of their places; at least one, at most ``maximum``.
    package let problems: [ContractRemark]

    static let maximum = 64
}
