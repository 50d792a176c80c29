import FoundationEssentials
import Testing

@testable import Extraction

@Suite struct BurnDownTests {
    private let now = Date.start

    private func burnDown(
        _ day: [BurnDown.Total], week: [BurnDown.Total]? = nil, since: Double? = 60 * day,
        endpoints: [BurnDown.Unused] = []
    ) -> BurnDown {
        BurnDown(
            countingSince: since.map { now.addingTimeInterval(-$0) }, day: day, week: week ?? day,
            course: [
                .init(ended: now.addingTimeInterval(-2 * 604_800), requests: 50, monolith: 50),
                .init(ended: now.addingTimeInterval(-604_800), requests: 0, monolith: 0),
                .init(ended: now, requests: 3, monolith: 2),
            ], stages: ["orders": .cutover, "users": .shadow], endpoints: endpoints, unusedFor: 30 * 86_400, now: now)
    }

    @Test func theMonolithsPartIsWhatIsLeft() {
        let report = burnDown([
            .init(extraction: "", monolith: 60, service: 0), .init(extraction: "orders", monolith: 10, service: 30),
        ])
        #expect(report.left == 0.7)
        #expect(report.owners.map(\.extraction) == [nil, "orders", "users"])
        #expect(report.owners.map(\.day.share) == [0.6, 0.4, 0])
        #expect(report.owners[1].day.service == 30)
        #expect(report.courseSaid == "100% → 67%")
    }

    @Test func extractionsThatAreGoneStillOwnWhatWasTheirs() {
        let report = burnDown([.init(extraction: "carts", monolith: 0, service: 10)])
        #expect(report.owners.map(\.extraction) == [nil, "carts", "orders", "users"])
        #expect(report.owners[1].stage == nil)
        #expect(report.left == 0)
    }

    @Test func withoutTrafficNothingIsKnown() {
        let report = burnDown([], since: nil)
        #expect(report.left == nil)
        #expect(report.unused == nil)
        #expect(report.owners.allSatisfy { $0.day.share == nil })
        #expect(burnDown([], week: [.init(extraction: "", monolith: 1, service: 0)]).left == 1)
    }

    @Test func unusedIsSaidOnlyWhenEnoughWasCounted() {
        let endpoints = [31.0, 29, 45].map {
            BurnDown.Unused(
                endpoint: "GET /\(Int($0))", extraction: nil, last: now.addingTimeInterval(-$0 * day), requests: 1)
        }
        #expect(burnDown([], endpoints: endpoints).unused?.map(\.endpoint) == ["GET /45", "GET /31"])
        #expect(burnDown([], since: 29 * day, endpoints: endpoints).unused == nil)
    }
}

@Suite struct RetireReportTests {
    private func report(
        _ routes: [RetireReport.Route], _ endpoints: [RetireReport.Endpoint] = [], stillAsked: [String: Int] = [:]
    ) -> RetireReport {
        RetireReport(
            extraction: "orders", at: .start, countingSince: .start.addingTimeInterval(-90 * day), routes: routes,
            unreachable: endpoints, stillAsked: stillAsked)
    }

    @Test func endpointsAreNamedOnceInTheOrderOfTheirPaths() {
        let early = Date.start.addingTimeInterval(-40 * day)
        let late = Date.start.addingTimeInterval(-31 * day)
        let report = report(
            [.init(path: "/orders/**", methods: [], hosts: [])],
            [
                .init(endpoint: "POST /orders", lastAnswered: early, requestsBefore: 7, route: nil),
                .init(endpoint: "GET /orders/{id}", lastAnswered: nil, requestsBefore: 0, route: "/orders/**"),
                .init(endpoint: "GET /orders", lastAnswered: late, requestsBefore: 40, route: "/orders/**"),
                .init(endpoint: "POST /orders", lastAnswered: late, requestsBefore: 2, route: "/orders/**"),
            ])
        #expect(report.unreachable.map(\.endpoint) == ["GET /orders", "POST /orders", "GET /orders/{id}"])
        #expect(
            report.unreachable[1]
                == .init(endpoint: "POST /orders", lastAnswered: late, requestsBefore: 9, route: "/orders/**"))
        #expect(report.stillReachable.isEmpty)
        #expect(
            report.said == "3 endpoints of the monolith cannot be reached through the proxy, 1 of them never asked for "
                + "since counting began")
    }

    @Test func whatRoutesLeaveToTheMonolithIsNamed() {
        let report = report(
            [
                .init(path: "/orders/**", methods: ["GET"], hosts: []),
                .init(path: "/orders/**", methods: ["POST"], hosts: []),
                .init(path: "/carts/**", methods: [], hosts: ["a.example", "b.example"]),
                .init(path: "/items", methods: [], hosts: []), .init(path: "/items", methods: ["GET"], hosts: ["x"]),
            ], stillAsked: ["DELETE /orders/{id}": 12])
        #expect(
            report.stillReachable == [
                .init(what: "DELETE /orders/{id}", why: "no entry of match takes it", requests: 12),
                .init(
                    what: "/carts/** on other hosts", why: "match takes it only on a.example, b.example", requests: 0),
                .init(what: "other methods of /orders/**", why: "match takes only GET, POST", requests: 0),
            ])
    }
}
