extension Strangler {
    /// What `--version` prints, and what replicas say of themselves.
    static let version = "0.5.0"
}
