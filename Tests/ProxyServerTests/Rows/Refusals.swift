import ProxyServer
import Testing

let goodGet = "GET /orders/good HTTP/1.1\r\nHost: shop\r\n\r\n"

/// What every row of the checklist demands of a refusal: the status, the connection closed behind it, and not one byte of
/// the request, nor of what follows it, at the monolith or at the shadow.
///
/// Before it, a good request leaves a kept connection to each, because bytes could slip out on that one at once.
func expectRefused(
    _ request: String, _ status: Int, settings: ProxySettings = patient,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws {
    let name = Comment(rawValue: String(request.prefix(300)).debugDescription)
    let monolith = try ScriptedOrigin(answering: { plainAnswer($0.target) })
    let service = try ScriptedOrigin(answering: { plainAnswer($0.target) })
    try await withShadowedProxy(monolith: monolith, service: service, settings: settings) { scene in
        let warm = try scene.proxy.connect()
        try warm.send(goodGet)
        #expect(try Message.answer(from: warm).text == "/orders/good")
        #expect(await scene.verdicts(of: 1) == ["match": 1])

        let client = try scene.proxy.connect()
        // What follows would be a good request, if the first one were read otherwise.
        try client.send(request + goodGet)
        let method = String(request.prefix { $0 != " " })
        let answer = try Message.answer(from: client, to: method)
        #expect(answer.status == status, name, sourceLocation: sourceLocation)
        #expect(answer["Content-Type"] == "application/problem+json", name, sourceLocation: sourceLocation)
        #expect(answer["Connection"] == "close", name, sourceLocation: sourceLocation)
        let end = client.takeToEnd()
        #expect(end.bytes.isEmpty && end.ending == .closed, name, sourceLocation: sourceLocation)
        #expect(await scene.proxy.counters().refused == 1, name, sourceLocation: sourceLocation)
        // A chunked body that turns bad was handed over as an exchange that never was.
        let verdicts = await scene.verdicts(of: 1)
        #expect(
            verdicts == ["match": 1] || verdicts == ["match": 1, "not-compared primary-incomplete": 1], name,
            sourceLocation: sourceLocation)
    }
    #expect(monolith.sawOnly(["/orders/good"]), name, sourceLocation: sourceLocation)
    #expect(service.sawOnly(["/orders/good"]), name, sourceLocation: sourceLocation)
}

/// Both sides get the same single request, or this fails: the two as they arrived, without what marks the shadow's.
func expectOneRequestEach(
    _ request: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws -> Message {
    let monolith = try ScriptedOrigin(answering: { _ in plainAnswer("same") })
    let service = try ScriptedOrigin(answering: { _ in plainAnswer("same") })
    try await withShadowedProxy(monolith: monolith, service: service, recordsWrites: true) { scene in
        let client = try scene.proxy.connect()
        try client.send(request)
        let answer = try Message.answer(from: client)
        #expect(answer.status == 200, sourceLocation: sourceLocation)
        #expect(await scene.verdicts(of: 1) == ["match": 1], sourceLocation: sourceLocation)
    }
    let primary = try #require(monolith.requests.first, sourceLocation: sourceLocation)
    let shadow = try #require(service.requests.first, sourceLocation: sourceLocation)
    #expect(monolith.sawOnly([primary.target]) && service.sawOnly([primary.target]), sourceLocation: sourceLocation)
    #expect(primary.startLine == shadow.startLine, sourceLocation: sourceLocation)
    #expect(primary.body == shadow.body, sourceLocation: sourceLocation)
    #expect(plainFields(primary) == plainFields(shadow), sourceLocation: sourceLocation)
    return primary
}

/// Without framing, which is each hop's own, and without what the shadow's request says of itself.
private func plainFields(_ message: Message) -> [String] {
    message.fields.filter { field in
        let name = field.name.lowercased()
        return name != "content-length" && name != "transfer-encoding" && name != "idempotency-key"
            && !name.hasPrefix("strangler-")
    }.map { "\($0.name): \($0.value)" }
}
