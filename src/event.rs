//! The platform's web events: what they are, and the one model that every reader fills.
//!
//! Field names, types and nestings come from the vendor's pages on JavaScript tracking (Y-JS) and
//! on REST tracking (Y-REST). Where those pages disagree with themselves, the readers take every
//! variant and the writer emits one: the form of the REST page's tables.

mod read;
mod schema;
mod write;

pub use read::Reading;
pub use write::Envelope;

use crate::value::{Members, Value};

/// Longest text of one member, in bytes.
///
/// The platform documents no limit for web events; its neighbouring event operation takes 20 KB
/// for a whole body, so no honest member comes near this.
pub const MAX_TEXT: usize = 8 * 1024;

/// Longest name of a member or tag, in characters; the limit of the platform's event operation.
pub const MAX_NAME: usize = 100;

/// Deepest nesting of lists and objects in one call. Official payloads reach five.
pub const MAX_DEPTH: usize = 16;

/// Longest record, in bytes of its JSON text.
pub const MAX_RECORD: usize = 32 * 1024;

/// What a visitor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A page was shown.
    PageView,
    /// The main page was shown.
    MainPage,
    /// A category was shown.
    CategoryPage,
    /// A product was shown.
    ProductPage,
    /// Recommended products were really seen.
    ProductImpression,
    /// The shop's search was used.
    SearchRequest,
    /// A product was put on the wishlist.
    AddToWishlist,
    /// The cart changed; carries its whole state.
    StatusCart,
    /// The cart was shown without a change.
    StatusCartPage,
    /// An order was placed.
    PurchasedItems,
    /// The visitor told who they are.
    CustomerData,
    /// The shop's page for unknown addresses was shown.
    NotFound,
    /// Product data changed; from the shop's server only.
    ProductUpdate,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 13] = [
        Self::PageView,
        Self::MainPage,
        Self::CategoryPage,
        Self::ProductPage,
        Self::ProductImpression,
        Self::SearchRequest,
        Self::AddToWishlist,
        Self::StatusCart,
        Self::StatusCartPage,
        Self::PurchasedItems,
        Self::CustomerData,
        Self::NotFound,
        Self::ProductUpdate,
    ];

    /// The key that holds the event's own data.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::PageView => "PageView",
            Self::MainPage => "MainPage",
            Self::CategoryPage => "CategoryPage",
            Self::ProductPage => "ProductPage",
            Self::ProductImpression => "ProductImpression",
            Self::SearchRequest => "SearchRequest",
            Self::AddToWishlist => "AddToWishlist",
            Self::StatusCart => "StatusCart",
            Self::StatusCartPage => "StatusCartPage",
            Self::PurchasedItems => "PurchasedItems",
            Self::CustomerData => "CustomerData",
            Self::NotFound => "NotFound",
            Self::ProductUpdate => "ProductUpdate",
        }
    }

    /// The name of the event as the tracker takes it.
    ///
    /// Only the impressions differ from their key: the REST page names the event in the plural and
    /// its key in the singular.
    #[must_use]
    pub fn event_name(self) -> &'static str {
        match self {
            Self::ProductImpression => "ProductImpressions",
            _ => self.key(),
        }
    }

    /// The kind of an event name or key.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == name || kind.event_name() == name)
    }
}

/// Who the visitor is, as far as an event says: the members of GeneralInfo, in documented order.
///
/// All values are text; an empty value is never kept.
pub type Identity = Vec<(String, String)>;

/// An event as every reader leaves it: checked, with the types and names that the platform takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Who the event says the visitor is.
    pub identity: Identity,
    /// Where "Buy" was pressed inside a recommendation block: `s_location`. Never sticky.
    pub location: Option<String>,
    /// Members of GeneralInfo that the documents do not know; they go along.
    pub general_extra: Members,
    /// The web id, site id and time that a REST body carries itself.
    pub origin: Origin,
    /// The GUID of the cart's state.
    pub guid: Option<String>,
    /// The order's number.
    pub order_number: Option<String>,
    /// The fields of the one product, category or search.
    pub fields: Members,
    /// The products of a cart, purchase, impression or update. `None`: the event names no list.
    pub products: Option<Vec<Members>>,
    /// The event's own tags, each a list of text.
    pub tags: Vec<(String, Vec<String>)>,
    /// Members inside the event's key that the documents do not know; they go along.
    pub inside: Members,
    /// Members beside the event's key that the documents do not know; they go along.
    pub beside: Members,
}

/// What a REST body says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// `GeneralInfo.siteId`
    pub site_id: Option<String>,
    /// `GeneralInfo.cookies.sc`
    pub web_id: Option<String>,
    /// `GeneralInfo.datetime`, Unix time in milliseconds.
    pub datetime: Option<u64>,
}

impl Event {
    /// An event of `kind` with nothing in it yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            identity: Identity::new(),
            location: None,
            general_extra: Members::new(),
            origin: Origin::default(),
            guid: None,
            order_number: None,
            fields: Members::new(),
            products: None,
            tags: Vec::new(),
            inside: Members::new(),
            beside: Members::new(),
        }
    }

    /// The tag `name`, if the event has it.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&[String]> {
        self.tags.iter().find(|(key, _)| key == name).map(|(_, values)| values.as_slice())
    }

    /// What the cart holds, as text that is equal exactly when the content is.
    ///
    /// The GUID is not part of it, and neither is GeneralInfo: neither changes what is in the
    /// cart.
    #[must_use]
    pub fn cart_content(&self) -> String {
        let products = self.products.iter().flatten().cloned().map(Value::Object).collect();
        Value::List(vec![Value::List(products), write::tags_value(&self.tags)]).to_json()
    }
}
