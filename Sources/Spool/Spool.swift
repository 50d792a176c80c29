/// The ledger's files: see ``LedgerLog``.
package enum SpoolFormat {
    /// The first bytes of every segment.
    package static let magic: [UInt8] = Array("STRSPOOL".utf8)
}
