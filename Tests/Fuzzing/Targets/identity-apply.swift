internal import FuzzProperties

/// libFuzzer's way in: identities in requests and answers.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTarget.identityApply.fuzz(data, count)
}
