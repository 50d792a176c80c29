// In the fuzzer's build only, in place of swift-crypto, whose BoringSSL would have to be built with the sanitizer: the same
// calls over a hash that is good enough for equal bytes to give equal digests. Nothing is kept secret here.

public struct SymmetricKey: Sendable {
    let bytes: [UInt8]

    public init(data: some Sequence<UInt8>) { bytes = Array(data) }
}

public protocol HashFunction {
    init()
    mutating func update(data: some Sequence<UInt8>)
    func finalize() -> [UInt8]
}

public struct SHA256: HashFunction, Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public mutating func update(data: some Sequence<UInt8>) {
        for byte in data { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    public func finalize() -> [UInt8] {
        var word = state
        return (0..<32).map { _ in
            word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: word >> 56)
        }
    }

    public static func hash(data: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: data)
        return hash.finalize()
    }
}

public struct HMAC<Hash: HashFunction> {
    private var hash = Hash()

    public init(key: SymmetricKey) { hash.update(data: key.bytes) }

    public mutating func update(data: some Sequence<UInt8>) { hash.update(data: data) }

    public func finalize() -> [UInt8] { hash.finalize() }
}
