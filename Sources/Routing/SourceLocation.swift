/// A place in a file that a user wrote, as editors and compilers print it: `Routes/orders.yaml:9:5`.
package struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    /// The file as the user would name it from where the program was started.
    package let file: String
    /// From 1.
    package let line: Int
    /// From 1, counted in Unicode scalars.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

extension SourceLocation: Comparable {
    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
