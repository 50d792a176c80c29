/// A request that the shop refuses, with the status and the one word of explanation that the client gets.
struct ShopError: Error, Equatable {
    let status: Int
    let message: String

    static let malformedJSON = ShopError(status: 400, message: "malformed JSON")
    static let unknownOrder = ShopError(status: 404, message: "unknown order")
    static let unknownUser = ShopError(status: 404, message: "unknown user")
    static let unknownProduct = ShopError(status: 422, message: "unknown product")
    static let orderExists = ShopError(status: 409, message: "order id is taken")
    static let notConfirmed = ShopError(status: 409, message: "this is not the order's confirmation")
    static let databaseAway = ShopError(status: 503, message: "database is away")

    static func invalid(_ what: String) -> ShopError { ShopError(status: 400, message: what) }

    /// The status is one of the planted discrepancies; the text is the same everywhere.
    static func unknownCustomer(_ wording: Discrepancies) -> ShopError {
        ShopError(status: wording.unknownCustomerStatus, message: "unknown customer")
    }

    static func wrongStep(from current: OrderStatus, to wanted: OrderStatus) -> ShopError {
        ShopError(status: 409, message: "order is \(current.rawValue), cannot become \(wanted.rawValue)")
    }
}
