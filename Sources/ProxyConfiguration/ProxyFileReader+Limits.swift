/// Reads what bounds the proxy: `limits`, `timeouts`, `retry`.
extension ProxyFileReader {
    static func limits(_ fields: FieldReader) -> LimitsDefinition {
        var limits = LimitsDefinition()
        let keys = ["head", "field", "fields", "body", "connections", "buffer"]
        guard let fields = fields.fields("limits", keys: keys) else { return limits }
        limits.head = fields.value("head", Values.size(1 << 10...1 << 20)) ?? limits.head
        limits.field = min(limits.field, limits.head)
        if let field = fields.value("field", Values.size(1 << 10...1 << 20)), let node = fields["field"] {
            if field > limits.head {
                fields.source.report(
                    "`field` is larger than `head`, which holds it", fix: "lower it, or raise `head`", at: node)
            }
            limits.field = field
        }
        limits.fields = fields.value("fields", Values.number(1...10_000)) ?? limits.fields
        if let body = fields.value("body", Values.orNone(Values.size(1...1 << 40))) { limits.body = body }
        limits.connections = fields.value("connections", Values.number(1...1_000_000)) ?? limits.connections
        limits.buffer = fields.value("buffer", Values.size(4 << 10...16 << 20)) ?? limits.buffer
        return limits
    }

    static func timeouts(_ fields: FieldReader) -> Timeouts {
        var timeouts = Timeouts()
        let keys = ["connect", "first-byte", "body", "idle", "head", "exchange"]
        guard let fields = fields.fields("timeouts", keys: keys) else { return timeouts }
        timeouts.connect = fields.value("connect", Values.duration) ?? timeouts.connect
        timeouts.firstByte = fields.value("first-byte", Values.duration) ?? timeouts.firstByte
        timeouts.body = fields.value("body", Values.duration) ?? timeouts.body
        timeouts.idle = fields.value("idle", Values.duration) ?? timeouts.idle
        timeouts.head = fields.value("head", Values.duration) ?? timeouts.head
        if let exchange = fields.value("exchange", Values.orNone(Values.duration)) { timeouts.exchange = exchange }
        return timeouts
    }

    static func retry(_ fields: FieldReader) -> RetryDefinition {
        var retry = RetryDefinition()
        guard let fields = fields.fields("retry", keys: ["budget", "at-least"]) else { return retry }
        retry.budgetPercent = fields.value("budget", Values.wholePercent(0...100)) ?? retry.budgetPercent
        retry.atLeast = fields.value("at-least", Values.number(0...1_000)) ?? retry.atLeast
        return retry
    }
}
