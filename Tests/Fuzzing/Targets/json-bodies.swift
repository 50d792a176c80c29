internal import FuzzProperties

/// libFuzzer's way in: json bodies.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.jsonBodies.fuzz(data, count)
}
