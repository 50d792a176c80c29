import FoundationEssentials

/// Bodies made by Python 3.11 (zlib 1.2.13), `zstd` 1.5.4 and libbrotlienc 1.0.9, so that no test needs their tools.
enum Coded {
    /// What the first ones say.
    static let text =
        #"{"id":"ord_1","lines":["#
        + (0..<12).map { #"{"sku":"tea-\#($0)","count":\#($0 % 3)}"# }.joined(separator: ",") + "]}"

    static let gzip = bytes(
        "H4sIAAAAAAACA6tWykxRslLKL0qJN1TSUcrJzEstVrKKrlYqzi4FipekJuoaAMWT80vzSpSsDGp1kGUMETKGqDJGCBkjVBljnKaZ"
            + "4DTNFKdpZjhNM8dpmgVO0yxx+9QAp3GGhsjmxdYCAFT3v+1SAQAA")
    /// The text in two members, with an empty one between them.
    static let gzipMembers = bytes(
        "H4sIAAAAAAACA6tWykxRslLKL0qJN1TSUcrJzEstVrKKrlYqzi4FipekJuoaAMWT80vzSpSsDGp1kGUMETKGqDJGCBmjWgC/mpTg"
            + "ZAAAAB+LCAAAAAAAAgMDAAAAAAAAAAAAH4sIAAAAAAACA9OpVirOLlWyUipJTdQ1VtJRSs4vzStRsjKo1UGWMUHIGKLKmCJkjFBl"
            + "zHCaZo7TNAucplniNM3QAKdxhobI5sXWAgASjsHS7gAAAA==")
    static let zlib = bytes(
        "eNqrVspMUbJSyi9KiTdU0lHKycxLLVayiq5WKs4uBYqXpCbqGgDFk/NL80qUrAxqdZBlDBEyhqgyRggZI1QZY5ymmeA0zRSnaWY4"
            + "TTPHaZoFTtMscfvUAKdxhobI5sXWAgCrSmYu")
    static let bareDeflate = bytes(
        "q1bKTFGyUsovSok3VNJRysnMSy1WsoquVirOLgWKl6Qm6hoAxZPzS/NKlKwManWQZQwRMoaoMkYIGSNUGWOcppngNM0Up2lmOE0z"
            + "x2maBU7TLHH71ACncYaGyObF1gIA")
    static let brotli = bytes(
        "G1EBAMTSOeVPl8ev7ABYNQVVznVZ6jTlyZOLnOFdVNjqy2LuQDifrtRg2Oajf0Gpxbv+IHx9zRUY7sQOSDlmRRstxpjOKzKfBSxk"
            + "EYtZstOKoTXJHQ==")
    /// With a checksum.
    static let zstd = bytes(
        "KLUv/QRYtQMAkgQRGYDFOkvdP80PAxLwkIS8kgf+EZJSpDRG2AhxifpnosiPNLQ4kYPqf2Ku3XoM4OMUmuS8foFmqKxbWkrg4zNo"
            + "wLxGyjAWAAnLAOiHsAwGpAD4gGQAFiAPwAxIAfAByQAsQB6AGZAC4AOSAViAPACzaG7uAcKreug=")
    /// Two frames, and one between them that is to be skipped.
    static let zstdFrames = bytes(
        "KLUv/QRYHQIAZAN7ImlkIjoib3JkXzEiLCJsaW5lcyI6W3sic2t1IjoidGVhLTAiLCJjb3VudCI6MH0sMTEyMn0EAGATIA/ALJqb"
            + "e7MmIlZSKk0YAwAAAGFiYyi1L/0EWKUCAPQCLHsic2t1IjoidGVhLTMiLCJjb3VudCI6MH00MTUyNjA3MTgyOTAxMDExMTJ9XX0Q"
            + "AD43BMl0Bm5ACoAPSAZgAfIAzIAUAB+QDMAC5AGY2cfEA/M0B7Q=")
    /// Zeros, 1 MiB, with a window of 128 MiB.
    static let zstdWithWideWindow = bytes(
        "KLUv/QSITAAACAABAPz/ORACAgAQAAIAEAACABAAAgAQAAIAEAACABAAAwAQAPE+FuE=")
    /// Zeros, 10 MiB: gzip of gzip.
    static let tenMebibytes = bytes(
        "H4sIAAAAAAACA+3YOw3CYBhA0a+UoTwCEmCukM4siEAFTTqyoABwgAZW0p3UA+CA1y+D5pzpariLXRHJIL9fsuwX9f59fhbjAAAA"
            + "AHqu7po8zYBYfm7Vag0AAAD03WY+G6UXMHxtH9OJOQIA/+AYbXk9RJziC161MrztJwAA")
    /// Zeros, 1 GiB: gzip of gzip of gzip.
    static let gibibyteThreeTimes = bytes(
        "H4sIAAAAAAACA5Pv5mAAASbmt3cW5gUXyrQ9LFuboWamtkzgsZpHmkcXY/cNkSTFmTMdFt1OWWBwh1NCj0GknKF4d0NqUmQA99K3"
            + "vjqW7z/P+H/R/ufTJ7a/bKRz3/jk1fUcf93/dHp9fH76bmWg4QkPpoVPn3xWwqBq26+/r85qAoUMSt5/+77sduCDh29eej8HCjQc"
            + "/P3l0Y+T3/gbdx/9vbIYKHLggey/vfPytzfEr37Prv6OESjU/N3dAOTaIBZmILnAFcyJAnMU3JA4ozKjMqMyozKjMqMyBGX0vn1P"
            + "m6374PHfR4dfX1Su/vf2+c/bX63/819Jbz1z4g0/AwDYL/M5IwcAAA==")
    /// Zeros, 1 GiB: zstd, then gzip.
    static let gibibyteByZstd = bytes(
        "H4sIAAAAAAACA+3OsQ1AUBRA0edHotD8MXRqvQEU9jGVaE1gIZGPJWhOcZNbnm7tr3qaI3JEFWcZ9pSe/6sxXsZVjjZjYGBgYGBg"
            + "YGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBg"
            + "YGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgfFEVsTRluwGt0f2dD4cAAA==")
    /// Zeros, 1 GiB: br, then gzip.
    static let gibibyteByBrotli = bytes(
        "H4sIAAAAAAACAzv9/789gwrDo40ORe////j/n72BxUFGrOHdX/n///8zTGDoOMx0Ye//x///yzMIMRRGMOz6Xv/n/39mByYFPm6H"
            + "7//6//+vZ/BgOJLI+OLe/4////MzcDZY6DDc/W3/7/9/RgVGgXbWBdX/j0Mt2cBQMmrJqCWjloxaMmrJsLFkP0gVzBJ2ALcB1YpR"
            + "BgAA")

    private static func bytes(_ base64: String) -> [UInt8] { Data(base64Encoded: base64).map(Array.init) ?? [] }
}
