/// The two schemas. Both hold orders alike; what surrounds the orders is the point: foreign keys in the monolith,
/// plain ids and copied reference data in the service.
enum ShopSchema {
    /// One schema, every domain, integrity kept by the database.
    static let monolith = """
        CREATE TABLE IF NOT EXISTS users (
            id          varchar(50)  PRIMARY KEY,
            email       varchar(100) NOT NULL UNIQUE,
            created_at  timestamptz  NOT NULL DEFAULT now()
        );
        CREATE TABLE IF NOT EXISTS products (
            id          varchar(50)   PRIMARY KEY,
            name        varchar(100)  NOT NULL,
            unit_price  numeric(12,3) NOT NULL CHECK (unit_price >= 0)
        );
        CREATE TABLE IF NOT EXISTS orders (
            id              varchar(50)   PRIMARY KEY,
            user_id         varchar(50)   NOT NULL REFERENCES users (id),
            total_amount    numeric(12,2) NOT NULL,
            status          varchar(20)   NOT NULL DEFAULT 'CREATED',
            payment_method  varchar(50)   NOT NULL,
            created_at      timestamptz   NOT NULL DEFAULT now(),
            confirmation    varchar(20)   NOT NULL
        );
        CREATE INDEX IF NOT EXISTS orders_of_user ON orders (user_id, created_at DESC);
        CREATE TABLE IF NOT EXISTS order_items (
            order_id    varchar(50)   NOT NULL REFERENCES orders (id),
            line        integer       NOT NULL,
            product_id  varchar(50)   NOT NULL REFERENCES products (id),
            quantity    integer       NOT NULL CHECK (quantity > 0),
            unit_price  numeric(12,3) NOT NULL,
            PRIMARY KEY (order_id, line)
        );
        CREATE TABLE IF NOT EXISTS payments (
            id          varchar(50)   PRIMARY KEY,
            order_id    varchar(50)   NOT NULL REFERENCES orders (id),
            amount      numeric(12,2) NOT NULL,
            status      varchar(20)   NOT NULL,
            created_at  timestamptz   NOT NULL DEFAULT now()
        );
        \(idempotency)
        """

    /// Orders alone. `known_customers` and `known_products` are copies that the owners' events would keep fresh; no
    /// constraint ties an order to them.
    static let orders = """
        CREATE TABLE IF NOT EXISTS known_customers (
            id          varchar(50) PRIMARY KEY
        );
        CREATE TABLE IF NOT EXISTS known_products (
            id          varchar(50)   PRIMARY KEY,
            unit_price  numeric(12,3) NOT NULL
        );
        CREATE TABLE IF NOT EXISTS orders (
            id              varchar(50)   PRIMARY KEY,
            user_id         varchar(50)   NOT NULL,
            total_amount    numeric(12,2) NOT NULL,
            status          varchar(20)   NOT NULL,
            payment_method  varchar(50)   NOT NULL,
            created_at      timestamptz   NOT NULL DEFAULT now(),
            confirmation    varchar(20)   NOT NULL
        );
        CREATE INDEX IF NOT EXISTS orders_of_user ON orders (user_id, created_at DESC);
        CREATE TABLE IF NOT EXISTS order_items (
            order_id    varchar(50)   NOT NULL REFERENCES orders (id),
            line        integer       NOT NULL,
            product_id  varchar(50)   NOT NULL,
            quantity    integer       NOT NULL CHECK (quantity > 0),
            unit_price  numeric(12,3) NOT NULL,
            PRIMARY KEY (order_id, line)
        );
        \(idempotency)
        """

    /// Which order a write with this `Idempotency-Key` was about.
    private static let idempotency = """
        CREATE TABLE IF NOT EXISTS idempotency_keys (
            key         varchar(255) PRIMARY KEY,
            order_id    varchar(50)  NOT NULL,
            created_at  timestamptz  NOT NULL DEFAULT now()
        );
        CREATE INDEX IF NOT EXISTS keys_of_order ON idempotency_keys (order_id);
        """
}
