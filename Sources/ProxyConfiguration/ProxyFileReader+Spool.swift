/// `spool: {quota: 1GiB, keep-free: 256MiB, segment: 64MiB, commit: 1ms, wait: 1s, key-file: …}`.
extension ProxyFileReader {
    static func spool(_ fields: FieldReader) -> SpoolDefinition {
        var spool = SpoolDefinition()
        let keys = ["quota", "keep-free", "segment", "commit", "wait", "key-file"]
        guard let fields = fields.fields("spool", keys: keys) else { return spool }
        spool.quota = fields.value("quota", Values.size(1 << 20...1 << 44)) ?? spool.quota
        spool.keepFree = fields.value("keep-free", Values.size(0...1 << 44)) ?? spool.keepFree
        spool.segment = min(spool.segment, max(spool.quota / 4, 64 << 10))
        if let segment = fields.value("segment", Values.size(64 << 10...1 << 30)), let node = fields["segment"] {
            if segment > spool.quota / 4 {
                fields.source.report(
                    "`segment` is more than a quarter of `quota`: room comes back a file at a time",
                    fix: "lower it, or raise `quota`", at: node)
            }
            spool.segment = segment
        }
        spool.commitInterval = fields.value("commit", commitInterval) ?? spool.commitInterval
        spool.wait = fields.value("wait", Values.duration) ?? spool.wait
        spool.keyFile = fields.value("key-file", Values.text)
        return spool
    }

    private static func commitInterval(_ text: String) throws(ValueError) -> Duration {
        let interval = try Values.durationOrZero(text)
        guard interval <= .milliseconds(5) else {
            throw ValueError("`\(text)` is too long for every write to wait", fix: "expected 0s to 5ms")
        }
        return interval
    }
}
