internal import FuzzProperties

/// libFuzzer's way in: other variants.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.otherVariants.fuzz(data, count)
}
