import Extraction
import Testing

@testable import ProxyConfiguration

@Suite struct WriteKeysTests {
    private static let head = """
        extraction: orders
        problem: "Releases wait."
        because: [independent-deployment, scale-variance]
        service: {url: "http://s"}

        """

    @Test func everyKeyIsRead() throws {
        let configuration = try Sample(
            proxy: Sample.proxy
                + "\nspool: {quota: 4GiB, keep-free: 1GiB, segment: 16MiB, commit: 2ms, wait: 300ms, key-file: keys/spool}",
            extractions: [
                (
                    "orders",
                    Self.head + """
                        match:
                          - {path: "/orders/{id}/**", success: [2xx, 404], on-spool-full: serve-without-shadow}
                          - {path: "/orders"}
                        shadow:
                          writes: dual-write
                          on-spool-full: refuse-writes
                          success: [201, 3xx]
                          lane: {path: id}
                          attempts: 3
                          identity-wait: 5s
                        reconcile: {put: true}
                        """
                )
            ]
        ).parse()
        let rules = try #require(configuration.extractions.first).definition.writeRules
        #expect(rules.whenFull == .refuseWrites && rules.laneParameter == "id" && rules.attempts == 3)
        #expect(rules.identityWait == .seconds(5) && rules.reconcilesByPut)
        #expect([200, 201, 302].map(rules.success.contains) == [false, true, true])
        #expect(configuration.writeRules.map(\.whenFull) == [.serveWithoutShadow, .refuseWrites])
        let own = configuration.writeRules[0].success
        #expect([204, 301, 404, 500].map(own.contains) == [true, false, true, false])
        let spool = configuration.spool
        #expect(spool.quota == 4 << 30 && spool.keepFree == 1 << 30 && spool.segment == 16 << 20)
        #expect(spool.commitInterval == .milliseconds(2) && spool.wait == .milliseconds(300))
        #expect(spool.keyFile?.hasSuffix("/keys/spool") == true && spool.keyFile?.hasPrefix("/") == true)
    }

    @Test func withoutKeysClientsComeFirst() throws {
        let rules = WriteRules()
        #expect(rules.whenFull == .serveWithoutShadow && rules.laneParameter == nil && rules.attempts == 12)
        #expect(!rules.reconcilesByPut)
        #expect([199, 200, 399, 400].map(rules.success.contains) == [false, true, true, false])
    }

    @Test func everyErrorComesAtOnce() {
        let errors = Sample(
            proxy: Sample.proxy + "\nspool: {quota: 1KiB, segment: 512MiB, commit: 10ms, wait: 0s, quoto: 1}",
            extractions: [
                (
                    "orders",
                    Self.head + """
                        match: [{path: "/orders/{id}", success: [], on-spool-full: drop}]
                        shadow: {writes: dual-write, success: [6xx, 100, abc, 2xx], lane: {path: order}, attempts: 0}
                        """
                )
            ]
        ).errors()
        #expect(errors.contains("`quota`: `1KiB` is no size in range"))
        #expect(errors.contains("`segment` is more than a quarter of `quota`"))
        #expect(errors.contains("`commit`: `10ms` is too long for every write to wait"))
        #expect(errors.contains("unknown key `quoto`"))
        #expect(errors.contains("`wait`:"))
        #expect(errors.contains("`success` is empty (remove the key to take 2xx and 3xx)"))
        #expect(errors.contains("`on-spool-full`: "))
        #expect(errors.contains("`success`: `6xx` is no final status"))
        #expect(errors.contains("`success`: `100` is no final status"))
        #expect(errors.contains("`success`: `abc` is no status"))
        #expect(errors.contains("`lane`: no path of `match` has the parameter {order}"))
        #expect(errors.contains("`attempts`: `0` is no number in range"))
    }

    @Test func keysOfWritesNeedDualWrite() {
        let errors = Sample(
            proxy: Sample.proxy,
            extractions: [
                (
                    "orders",
                    Self.head + """
                        match: [{path: "/orders"}]
                        shadow: {on-spool-full: refuse-writes}
                        reconcile: {put: perhaps}
                        """
                )
            ]
        ).errors()
        #expect(errors.contains("`reconcile` is about writes that both sides get, and `writes` is never"))
        #expect(errors.contains("`put`: unknown value `perhaps`"))
        #expect(errors.contains("`on-spool-full` is about writes that both sides get, and `writes` is never"))
    }
}
