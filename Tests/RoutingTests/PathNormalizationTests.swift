import TestSupport
import Testing

@testable import Routing

/// `nil` when unchanged, else the new path.
private func normalized(_ path: String) -> String? {
    switch normalize(Array(path.utf8)) {
    case .unchanged: nil
    case .changed(let bytes): String(decoding: bytes, as: UTF8.self)
    case .refused(let reason): "refused: \(reason.rawValue)"
    }
}

private func normalize(_ path: [UInt8]) -> PathNormalization.Result {
    path.withUnsafeBytes { PathNormalization.normalize(path: $0) }
}

@Suite struct PathNormalizationTests {
    @Test(
        "A path that is already in the one form stays as it is",
        arguments: [
            "/", "/a", "/a/", "/api/v1/orders/ord_99018274a", "/a/.well-known", "/a/...", "/a/..b", "/a;v=1/b",
            "/a/;session=1", "/a:b@c!$&'()*+,=~-_.", "/%20", "/100%25", "/%3Fx", "/%23x", "/a%3Bb", "/%E9", "/%C3%A9",
        ])
    func unchanged(path: String) { #expect(normalized(path) == nil) }

    @Test(
        "Every spelling of /a/b becomes /a/b",
        arguments: [
            "/a/x/../b", "/./a/./b", "/a/x/%2e%2e/b", "/a/x/.%2E/b", "/a/%2e/b", "//a//b", "///a/b", "/%61/b", "/a/%62",
            "/a/x//../b",
        ])
    func spellings(path: String) { #expect(normalized(path) == "/a/b") }

    @Test(
        "One spelling is chosen where several are equivalent",
        arguments: [
            ("", "/"), ("/a/..", "/"), ("/a/b/..", "/a/"), ("/a/.", "/a/"), ("/.", "/"), ("/%2E", "/"), ("/a//", "/a/"),
            ("/%3f%3a", "/%3F%3A"), ("/%7Euser", "/~user"), ("/é", "/%C3%A9"), ("/{x}|", "/%7Bx%7D%7C"),
        ])
    func canonical(path: String, expected: String) { #expect(normalized(path) == expected) }

    @Test(
        "What servers read in two ways is refused",
        arguments: [
            ("/a%2fb", "encoded-slash"), ("/a%2Fb", "encoded-slash"), ("/a%5cb", "backslash"), ("/a\\b", "backslash"),
            ("/a%00", "control-character"), ("/a%0d%0a", "control-character"), ("/a\u{1}", "control-character"),
            ("/a b", "control-character"), ("/a%7f", "control-character"), ("/%252e%252e/x", "double-encoding"),
            ("/%25%32%65", "double-encoding"), ("/%", "invalid-escape"), ("/%4", "invalid-escape"),
            ("/%zz", "invalid-escape"), ("/%c0%af", "overlong-utf8"), ("/%c0%ae%c0%ae/", "overlong-utf8"),
            ("/%e0%80%af", "overlong-utf8"), ("/%f0%80%80%af", "overlong-utf8"), ("/..", "climbs-above-root"),
            ("/a/../../b", "climbs-above-root"), ("/%2e%2e/b", "climbs-above-root"),
            ("/a/..;/b", "dot-segment-parameter"),
            ("/a/.;x=1/b", "dot-segment-parameter"), ("/a/%2e%2e;/b", "dot-segment-parameter"),
            ("/a/..%3b/b", "dot-segment-parameter"), ("/a/;x/b", "empty-segment-parameter"), ("a", "not-absolute"),
            ("*", "not-absolute"), ("/a?b", "query-or-fragment"), ("/a#b", "query-or-fragment"),
        ])
    func refused(path: String, reason: String) { #expect(normalized(path) == "refused: \(reason)") }

    @Test func rawBytesThatAreNotUTF8AreRefused() {
        for bytes: [UInt8] in [
            [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2, 0x82],
        ] {
            #expect(normalize([0x2F] + bytes) == .refused(.invalidUTF8))
        }
    }

    @Test func normalisingTwiceEqualsOnceAndNeverTraps() {
        let pieces = [
            "/", "/", "//", ".", "..", "%2e", "%2E", "a", "b", ";", ";x", "%25", "%41", "%", "2", "e", "%C3%A9", "%c0",
            "%af", "é", "{", "%3b", "\\", "%2f", "\u{0}", "%7e", "~",
        ]
        var generator = SeededGenerator(seed: 28)
        var changed = 0
        for _ in 0..<40_000 {
            let count = Int.random(in: 0...8, using: &generator)
            let path = "/" + (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard case .changed(let once) = normalize(Array(path.utf8)) else { continue }
            changed += 1
            #expect(normalize(once) == .unchanged, "\(path)")
        }
        #expect(changed > 5_000)
    }

    @Test func randomBytesNeverTrapAndStayNormalised() {
        var generator = SeededGenerator(seed: 32)
        for _ in 0..<40_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let path = [0x2F] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if case .changed(let once) = normalize(path) { #expect(normalize(once) == .unchanged) }
        }
    }
}
