import Extraction
import Testing

@testable import ProxyConfiguration

@Suite struct SideKeysTests {
    private func definition(match: String, cutover: String) throws -> ExtractionDefinition {
        let text = Sample.orders.replacing(#"[{path: "/api/v1/orders/**"}]"#, with: match) + "\ncutover: \(cutover)"
        return try #require(try Sample(extractions: [("orders", text)]).parse().extractions.first).definition
    }

    @Test func `a parameter of a path can keep users on one side`() throws {
        let read = try definition(
            match: #"[{path: "/orders"}, {path: "/orders/{orderId}/**"}]"#, cutover: "{affinity: {path: orderId}}")
        #expect(read.affinity == .pathParameter("orderId"))
    }

    @Test func `a header can be let choose the side, from networks`() throws {
        let read = try definition(
            match: #"[{path: "/orders"}]"#,
            cutover: #"{pin: {header: Strangler-Side, from: [10.0.0.0/8, "::1"]}}"#)
        #expect(read.pin == Pin(header: "Strangler-Side", from: ["10.0.0.0/8", "::1/128"]))
        #expect(try definition(match: #"[{path: "/orders"}]"#, cutover: "{bake: 1m}").pin == nil)
    }

    @Test(arguments: [
        (
            "{affinity: {path: orderID}}",
            "28: `affinity`: no path of `match` has the parameter {orderID} (did you mean `orderId`?)"
        ),
        ("{affinity: {path: }}", "22: `path` has no value (give it one, or remove the key)"),
        (
            "{affinity: {path: a, cookie: b}}",
            "21: `affinity` names no single key (expected {cookie: NAME}, {header: NAME}, {path: PARAMETER} or client-address)"
        ),
        ("{pin: {header: A}}", "16: `from` is missing (add `from: [10.0.0.0/8]`)"),
        ("{pin: {from: [10.0.0.1]}}", "16: `header` is missing (add `header: Strangler-Side`)"),
        ("{pin: {header: A, from: []}}", "34: `from` is empty (name a network, or remove `pin`)"),
        (
            "{pin: {header: A, from: [10.0.0.0/40]}}",
            "35: `from`: `40` is no number in range (expected 0 to 32)"
        ),
    ])
    func `what is wrong with them is said with its place and what to do`(cutover: String, error: String) {
        let text =
            Sample.orders.replacing("/api/v1/orders/**", with: "/orders/{orderId}/**") + "\ncutover: \(cutover)"
        let errors = Sample(extractions: [("orders", text)]).errors()
        #expect(errors.contains("Routes/orders.yaml:6:\(error)"), "\(errors)")
    }

    @Test func `without any parameter a route is proposed`() {
        let errors = Sample.errors(extraction: "cutover: {affinity: {path: id}}")
        #expect(
            errors
                == #"Routes/orders.yaml:1:28: `affinity`: no path of `match` has the parameter {id} (add a route such as {path: "/api/v1/orders/{id}/**"})"#
        )
    }
}
