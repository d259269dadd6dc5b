//! The shop itself: fifteen services in three namespaces, their stores, two partners, and what visitors do.

use super::script::Entry::{Grpc, Http, Topic};
use super::script::{Operation, Partner, Step, Store};
use super::service::Language::{Cpp, Dotnet, Go, Java, NodeJs, Python, Rust};
use super::service::{Language, Service};

/// Every service.
pub(super) const SERVICES: [&Service; 15] = [
    &GATEWAY,
    &ACCOUNTS,
    &STOREFRONT,
    &CATALOG,
    &SEARCH,
    &RECOMMENDATIONS,
    &CART,
    &CHECKOUT,
    &INVENTORY,
    &SHIPPING,
    &ORDERS,
    &NOTIFICATIONS,
    &PAYMENTS,
    &FRAUD,
    &LEDGER,
];

/// What visitors do, and how many of a hundred do it.
pub(super) const VISITS: [(u8, &Operation); 5] = [
    (34, &SEE_HOME),
    (26, &SEE_PRODUCT),
    (14, &FIND),
    (12, &FILL_CART),
    (14, &BUY),
];

const fn service(
    namespace: &'static str,
    name: &'static str,
    language: Language,
    versions: &'static [&'static str],
    instances: u8,
) -> Service {
    Service {
        namespace,
        name,
        language,
        versions,
        instances,
    }
}

static GATEWAY: Service = service("platform", "gateway", Cpp, &["1.35.2"], 2);
static ACCOUNTS: Service = service("platform", "accounts", Go, &["3.1.0"], 2);

static STOREFRONT: Service = service("shop", "storefront", NodeJs, &["24.11.2"], 3);
static CATALOG: Service = service("shop", "catalog", Go, &["5.0.1"], 2);
static SEARCH: Service = service("shop", "search", Java, &["2.7.0"], 2);
static RECOMMENDATIONS: Service = service("shop", "recommendations", Python, &["1.2.0"], 2);
static CART: Service = service("shop", "cart", Dotnet, &["4.4.0"], 2);
static CHECKOUT: Service = service("shop", "checkout", Go, &["1.8.2", "1.8.2", "1.9.0"], 3);
static INVENTORY: Service = service("shop", "inventory", Python, &["2.0.3"], 1);
static SHIPPING: Service = service("shop", "shipping", Rust, &["0.7.1"], 1);
static ORDERS: Service = service("shop", "orders", Java, &["6.3.1"], 2);
static NOTIFICATIONS: Service = service("shop", "notifications", Python, &["0.9.4"], 1);

static PAYMENTS: Service = service("payments", "payments", Java, &["11.0.4"], 2);
static FRAUD: Service = service("payments", "fraud", Python, &["0.41.0"], 1);
static LEDGER: Service = service("payments", "ledger", Dotnet, &["2.2.0"], 1);

static SHOP_DB: Store = Store {
    system: "postgresql",
    host: "shop-db",
    port: 5432,
    database: "shop",
};

static SESSION_CACHE: Store = Store {
    system: "redis",
    host: "session-cache",
    port: 6379,
    database: "0",
};

/// Breaks down for ten seconds of every minute; see `weather`.
static CARD_PROCESSOR: Partner =
    Partner::new("api.cardpay.example", "/v1/charges", 90, [1.0, 88.0], 3);
static MAIL: Partner = Partner::new("api.mail.example", "/v3/send", 45, [0.0, 0.0], 1);

/// The topic of orders, and one whose consumer reports nothing.
const ORDERS_TOPIC: &str = "orders";
const CLICKS_TOPIC: &str = "clicks";

// What visitors ask the gateway for.

static SEE_HOME: Operation = Operation::new(
    &GATEWAY,
    Http("GET", "/"),
    1,
    &[Step::maybe(50, &KNOW_CUSTOMER), Step::call(&HOME_PAGE)],
);
static SEE_PRODUCT: Operation = Operation::new(
    &GATEWAY,
    Http("GET", "/products/{id}"),
    1,
    &[Step::call(&PRODUCT_PAGE)],
);
static FIND: Operation = Operation::new(
    &GATEWAY,
    Http("GET", "/search"),
    1,
    &[Step::call(&SEARCH_PRODUCTS)],
);
static FILL_CART: Operation = Operation::new(
    &GATEWAY,
    Http("POST", "/cart"),
    1,
    &[Step::call(&KNOW_CUSTOMER), Step::call(&ADD_TO_CART)],
);
static BUY: Operation = Operation::new(
    &GATEWAY,
    Http("POST", "/checkout"),
    1,
    &[Step::call(&KNOW_CUSTOMER), Step::call(&CHECK_OUT)],
);

// What it takes.

static KNOW_CUSTOMER: Operation = Operation::new(
    &ACCOUNTS,
    Grpc("platform.accounts.v1.Accounts", "GetSession"),
    1,
    &[Step::ask(&SESSION_CACHE, 100, "GET", "", 1)],
);
static HOME_PAGE: Operation = Operation::new(
    &STOREFRONT,
    Http("GET", "/"),
    9,
    &[
        Step::Together(&[Step::call(&LIST_PRODUCTS), Step::nice(&RECOMMEND, 1_150)]),
        Step::inside("render home", 12),
    ],
);
static PRODUCT_PAGE: Operation = Operation::new(
    &STOREFRONT,
    Http("GET", "/products/:id"),
    7,
    &[
        Step::call(&LIST_PRODUCTS),
        Step::Publish(CLICKS_TOPIC, &[]),
        Step::inside("render product", 9),
    ],
);
static LIST_PRODUCTS: Operation = Operation::new(
    &CATALOG,
    Grpc("shop.catalog.v1.Catalog", "ListProducts"),
    2,
    &[Step::ask(&SHOP_DB, 80, "SELECT", "products", 6)],
);
static RECOMMEND: Operation = Operation::new(
    &RECOMMENDATIONS,
    Http("GET", "/recommendations"),
    420,
    &[Step::inside("rank candidates", 90)],
);
static SEARCH_PRODUCTS: Operation = Operation::new(
    &SEARCH,
    Http("GET", "/search"),
    28,
    &[Step::call(&LIST_PRODUCTS)],
);
static ADD_TO_CART: Operation = Operation::new(
    &CART,
    Http("POST", "/cart/items"),
    3,
    &[
        Step::inside("price", 2),
        Step::ask(&SESSION_CACHE, 100, "HSET", "", 1),
    ],
);
static GET_CART: Operation = Operation::new(
    &CART,
    Http("GET", "/cart"),
    2,
    &[Step::ask(&SESSION_CACHE, 100, "HGETALL", "", 1)],
);
static CHECK_OUT: Operation = Operation::new(
    &CHECKOUT,
    Http("POST", "/checkout"),
    5,
    &[
        Step::call(&GET_CART),
        Step::Together(&[Step::call(&RESERVE), Step::call(&QUOTE)]),
        Step::call(&SCORE),
        Step::call(&CHARGE),
        Step::call(&PLACE_ORDER),
    ],
);
static RESERVE: Operation = Operation::new(
    &INVENTORY,
    Grpc("shop.inventory.v1.Inventory", "Reserve"),
    2,
    &[Step::ask(&SHOP_DB, 100, "UPDATE", "stock", 7)],
);
static QUOTE: Operation = Operation::new(
    &SHIPPING,
    Http("POST", "/quotes"),
    24,
    &[Step::inside("compare carriers", 8)],
);
static CHARGE: Operation = Operation::new(
    &PAYMENTS,
    Grpc("payments.v1.Payments", "Charge"),
    4,
    &[Step::External(&CARD_PROCESSOR)],
);
static SCORE: Operation = Operation::new(
    &FRAUD,
    Grpc("payments.v1.Fraud", "Score"),
    31,
    &[Step::inside("score", 18)],
);
static PLACE_ORDER: Operation = Operation::new(
    &ORDERS,
    Grpc("shop.orders.v1.Orders", "Place"),
    5,
    &[
        Step::ask(&SHOP_DB, 100, "INSERT", "orders", 8),
        Step::Publish(ORDERS_TOPIC, &[&BOOK_ORDER, &TELL_CUSTOMER]),
    ],
);

// What happens to an order later.

static BOOK_ORDER: Operation =
    Operation::new(&LEDGER, Topic(ORDERS_TOPIC), 6, &[Step::inside("book", 5)]);
static TELL_CUSTOMER: Operation = Operation::new(
    &NOTIFICATIONS,
    Topic(ORDERS_TOPIC),
    11,
    &[Step::External(&MAIL)],
);
