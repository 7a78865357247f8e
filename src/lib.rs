//! The core of esputnik-kit: first-party web tracking for shops that use eSputnik (Yespo, Reteno).
//!
//! It takes events, time, randomness and answers as arguments and returns requests and deadlines.
//! It performs nothing: no I/O, no clock, no chance. Thin hosts perform: in the page the tracker
//! (feature `browser`) and forms (feature `widgets`), at the edge the Worker (the package in `worker/`).
//!
//! # Goals, in this order
//!
//! 1. Not one accepted event is lost, and none reaches the platform twice.
//! 2. The page does not feel it: bytes and main-thread time are features.
//! 3. What is refused says why, by a stable code, the field and the fix.
//! 4. The platform gets exactly the bodies that its documents ask for.
//!
//! # Map
//!
//! | path | what it knows |
//! |---|---|
//! | [`value`], `json` | one JSON-like value that page and edge both fill |
//! | [`problem`] | what can be wrong or odd, by stable code |
//! | [`event`] | the platform's events: readers of every documented form, one writer |
//! | [`identity`], [`consent`] | who the visitor is, and what they allow |
//! | [`wire`] | records and verdicts, the contract between page and Worker |
//! | [`delivery`] | the page's queue as a state machine |
//! | [`retry`] | which failures may be repeated, and when |
//! | [`form`] | what people type into forms, and a form while they do |
//! | [`visitor`] | the rules that need memory: identity, cart, purchase |
//! | [`outbox`] | the Worker's durable queue as a state machine |
//! | [`ledger`] | what became of each hour's events, for machines and people, and when to call them |
//! | [`api`] | the platform's REST API: every operation as data |
//! | [`bulk`] | single contacts and orders on their way in bulk |
//! | [`language`], [`node`] | languages by their tags; trees of elements, for pages and as HTML |
//! | [`catalogue`] | the shop's product feed: read as it streams, stored, searched |
//! | [`definition`] | forms as the shop describes them, their views and submissions |
//! | [`form_call`] | what is handed in with forms, how much of it is taken, and the answers |
//! | [`block`] | recommendation blocks, drawn |
//! | [`promo`] | promo codes of the platform, one for each contact who subscribes |
//! | [`page_call`] | what pages hand in beside events |
//! | [`caller`] | the visitor's address, as what comes from it is counted |
//! | [`recommendation`] | what is recommended: asks, the platform's answers, filters, and how long they count |
//! | [`governor`] | keeps the calls of all isolates under the platform's limits |
//! | [`config`] | the deployment's settings, typed |
//! | [`shard`] | which object holds a visitor's events |
//! | [`detour`] | the way of events that their object did not take |
//! | [`tracker`] | what the page's tracker decides, message by message |
//! | `browser` | the tracker's face; not in the default build |
//! | `widgets` | the face of forms on the page; not in the default build |
//!
//! Arrows go one way: nothing here names a host, and the tracker never links what belongs to the
//! edge, as everything that knows the REST API or the settings does. A test holds the table of who may import whom, and lists what is
//! the edge's.
//!
//! # Out of scope
//!
//! Transport, storage and the DOM are the hosts'. So are secrets: no type here can hold a key.

pub mod api;
pub mod block;
pub mod bulk;
pub mod caller;
pub mod catalogue;
pub mod config;
pub mod consent;
pub mod definition;
pub mod delivery;
pub mod detour;
pub mod event;
pub mod form;
pub mod form_call;
pub mod governor;
pub mod identity;
pub mod json;
pub mod language;
pub mod ledger;
pub mod node;
pub mod outbox;
pub mod page_call;
pub mod problem;
pub mod promo;
pub mod recommendation;
pub mod retry;
pub mod shard;
pub mod tracker;
pub mod value;
pub mod visitor;
pub mod wire;

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "widgets")]
pub mod widgets;

/// Whether this build carries a browser face.
///
/// Its exports would become methods that anybody may call on a Worker, so the Worker refuses to
/// compile with it.
#[doc(hidden)]
pub const HAS_BROWSER_FACE: bool = cfg!(any(feature = "browser", feature = "widgets"));
