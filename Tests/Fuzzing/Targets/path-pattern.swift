internal import FuzzProperties

/// libFuzzer's way in: path pattern.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.pathPattern.fuzz(data, count)
}
