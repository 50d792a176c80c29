internal import FuzzProperties

/// libFuzzer's way in: segments of the spool.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.spoolSegment.fuzz(data, count)
}
