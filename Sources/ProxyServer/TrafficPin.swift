internal import Extraction
internal import HTTPWire
internal import NIOCore

/// A header by which testers choose the side themselves, ready to be looked for.
///
/// It is believed from its networks only: whose connection it is decides, or whom that connection's PROXY protocol header
/// names, never a field of the request. From elsewhere it chooses nothing.
final class TrafficPin: Sendable {
    private let header: [UInt8]
    /// `Strangler-…` names are known by the parser, and never go upstream.
    private let isOurs: Bool
    private let networks: [AddressRange]

    init(_ pin: Pin) {
        header = pin.header.lowercased().utf8.map { $0 }
        isOurs = header.starts(with: "strangler-".utf8)
        networks = pin.from.compactMap { AddressRange($0) }
    }

    /// The side that the first such header names; nil where it names none.
    func side(_ parser: borrowing RequestHeadParser, _ bytes: UnsafeRawBufferPointer) -> Side? {
        for line in parser.fields where !isOurs || line.field == .strangler {
            guard TrafficPin.equals(line.name(in: bytes), lowercased: header) else { continue }
            let value = line.value(in: bytes)
            if TrafficPin.equals(value, lowercased: TrafficPin.service) { return .service }
            return TrafficPin.equals(value, lowercased: TrafficPin.monolith) ? .monolith : nil
        }
        return nil
    }

    func isBelieved(from peer: SocketAddress?) -> Bool {
        guard let peer else { return false }
        return networks.contains { $0.contains(peer) }
    }

    private static let service = Array("service".utf8)
    private static let monolith = Array("monolith".utf8)

    private static func equals(_ bytes: UnsafeRawBufferPointer, lowercased word: [UInt8]) -> Bool {
        guard bytes.count == word.count else { return false }
        return zip(bytes, word).allSatisfy { ($0 &- 0x41 < 26 ? $0 | 0x20 : $0) == $1 }
    }
}
