internal import FuzzProperties

/// libFuzzer's way in: response heads.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.responseHead.fuzz(data, count)
}
