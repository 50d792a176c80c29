internal import FuzzProperties

/// libFuzzer's way in: json variants.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.jsonVariants.fuzz(data, count)
}
