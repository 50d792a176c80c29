import ArgumentParser
import Foundation
import NIOCore
import Testing

@testable import strangler

/// Files that go with the test.
private final class Folder {
    let path = NSTemporaryDirectory() + "strangler-compare-" + UUID().uuidString.prefix(8)

    init(_ files: [String: String]) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files {
            try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        }
    }

    subscript(name: String) -> String { path + "/" + name }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

private func run(_ arguments: [String], isColoured: Bool = false) async throws -> Outcome {
    let capture = Capture()
    let code = try await CompareCommand.parse(arguments).exitCode(on: capture.terminal(isColoured: isColoured))
    return Outcome(code: code, output: capture.output, complaints: capture.complaints)
}

@Suite struct CompareFiles {
    static let files = [
        "a.json": #"{"id":1,"total":149.98,"items":[1,2,3],"requestId":"a"}"#,
        "b.json": #"{"id": 1, "total":"149.98","items":[1,3,2],"requestId":"b"}"#,
        "same.json": #"{"requestId":"a", "items":[1,2,3],"total":149.98,"id":1}"#,
        "rules.yaml": "extraction: x\nignore: [{path: \"$.requestId\", because: \"random\"}]\n",
        "bad.yaml": "extraction: x\nignore: [{path: \"$.requestId\"}]\nno: 1\n", "a.txt": "one\n", "b.txt": "two\n",
    ]

    @Test func `what is different is one line each and the verdict comes last`() async throws {
        let folder = try Folder(Self.files)
        let outcome = try await run([folder["a.json"], folder["b.json"], "--rules", folder["rules.yaml"]])
        #expect(outcome.code == 1)
        #expect(
            outcome.output == """
                type     $.total: 149.98 → "149.98"
                order    $.items: [1,2,3] → [1,3,2]
                hidden   ignore $.requestId: 1 difference
                different: 2 differences; compared as application/json, 1 rule applied

                """)
        let coloured = try await run([folder["a.json"], folder["b.json"]], isColoured: true)
        #expect(coloured.output.contains("\u{1B}[31m\"149.98\"\u{1B}[0m"))
    }

    @Test func `the same is the same, however it is written`() async throws {
        let folder = try Folder(Self.files)
        let same = try await run([folder["a.json"], folder["same.json"]])
        #expect(same.code == 0 && same.output == "same: compared as application/json\n")
        let identical = try await run([folder["a.txt"], folder["a.txt"]])
        #expect(identical.code == 0 && identical.output == "same: compared as 4 bytes, identical\n")
        #expect(try await run([folder["a.txt"], folder["b.txt"]]).code == 1)
    }

    @Test func `JSON has all that scripts rely on`() async throws {
        let folder = try Folder(Self.files)
        let outcome = try await run([folder["a.json"], folder["b.json"], "--rules", folder["rules.yaml"], "--json"])
        let tree = try JSONTree(outcome.output)
        #expect(tree["verdict"] == .string("mismatch"))
        #expect(tree["differences"]?[0]?["path"] == .string("$.total"))
        #expect(tree["differences"]?[0]?["kind"] == .string("type"))
        #expect(tree["differences"]?[0]?["primary"] == .string("149.98"))
        #expect(tree["differences"]?[0]?["shadow"] == .string("\"149.98\""))
        #expect(
            tree["hidden"]
                == .array([.object(["rule": .string("ignore $.requestId"), "count": .number(1)])]))
        #expect(tree["notCompared"] == .null)
    }

    @Test func `long paths and values stay on one line of 80 columns`() async throws {
        let name = String(repeating: "name", count: 20)
        let text = String(repeating: "word ", count: 30)
        let folder = try Folder([
            "a.json": #"{"\#(name)":{"last":"\#(text)a"},"x":1}"#,
            "b.json": #"{"\#(name)":{"last":"\#(text)b"},"x":"\#(text)"}"#,
        ])
        let outcome = try await run([folder["a.json"], folder["b.json"]])
        outcome.expectReadable()
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[0].contains("….last: ".dropFirst()) && lines[0].contains(" a\" → …") && lines[0].hasSuffix(" b\""))
        #expect(lines[1].hasPrefix("type     $.x: 1 → \"word word word word"))
    }

    @Test func `bad rules are told as check tells them, and nothing is compared`() async throws {
        let folder = try Folder(Self.files)
        let outcome = try await run([folder["a.json"], folder["b.json"], "--rules", folder["bad.yaml"]])
        #expect(outcome.code == 2 && outcome.output.isEmpty)
        #expect(outcome.complaints.contains("bad.yaml:2:10: `because` is missing"))
        #expect(outcome.complaints.contains("bad.yaml:3:1: unknown key `no`"))
        #expect(try await run([folder["a.json"], folder["b.json"], "--rules", folder["none.yaml"]]).code == 2)
    }

    @Test func `what cannot be read is said in one line`() async throws {
        let folder = try Folder(Self.files)
        let missing = try await run([folder["a.json"], folder["none.json"]])
        #expect(missing.code == 3 && missing.output.isEmpty)
        #expect(missing.complaints == "strangler: \(folder["none.json"]) does not exist or cannot be read\n")
        #expect(try await run([folder["a.json"], folder.path]).complaints.contains("is a folder"))
    }

    @Test func `compressed files are what is in them`() async throws {
        let folder = try Folder(["a.json": #"{"n":1,"m":2}"#, "b.json": #"{"m":2, "n":1}"#, "cut.json.gz": "\u{1F}"])
        // {"m":2,"n":1}, by gzip.
        let packed: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x55, 0xB2, 0x32,
            0xD2, 0x51, 0x50, 0xCA, 0x53, 0xB2, 0x32, 0xAC, 0x05, 0x00, 0xD0, 0x80, 0xF9, 0x76, 0x0E, 0x00,
            0x00, 0x00,
        ]
        for name in ["b.json.gz", "b"] {
            try Data(packed).write(to: URL(filePath: folder[name]))
            let outcome = try await run([folder["a.json"], folder[name]])
            #expect(outcome.code == 0 && outcome.output == "same: compared as application/json\n", "\(outcome)")
        }
        #expect(ComparedSource("x/a.XML.zst").mediaType == "application/xml")
        let cut = try await run([folder["a.json"], folder["cut.json.gz"]])
        #expect(cut.code == 1 && cut.output.contains("gzip that is cut short"), "\(cut)")
    }

    @Test func `the program reads standard input and keeps to its exit codes`() async throws {
        let folder = try Folder(Self.files)
        let same = try await Program.run("compare", "a.json", "same.json", in: folder.path)
        #expect(same.status == 0 && same.output.hasPrefix("same: "))
        // Standard input is empty here.
        let piped = try await Program.run("compare", "a.json", "-", "--type", "application/json", in: folder.path)
        #expect(piped.status == 1 && piped.output.contains("missing  body: "))
        for arguments in [
            ["-", "-"], ["a.json"], ["a", "b", "--method", "POST"], ["a", "b", "--header", "nonsense"],
            ["ftp://a/b", "b"],
        ] {
            let error = #expect(throws: (any Error).self) { try Strangler.parseAsRoot(["compare"] + arguments) }
            #expect(error.map { Strangler.exitCode(for: $0) } == .validationFailure)
        }
    }
}

@Suite struct CompareURLs {
    @Test func `two URLs are compared with status and headers, a file only by its body`() async throws {
        let one = try await Origin(body: #"{"n":1}"#)
        let other = try await Origin(body: #"{ "n": 1 }"#)
        let third = try await Origin(body: #"{"n":2}"#)
        let url = { (origin: Origin) in "http://127.0.0.1:\(origin.port)/x?y=1" }
        let same = try await run([url(one), url(other), "--header", "Authorization: Bearer x"])
        #expect(same.code == 0)
        #expect(same.output == "same: compared status, headers and body as application/json\n")
        let different = try await run([url(one), url(third)])
        #expect(different.code == 1 && different.output.hasPrefix("value    $.n: 1 → 2\n"))
        let folder = try Folder(["kept": #"{"n": 1}"#])
        let kept = try await run([folder["kept"], url(one)])
        #expect(kept.code == 0 && kept.output == "same: compared as application/json\n")
        for origin in [one, other, third] { await origin.close() }
    }

    @Test func `https where there is none is one plain sentence`() async throws {
        // It answers what is no HTTP at once, as most servers do.
        let plain = try await RunningAdmin.start(SampleBackend())
        let url = "https://127.0.0.1:\(plain.port)/"
        let outcome = try await run([url, url])
        #expect(outcome.code == 3)
        #expect(
            outcome.complaints
                == "strangler: \(url) cannot be reached: no https there, or with a certificate that is not trusted\n")
        try await plain.stop()
    }

    @Test func `what cannot be reached, or does not answer in time, is exit code 3`() async throws {
        let closed = try await Origin()
        await closed.close()
        let refused = try await run(["http://127.0.0.1:\(closed.port)/", "http://127.0.0.1:\(closed.port)/"])
        #expect(refused.code == 3 && refused.output.isEmpty)
        #expect(refused.complaints.hasPrefix("strangler: http://127.0.0.1:\(closed.port)/ cannot be reached: "))
        let slow = try await Origin(delay: .seconds(30))
        let late = try await run(["http://127.0.0.1:\(slow.port)/", "http://127.0.0.1:\(slow.port)/", "--timeout", "1"])
        #expect(late.code == 3 && late.complaints.contains("no answer in time"))
        await slow.close()
    }
}
