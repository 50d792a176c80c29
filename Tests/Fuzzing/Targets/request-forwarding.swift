internal import FuzzProperties

/// libFuzzer's way in: requests that are forwarded.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.requestForwarding.fuzz(data, count)
}
