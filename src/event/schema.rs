//! The fields of each event, as tables.

use super::Kind;

/// What a field may hold, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Text that names something. A number is taken and written as text.
    Text,
    /// A price: a number, or text with at least one digit, which may carry a currency.
    Price,
    /// A whole number, 0 or more.
    Whole,
    /// 0 or 1.
    Flag,
    /// A list of text.
    Texts,
    /// Text or a list of text, kept as it came.
    TextOrTexts,
}

/// One field of an event.
#[derive(Debug)]
pub(super) struct Field {
    /// The name that is written, then other names in the vendor's documents and plug-ins for the
    /// same thing.
    pub(super) names: &'static [&'static str],
    pub(super) rule: Rule,
    pub(super) required: bool,
}

impl Field {
    /// The name that is written.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

const fn required(names: &'static [&'static str], rule: Rule) -> Field {
    Field { names, rule, required: true }
}

const fn optional(names: &'static [&'static str], rule: Rule) -> Field {
    Field { names, rule, required: false }
}

/// How the data of a kind is nested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// No data.
    Nothing,
    /// Only who the visitor is.
    Identity,
    /// Fields of one thing; the tags form puts them under the name given here.
    One(Option<&'static str>, &'static [Field]),
    /// A list of products; the tags form puts it under `Products`.
    Products(&'static [Field]),
    /// A list of products directly under the key, in every form.
    Update(&'static [Field]),
}

impl Kind {
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::PageView | Self::MainPage | Self::StatusCartPage | Self::NotFound => {
                Shape::Nothing
            }
            Self::CustomerData => Shape::Identity,
            Self::CategoryPage => Shape::One(Some("Category"), CATEGORY),
            Self::ProductPage | Self::AddToWishlist => Shape::One(Some("Product"), PRODUCT),
            Self::SearchRequest => Shape::One(None, SEARCH),
            Self::StatusCart => Shape::Products(CART_ITEM),
            Self::PurchasedItems => Shape::Products(PURCHASED_ITEM),
            Self::ProductImpression => Shape::Products(IMPRESSION),
            Self::ProductUpdate => Shape::Update(UPDATE_ITEM),
        }
    }

    /// Whether the event carries the GUID of a cart's state.
    pub(super) fn has_guid(self) -> bool {
        matches!(self, Self::StatusCart | Self::PurchasedItems)
    }
}

/// The names of one product. The documents say `productKey` where a product is looked at or put
/// into the cart, and `product_id` where it was bought, seen or updated; shops mix them.
const KEY: Field = required(&["productKey", "product_id", "productId"], Rule::Text);
const ID: Field = required(&["product_id", "productKey", "productId"], Rule::Text);

/// The JavaScript page's table spells it `isinStock`.
const STOCK_NAMES: &[&str] = &["isInStock", "isinStock", "is_in_stock"];

const PRODUCT: &[Field] = &[
    KEY,
    // The wishlist's table capitalises it.
    optional(&["price", "Price", "unit_price"], Rule::Price),
    optional(STOCK_NAMES, Rule::Flag),
];

const CATEGORY: &[Field] = &[required(&["categoryKey", "category_key"], Rule::Text)];

const SEARCH: &[Field] =
    &[required(&["search"], Rule::Text), optional(&["isFound", "is_found"], Rule::Flag)];

const CURRENCY: Field = optional(&["price_currency_code", "currency"], Rule::Text);

const CART_ITEM: &[Field] = &[
    KEY,
    required(&["price", "Price", "unit_price"], Rule::Price),
    optional(&["discount"], Rule::Price),
    required(&["quantity"], Rule::Whole),
    CURRENCY,
];

const PURCHASED_ITEM: &[Field] = &[
    ID,
    required(&["unit_price", "price", "Price"], Rule::Price),
    required(&["quantity"], Rule::Whole),
    CURRENCY,
];

const IMPRESSION: &[Field] =
    &[ID, required(&["container_type", "containerType", "recomVariantId"], Rule::Text)];

const UPDATE_ITEM: &[Field] = &[
    ID,
    required(STOCK_NAMES, Rule::Flag),
    optional(&["unit_price", "price"], Rule::Price),
    optional(&["name"], Rule::Text),
    optional(&["description"], Rule::Text),
    optional(&["imgurl"], Rule::Text),
    optional(&["url"], Rule::Text),
    optional(&["brand"], Rule::Text),
    CURRENCY,
    optional(&["category"], Rule::TextOrTexts),
    optional(&["category_id"], Rule::Texts),
];

/// The members of GeneralInfo and CustomerData that say who the visitor is, in documented order.
///
/// CustomerData's table says `user_client_id` and its example `user_card_id`; the table wins.
/// City and gender stand in that example only.
///
/// The name that is written comes first, then the others for the same thing.
pub(super) const IDENTITY: &[&[&str]] = &[
    &["externalCustomerId", "extid"],
    &["user_phone", "phone"],
    &["user_email", "email"],
    &["user_name"],
    &["user_es_contact_id", "contactId"],
    &["user_client_id", "user_card_id"],
    &["user_city"],
    &["user_tags_gender"],
];

/// The identity members that each name a person by themselves.
pub(super) const IDENTIFIERS: [&str; 4] =
    ["externalCustomerId", "user_phone", "user_email", "user_es_contact_id"];

/// Longest identifier, in characters; the limit of the platform's event operation.
pub(super) const MAX_IDENTIFIER: usize = 300;

/// Longest GUID, in characters: room for every shape seen (32 digits with hyphens and braces,
/// hashes of 32, 40 or 64 digits, thirteen digits of a time stamp).
pub(super) const MAX_GUID: usize = 72;
