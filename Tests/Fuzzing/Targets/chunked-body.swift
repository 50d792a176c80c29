internal import FuzzProperties

/// libFuzzer's way in: chunked bodies.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.chunkedBody.fuzz(data, count)
}
