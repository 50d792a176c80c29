/// What a fuzz target is called and what it checks, in one place: the fuzzer runs it over what it invents, the tests over
/// the seeds, the findings and random messages.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case requestHead = "request-head"
    case responseHead = "response-head"
    case chunkedBody = "chunked-body"
    case proxyProtocol = "proxy-protocol"
    case path
    case requestForwarding = "request-forwarding"
    case responseForwarding = "response-forwarding"
    case jsonBodies = "json-bodies"
    case otherBodies = "other-bodies"
    case pathPattern = "path-pattern"
    case jsonVariants = "json-variants"
    case otherVariants = "other-variants"
    case contentCoding = "content-coding"
    case contract
    case identityApply = "identity-apply"
    case ledgerRecord = "ledger-record"
    case spoolSegment = "spool-segment"

    /// Checks every property of this target over one input.
    /// - Returns: what became of the input; tests demand that their inputs reach more than one end.
    @discardableResult
    package func check(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
        switch self {
        case .requestHead: try checkRequestHead(bytes)
        case .responseHead: try checkResponseHead(bytes)
        case .chunkedBody: try checkChunkedBody(bytes)
        case .proxyProtocol: try checkProxyProtocol(bytes)
        case .path: try checkPath(bytes)
        case .requestForwarding: try checkRequestForwarding(bytes)
        case .responseForwarding: try checkResponseForwarding(bytes)
        case .jsonBodies: try checkBodies(bytes, of: jsonTypes)
        case .otherBodies: try checkBodies(bytes, of: otherTypes)
        case .pathPattern: try checkPathPattern(bytes)
        case .jsonVariants: try checkJSONVariants(bytes)
        case .otherVariants: try checkOtherVariants(bytes)
        case .contentCoding: try checkContentCoding(bytes)
        case .contract: try checkContract(bytes)
        case .identityApply: try checkIdentity(bytes)
        case .ledgerRecord: try checkLedgerRecord(bytes)
        case .spoolSegment: try checkSegment(bytes)
        }
    }

    /// The body of `LLVMFuzzerTestOneInput`: traps when a property is broken, which libFuzzer keeps as a finding.
    package func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        do throws(Violation) {
            try check(UnsafeRawBufferPointer(start: data, count: count))
        } catch {
            fatalError("\(rawValue): \(error)")
        }
        return 0
    }
}

/// What became of an input.
package enum Outcome: Sendable, Equatable {
    case accepted, refused
    /// The bytes end before the message does.
    case incomplete
}

/// A property that does not hold, in words.
package struct Violation: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

@inline(__always)
func demand(_ holds: Bool, _ rule: @autoclosure () -> String) throws(Violation) {
    if !holds { throw Violation(rule()) }
}
