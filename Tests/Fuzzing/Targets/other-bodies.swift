internal import FuzzProperties

/// libFuzzer's way in: other bodies.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.otherBodies.fuzz(data, count)
}
