import Comparison
import Testing

@testable import ProxyConfiguration

struct IdentityRuleTests {
    private func read(_ text: String) throws -> [IdentityRule] {
        try ComparisonRules.parse(
            ConfigurationFile(name: "Shadow/orders.yaml", bytes: Array(("extraction: orders\n" + text).utf8))
        )
        .identity
    }

    private func errors(_ text: String) -> String {
        do {
            _ = try read(text)
            return "none"
        } catch let errors as ConfigurationErrors {
            return errors.errors.map { "\($0)" }.joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    @Test func mapAndAdoptStandInOneFile() throws {
        let rules = try read(
            """
            identity:
              - {field: "$.orderId", map: true}
              - {field: "$.createdAt", adopt: body}
              - {field: "$.no", adopt: {header: X-No}}
              - {field: "$.customer.id", map: {}}
            """)
        #expect(
            rules == [
                IdentityRule(field: try PathPattern("$.orderId")),
                IdentityRule(field: try PathPattern("$.createdAt"), adopt: .body),
                IdentityRule(field: try PathPattern("$.no"), adopt: .header("X-No")),
                IdentityRule(field: try PathPattern("$.customer.id")),
            ])
    }

    @Test func everyPlaceCanBeSaid() throws {
        let rules = try read(
            """
            identity:
              - field: "$.id"
                map:
                  path:     [orderId, "/api/v1/orders/{id}"]
                  query:    [order, "order[]"]
                  headers:  [X-Order-Id]
                  body:     ["$..order.id", "$.orders[*]"]
                  location: false
                  learn:    ["$.created[*].id"]
                  creates:  ["POST /api/v1/orders/{id}/copies"]
                  same:     "ord_[0-9]{1,6}"
            """)
        #expect(
            rules == [
                IdentityRule(
                    field: try PathPattern("$.id"),
                    map: IdentityPlaces(
                        path: ["orderId", "/api/v1/orders/{id}"], query: ["order", "order[]"], headers: ["X-Order-Id"],
                        body: [try PathPattern("$..order.id"), try PathPattern("$.orders[*]")], location: false,
                        learn: [try PathPattern("$.created[*].id")], creates: ["POST /api/v1/orders/{id}/copies"],
                        same: try LinearRegex("ord_[0-9]{1,6}")))
            ])
    }

    @Test func everyErrorComesAtOnceWithItsPlace() {
        let found = errors(
            """
            identity:
              - {field: "$.a", map: true, adopt: body}
              - {field: "$.b"}
              - {field: "$.c", map: false}
              - {field: "$.d", map: [path]}
              - {field: "$.e", map: {pth: [x]}}
              - {field: "$.f", map: {path: [a/b, "/x", "/x/{id}/**", "/x//{id}"]}}
              - {field: "$.g", map: {headers: [If-Match, "a b"]}}
              - {field: "$.h", map: {body: [header.location, "$["]}}
              - {field: "$.i", map: {creates: [orders, "post /orders", "POST /orders/"]}}
              - {field: "$.j", map: {same: "("}}
              - {field: "$.k", map: {location: maybe, query: orderId}}
              - {field: "$.l[*]", map: true}
              - {field: "$.m", map: true}
              - {field: "$.m", adopt: body}
            """)
        #expect(found == expected)
    }

    private let expected = #"""
        Shadow/orders.yaml:3:25: an identity rule has `adopt` and `map` (keep one)
        Shadow/orders.yaml:4:5: `adopt` is missing (add `adopt: body`)
        Shadow/orders.yaml:5:25: `map`: unknown value `false` (expected `true`)
        Shadow/orders.yaml:6:25: `map` is a list (expected keys: path, query, headers, body, location, learn, creates, same)
        Shadow/orders.yaml:7:26: unknown key `pth` in `map` (did you mean `path`?)
        Shadow/orders.yaml:8:33: `path`: `a/b` names no parameter (expected such as orderId or /api/v1/orders/{id})
        Shadow/orders.yaml:8:38: `path`: `/x` does not end with a parameter (expected such as orderId or /api/v1/orders/{id})
        Shadow/orders.yaml:8:44: `path`: `/x/{id}/**` does not end with a parameter (expected such as orderId or /api/v1/orders/{id})
        Shadow/orders.yaml:8:58: `path`: `/x//{id}`: a path pattern has no empty segment, neither `//` nor a `/` at its end (expected such as /api/v1/orders/{id})
        Shadow/orders.yaml:9:36: `headers`: `If-Match` holds no identity (expected a header of your own, such as X-Order-Id)
        Shadow/orders.yaml:9:46: `headers`: `a b` is no token (expected letters, digits and `-`, no spaces)
        Shadow/orders.yaml:10:33: `body`: `header.location` is not in the body (expected such as $..orderId or $.items[*].id)
        Shadow/orders.yaml:10:50: `body`: `$[` is no path, at character 3: expected an index, '*' or a quoted name after '[' (expected such as $.items[*].price, header.location, status)
        Shadow/orders.yaml:11:36: `creates`: `orders` is no endpoint (expected such as POST /api/v1/orders)
        Shadow/orders.yaml:11:44: `creates`: `post /orders` is no endpoint (expected such as POST /api/v1/orders)
        Shadow/orders.yaml:11:60: `creates`: `/orders/`: a path pattern has no empty segment, neither `//` nor a `/` at its end (expected such as /api/v1/orders/{id})
        Shadow/orders.yaml:12:32: `same`: `(` is no regular expression, at character 1: this group does not end (expected such as req_[0-9a-f]{16}; the whole value is matched)
        Shadow/orders.yaml:13:36: `location`: unknown value `maybe` (expected `true`, `false`)
        Shadow/orders.yaml:13:50: `query` is a single value (expected a list of parameters)
        Shadow/orders.yaml:14:13: `field`: `$.l[*]` does not name one field (expected such as $.orderId or $.order.id)
        Shadow/orders.yaml:16:13: `field`: `$.m` has a rule in line 15 already (keep one)
        """#
}
