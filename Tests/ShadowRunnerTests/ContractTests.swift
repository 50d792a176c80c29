import Comparison
import Contract
import HTTPWire
import NIOCore
import Testing
import Upstreams

@testable import ShadowRunner

/// The monolith's own answers, held against the contract.
@Suite struct ContractCheckTests {
    /// `GET /api/v1/orders/{id}` answers `{"total": number}`.
    static func contract() throws -> ContractDocument {
        func map(_ members: [(String, ContractNode)]) -> ContractNode {
            let here = ContractPlace(line: 1, column: 1)
            return ContractNode(
                .map(ContractMap(members.map { .init(name: $0.0, place: here, value: $0.1) })), at: here)
        }
        func text(_ text: String) -> ContractNode { ContractNode(.text(text), at: ContractPlace(line: 1, column: 1)) }
        let total = map([("type", text("object")), ("properties", map([("total", map([("type", text("number"))]))]))])
        let answer = map([("content", map([("application/json", map([("schema", total)]))]))])
        let operation = map([("responses", map([("200", answer)]))])
        return try ContractDocument(
            map([
                ("openapi", text("3.1.0")),
                ("paths", map([("/api/v1/orders/{id}", map([("get", operation)]))])),
            ]))
    }

    private func captured(_ request: String, _ answer: String, isOverCap: Bool = false) throws -> CapturedExchange {
        var exchange = try exchange(request, answer: answer, isOverCap: isOverCap)
        exchange.isForContract = true
        return exchange
    }

    @Test func `answers are checked, and nobody is asked`() async throws {
        let contract = try Self.contract()
        try await withShadow(Setup(contract: contract), service: { _, _ in .json("{}") }) { shadow in
            for exchange in [
                try captured(get("/api/v1/orders/1"), jsonAnswer(#"{"total":1}"#)),
                try captured(get("/api/v1/orders/2"), jsonAnswer(#"{"total":"1"}"#)),
                try captured(get("/api/v1/orders/3"), jsonAnswer(#"{"total":"2"}"#)),
                try captured(get("/api/v1/orders/4"), jsonAnswer("{")),
                try captured(get("/api/v1/orders/5"), jsonAnswer("{}", status: "500 No")),
                try captured(get("/api/v1/orders/6"), jsonAnswer("{}", status: "404 No")),
                try captured(get("/api/v1/orders/7"), jsonAnswer("{}"), isOverCap: true),
                try captured(get("/api/v1/other/1"), jsonAnswer("{}")),
            ] {
                try await shadow.loops[0].submit { shadow.runner.accept(exchange) }.get()
            }
            #expect(try await shadow.verdicts() == [:])
            #expect(shadow.service.requests.isEmpty && shadow.monolith.requests.isEmpty)
            let found = await shadow.store.conformance
            func tally(_ endpoint: String) -> ConformanceTally? {
                found[ConformanceKey(extraction: "orders", contract: contract.fingerprint, endpoint: endpoint)]
            }
            let orders = try #require(tally("GET /api/v1/orders/{id}"))
            #expect(orders.checked == 5 && orders.violating == 4)
            #expect(orders.unchecked == ["server-error": 1, "body-too-large": 1])
            let place = "GET /api/v1/orders/{id} "
            #expect(
                orders.violations == [
                    place + "200 application/json $.total is a string, the contract says number": 2,
                    place + "200 application/json cannot be read as what its media type says": 1,
                    place + "404 is no status of the contract, which lists 200": 1,
                ])
            #expect(tally("GET /api/v1/other/{id}")?.unchecked == ["not-in-contract": 1])
            #expect(found.count == 2)
        }
    }

    @Test func `some of what is compared is checked, too`() async throws {
        let contract = try Self.contract()
        try await withShadow(Setup(contract: contract), service: { _, _ in .json("{}") }) { shadow in
            for (number, id) in ["req-1", "req-0", "req-p"].enumerated() {
                try await shadow.accept(
                    try exchange(get("/api/v1/orders/\(number)"), answer: jsonAnswer("{}"), id: id))
                // After cutover the primary is the service.
                try await shadow.accept(
                    try exchange(
                        get("/api/v1/orders/\(number)"), answer: jsonAnswer("{}"), id: id, shadowIsService: false))
            }
            #expect(try await shadow.verdicts() == ["match": 6])
            #expect(await shadow.store.conformance.values.map(\.checked) == [2])
        }
    }

    @Test func `a busy extraction gives a few answers only`() {
        var checks = ContractChecks()
        #expect((0..<1000).filter { _ in checks.draw(1) }.count == 5)
        #expect((0..<1000).filter { _ in checks.draw(0) }.count == 5)
        checks.refill()
        #expect(checks.draw(1) && !checks.draw(-1))
    }
}
