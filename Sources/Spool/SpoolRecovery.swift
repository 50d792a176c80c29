/// What opening a spool has found.
package struct SpoolRecovery: Sendable, Equatable {
    /// A torn tail that was cut off.
    package struct Cut: Sendable, Equatable {
        package let file: String
        /// Where it began, and how long it was, in bytes.
        package let offset: Int
        package let bytes: Int
    }

    package var segments = 0
    package var records = 0
    /// Of the segments' files.
    package var bytes = 0
    package var cut: Cut?
    /// Segments that were not needed any more and still there.
    package var leftovers = 0
    /// Places that a repair has put a void over.
    package var voids = 0
}
