/// One request that no route takes, as the data plane saw it go to the monolith: what candidates are found from.
package struct ObservedRequest: Sendable, Equatable {
    /// `GET`; other methods than the registered ones are `other`.
    package var method: String
    /// Normalised, without the query, cut to a bounded length.
    package var path: String
    /// Of the answer; 0 where there was none.
    package var status: Int
    /// From sending the request to the answer's head.
    package var nanoseconds: Int64
    /// Of the answer's body.
    package var bytes: Int
    /// How many requests this one stands for: more than 1 where only a sample is looked at.
    package var weight: Int

    package init(method: String, path: String, status: Int, nanoseconds: Int64, bytes: Int, weight: Int) {
        self.method = method
        self.path = path
        self.status = status
        self.nanoseconds = nanoseconds
        self.bytes = bytes
        self.weight = weight
    }
}
