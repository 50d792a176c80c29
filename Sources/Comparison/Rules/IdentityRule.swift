/// Names the field in which a write's answer carries the identity that the answering side made up, and what is done so that
/// the other side can be asked about the same thing.
package struct IdentityRule: Sendable, Equatable {
    package enum Means: Sendable, Equatable {
        /// The other side's write is told the identity, and uses it.
        case adopt(Adoption)
        /// Each side has its own; what is sent to one by the other's name is translated.
        case map(IdentityPlaces)
    }

    package enum Adoption: Sendable, Equatable {
        /// In the same field of the request body.
        case body
        /// In a header of this name.
        case header(String)
    }

    /// A field of nested objects; see ``PathPattern/memberNames``.
    package var field: PathPattern
    package var means: Means

    package init(field: PathPattern, adopt: Adoption) {
        self.field = field
        means = .adopt(adopt)
    }

    package init(field: PathPattern, map places: IdentityPlaces = IdentityPlaces()) {
        self.field = field
        means = .map(places)
    }

    /// What its pairs are filed under.
    package var kind: String { field.description }

    package var adoption: Adoption? { if case .adopt(let adoption) = means { adoption } else { nil } }
    package var places: IdentityPlaces? { if case .map(let places) = means { places } else { nil } }
}

/// Where requests and answers name a thing by an identity that each side has its own of. Nil stands for what the rule's field
/// says by itself: see `Shadow/README.md`, Identity.
package struct IdentityPlaces: Sendable, Equatable {
    /// Parameters of paths: by name (`orderId`), or as the end of a path (`/api/v1/orders/{id}`).
    package var path: [String]?
    /// Parameters of queries and of forms, by name.
    package var query: [String]?
    /// Header fields of requests and answers whose whole value is an identity.
    package var headers: [String]
    /// Fields of requests' and answers' JSON bodies. Of answers the rule's own field always is one.
    package var body: [PathPattern]?
    /// `Location` and `Content-Location` are read like requests' paths and queries.
    package var location: Bool
    /// Fields of a creation's answers whose values stand for one thing each, in the same order on both sides; nil: the rule's
    /// own field.
    package var learn: [PathPattern]?
    /// Endpoints whose answers tell of new things; nil: what answers 201, or posts to the collection.
    package var creates: [String]?
    /// Identities that are the same in both systems, as those of things that were copied with them.
    package var same: LinearRegex?

    package init(
        path: [String]? = nil, query: [String]? = nil, headers: [String] = [], body: [PathPattern]? = nil,
        location: Bool = true, learn: [PathPattern]? = nil, creates: [String]? = nil, same: LinearRegex? = nil
    ) {
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.location = location
        self.learn = learn
        self.creates = creates
        self.same = same
    }
}
