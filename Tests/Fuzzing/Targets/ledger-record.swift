internal import FuzzProperties

/// libFuzzer's way in: content coding.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.ledgerRecord.fuzz(data, count)
}
