internal import HTTPWire

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// However the header arrives it is the same header, and its text is read as the system reads addresses.
func checkProxyProtocol(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> Outcome {
    let whole = try read(bytes)
    for end in 0..<min(bytes.count, 600) {
        let part = try read(bytes.slice(0, end))
        switch part.outcome {
        case .incomplete: continue
        case .refused:
            try demand(whole.outcome == .refused, "refused by its first \(end) bytes, \(whole.outcome) at once")
        case .accepted: try demand(part.header == whole.header, "another header by its first \(end) bytes")
        }
    }
    guard let header = whole.header else { return whole.outcome }
    try demand(header.length > 0 && header.length <= bytes.count, "a header of \(header.length) bytes")
    try demand([0, 4, 16].contains(header.address.count), "an address of \(header.address.count) bytes")
    try demand((0...65_535).contains(header.port), "the port \(header.port)")
    if bytes.first == 0x50 { try checkLine(bytes.slice(0, header.length), header) }
    if !header.address.isEmpty { try checkBinary(header) }
    return .accepted
}

private func read(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> (outcome: Outcome, header: ProxyProtocol?) {
    try withOwnMemory(bytes) { raw in
        do throws(ProxyProtocol.Failure) {
            let header = try ProxyProtocol.parse(raw)
            return (header == nil ? .incomplete : .accepted, header)
        } catch {
            return (.refused, nil)
        }
    }
}

private func checkLine(_ line: UnsafeRawBufferPointer, _ header: ProxyProtocol) throws(Violation) {
    try demand(line.count <= 107 && line.suffix(2).elementsEqual([0x0D, 0x0A]), "a line of \(line.count) bytes")
    let words = String(decoding: line.dropLast(2), as: UTF8.self).split(
        separator: " ", omittingEmptySubsequences: false)
    if words.count > 1, words[1] == "UNKNOWN" {
        try demand(header.address.isEmpty, "an address out of UNKNOWN")
        return
    }
    try demand(words.count == 6, "an accepted line has \(words.count) words")
    let family = words[1] == "TCP4" ? AF_INET : AF_INET6
    for (index, word) in [words[2], words[3]].enumerated() {
        var address = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
        try demand(inet_pton(family, String(word), &address) == 1, "the address \(word)")
        if index == 0 { try demand(address == header.address, "\(word) is read in two ways") }
    }
    try demand(String(header.port) == words[4], "the port is read in two ways")
}

/// The same address in the other version of the header.
private func checkBinary(_ header: ProxyProtocol) throws(Violation) {
    let ports = [UInt8(truncatingIfNeeded: header.port >> 8), UInt8(truncatingIfNeeded: header.port), 0, 80]
    let payload = header.address + header.address + ports
    var binary: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21]
    binary += [header.address.count == 4 ? 0x11 : 0x21, 0, UInt8(truncatingIfNeeded: payload.count)] + payload
    let second = try binary.withUnsafeBytesChecked { raw throws(Violation) in try read(raw).header }
    try demand(second?.address == header.address && second?.port == header.port, "another address in the binary form")
    try demand(second?.length == binary.count, "another length in the binary form")
}
