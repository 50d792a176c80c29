internal import FuzzProperties

/// libFuzzer's way in: answers that are forwarded.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.responseForwarding.fuzz(data, count)
}
