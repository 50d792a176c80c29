import Glibc

/// A system call that did not succeed.
package struct SystemFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let call: String
    package let path: String
    /// `errno`.
    package let number: Int32

    package init(_ call: String, _ path: String, _ number: Int32) {
        self.call = call
        self.path = path
        self.number = number
    }

    package var description: String { "\(call) \(path): \(String(cString: strerror(number)))" }

    /// The disk, or what this user may take of it, is full.
    package var isNoSpace: Bool { number == ENOSPC || number == EDQUOT }
    var isInterrupted: Bool { number == EINTR }
    var isAbsent: Bool { number == ENOENT }
    var isThere: Bool { number == EEXIST }
    static var nothingWritten: Int32 { EIO }
}
