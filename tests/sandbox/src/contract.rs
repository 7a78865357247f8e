//! What the tracker's contract says about a body: the REST form of each event.
//!
//! Written from the published documents alone. Where they are silent a member is an extra, which is
//! accepted and reported; where they show the form of the browser's calls instead, it is refused,
//! since the platform would read such an event without its data.

mod bodies;
mod general;
mod reader;

use serde::Serialize;
use serde_json::Value;

use self::reader::Object;

/// What the judgement depends on besides the body.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    /// Unix milliseconds.
    pub(crate) now: u64,
    pub(crate) check_datetime: bool,
    /// Empty for any well-formed one.
    pub(crate) site_ids: &'a [String],
}

/// Why a request was not taken, in the words of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// For programs.
    pub(crate) code: &'static str,
    /// Where in the body, as `StatusCart.Products[0].price`; null where the whole request is meant.
    pub(crate) field: Option<String>,
    /// For people.
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, field: None, message: message.into() }
    }
}

/// Judges a body, and lists the paths of the members that the contract does not know.
///
/// # Errors
///
/// The first member that breaks the contract.
pub(crate) fn check(body: &Value, rules: &Rules<'_>) -> Result<Vec<String>, Refusal> {
    let mut extras = Vec::new();
    let mut top = Object::top(body)?;
    let event = general::check(&top.required("GeneralInfo")?, rules, &mut extras)?;
    bodies::check(event, &mut top, &mut extras)?;
    top.finish(&mut extras);
    Ok(extras)
}

/// The event's name if the body gives one, known or not.
pub(crate) fn event_name(body: &Value) -> Option<&str> {
    body.get("GeneralInfo")?.get("eventName")?.as_str()
}

/// The visitor's web id if the body gives one.
pub(crate) fn web_id(body: &Value) -> Option<&str> {
    body.get("GeneralInfo")?.get("cookies")?.get("sc")?.as_str()
}

/// The events that the tracker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    PageView,
    MainPage,
    CategoryPage,
    ProductPage,
    ProductImpressions,
    SearchRequest,
    AddToWishlist,
    StatusCart,
    StatusCartPage,
    PurchasedItems,
    CustomerData,
    NotFound,
    ProductUpdate,
}

impl Event {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "PageView" => Self::PageView,
            "MainPage" => Self::MainPage,
            "CategoryPage" => Self::CategoryPage,
            "ProductPage" => Self::ProductPage,
            "ProductImpressions" => Self::ProductImpressions,
            "SearchRequest" => Self::SearchRequest,
            "AddToWishlist" => Self::AddToWishlist,
            "StatusCart" => Self::StatusCart,
            "StatusCartPage" => Self::StatusCartPage,
            "PurchasedItems" => Self::PurchasedItems,
            "CustomerData" => Self::CustomerData,
            "NotFound" => Self::NotFound,
            "ProductUpdate" => Self::ProductUpdate,
            _ => return None,
        })
    }
}
