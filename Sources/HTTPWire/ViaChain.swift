extension RequestHeadParser {
    /// Whether a Via field says that the request has been through the proxy of this name (RFC 9110 §7.6.3: protocol, white
    /// space, who received it, perhaps a comment). Ask only where `facts.hasVia`.
    package func hasPassed(through pseudonym: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
        var found = false
        for line in fields where line.field == .via {
            line.value(in: bytes).forEachListElement { hop in
                let space = hop.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? hop.count
                let rest = hop.part(space, hop.count).trimmed()
                let end = rest.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? rest.count
                let name = rest.part(0, end)
                if name.count == pseudonym.count,
                    zip(name, pseudonym).allSatisfy({ asciiLowercased($0) == asciiLowercased($1) })
                {
                    found = true
                }
            }
        }
        return found
    }
}
