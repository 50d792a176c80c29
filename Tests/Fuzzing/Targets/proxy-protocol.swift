internal import FuzzProperties

/// libFuzzer's way in: headers of the PROXY protocol.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.proxyProtocol.fuzz(data, count)
}
