internal import FuzzProperties

/// libFuzzer's way in: contracts.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.contract.fuzz(data, count)
}
