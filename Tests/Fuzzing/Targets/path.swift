internal import FuzzProperties

/// libFuzzer's way in: paths.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.path.fuzz(data, count)
}
