import Extraction
import Routing
import Yams

/// How writes that both sides get are kept: `shadow: {on-spool-full: …, success: […], lane: …, attempts: …,
/// identity-wait: …}`, and the first two for one entry of `match`.
extension ExtractionFileReader {
    static let writeKeys = ["on-spool-full", "success", "lane", "attempts", "identity-wait"]

    func writeRules(_ shadow: FieldReader?, _ policy: WritePolicy, _ routes: [Route]) -> WriteRules {
        var rules = WriteRules()
        let reconcile = fields.fields("reconcile", keys: ["put"])
        rules.reconcilesByPut = reconcile?.value("put", Values.oneOf([("true", true), ("false", false)])) ?? false
        if policy == .never, let node = fields["reconcile"] {
            source.report(
                "`reconcile` is about writes that both sides get, and `writes` is never",
                fix: "set `shadow: {writes: dual-write}`, or remove it", at: node)
        }
        guard let shadow else { return rules }
        rules.whenFull = whenFull(shadow) ?? rules.whenFull
        rules.success = statuses(shadow) ?? rules.success
        rules.laneParameter = lane(shadow, routes)
        rules.attempts = shadow.value("attempts", Values.number(1...1_000)) ?? rules.attempts
        rules.identityWait = shadow.value("identity-wait", Values.durationOrZero) ?? rules.identityWait
        if policy == .never, let key = Self.writeKeys.first(where: { shadow[$0] != nil }), let node = shadow[key] {
            source.report(
                "`\(key)` is about writes that both sides get, and `writes` is never",
                fix: "set `writes: dual-write`, or remove it", at: node)
        }
        return rules
    }

    func whenFull(_ fields: FieldReader) -> WriteRules.WhenFull? {
        fields.value("on-spool-full", Values.oneOf(WriteRules.WhenFull.allCases.map { ($0.rawValue, $0) }))
    }

    /// `[2xx, 3xx, 409]`.
    func statuses(_ fields: FieldReader) -> StatusSet? {
        guard let nodes = fields.list("success", of: "statuses such as 2xx and 409") else { return nil }
        if nodes.isEmpty, let node = fields["success"] {
            source.report("`success` is empty", fix: "remove the key to take 2xx and 3xx", at: node)
        }
        let ranges = source.values(nodes, "success", Self.statusRange)
        return ranges.isEmpty ? nil : StatusSet(ranges)
    }

    private static func statusRange(_ text: String) throws(ValueError) -> ClosedRange<Int> {
        let fix = "expected a status such as 409, or a class such as 2xx"
        guard text.utf8.count == 3, let first = text.first?.wholeNumberValue, text.utf8.first ?? 0 < 0x80 else {
            throw ValueError("`\(text)` is no status", fix: fix)
        }
        if text.hasSuffix("xx"), (2...5).contains(first) { return first * 100...first * 100 + 99 }
        guard let status = Int(text), (200...599).contains(status) else {
            throw ValueError("`\(text)` is no final status", fix: fix)
        }
        return status...status
    }

    /// `lane: {path: id}`, or `lane: affinity`, which is the default.
    private func lane(_ shadow: FieldReader, _ routes: [Route]) -> String? {
        guard let node = shadow["lane"] else { return nil }
        if node.scalar != nil {
            _ = source.value(node, "lane", Values.oneOf([("affinity", true)]))
            return nil
        }
        guard let fields = FieldReader(node, of: "`lane`", keys: ["path"], source),
            fields.required("path", example: "lane: {path: id}") != nil
        else { return nil }
        return parameter(fields, routes, of: "lane")
    }
}
