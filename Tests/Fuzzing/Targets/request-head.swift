internal import FuzzProperties

/// libFuzzer's way in: request heads.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.requestHead.fuzz(data, count)
}
