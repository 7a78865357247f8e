//! The rules that need memory: identity, links, cart, purchases.
//!
//! They run once, in the Worker's outbox object, from the state kept per web id; so a record gives
//! the same body whether the loader or the tracker brought it, and however often it was sent.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    event::{Envelope, Event, Identity, Kind, Reading},
    identity::{Landing, merge},
    problem::{Code, Problem},
    value::Value,
    wire::{Record, Verdict},
};

/// How far back an event's time may lie, in milliseconds: as long as records wait on a page.
pub const MAX_AGE: u64 = crate::wire::TIME_TO_LIVE;

/// Changes of identity that are kept, so that events which arrive late get that of their moment.
const MAX_MOMENTS: usize = 8;

/// Recommendation blocks whose links were followed since the last purchase.
const MAX_BLOCKS: usize = 10;

/// Order numbers that are remembered. Somebody who orders more often than this before a thank-you
/// page is shown again is not a person.
const MAX_ORDERS: usize = 50;

/// Times that are remembered: those of a full batch, and of one before it.
const MAX_TIMES: usize = 200;

/// GUIDs that are remembered with their content.
const MAX_GUIDS: usize = 20;

/// What is known of one browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Visitor {
    /// Who the visitor was from which moment on, oldest first.
    moments: Vec<Moment>,
    /// The contact that a message's link named, and when.
    hint: Option<Stamped>,
    /// Blocks whose links were followed.
    blocks: Vec<Stamped>,
    cart: Option<Cart>,
    /// The GUID of the cart as it was when the order was submitted.
    submitted: Option<Stamped>,
    orders: Vec<Stamped>,
    /// GUIDs with the content they stood for.
    guids: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Moment {
    at: u64,
    identity: Identity,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stamped {
    at: u64,
    text: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cart {
    at: u64,
    guid: String,
    content: String,
    /// The GUID of the last state with something in it.
    filled: Option<String>,
}

/// What the rules need to know of the site and of the request.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who fills it")]
pub struct Context<'a> {
    /// The site's id at the platform.
    pub site_id: &'a str,
    /// Whether the site's links carry the contact in `etm_term`.
    pub etm_term: bool,
    /// When the request was received, Unix time in milliseconds.
    pub received: u64,
    /// When the page sent the request, by the page's clock.
    pub sent_at: u64,
}

/// Times that a visitor's latest events were given.
///
/// The platform takes bodies that are alike to the last byte for one, and two page views differ in
/// nothing but their time. That is reckoned from when each batch came, so two may fall together.
/// Only events on their way at the same moment can, so memory is enough to keep this in.
#[derive(Clone, Debug, Default)]
pub struct Times(VecDeque<u64>);

impl Times {
    /// The latest time up to `at` that no event has been given.
    fn take(&mut self, mut at: u64) -> u64 {
        while at > 0 && self.0.contains(&at) {
            at -= 1;
        }
        if self.0.len() >= MAX_TIMES {
            self.0.pop_front();
        }
        self.0.push_back(at);
        at
    }
}

/// What became of a record, and what goes to the platform because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Taken, known or refused.
    pub verdict: Verdict,
    /// Why it was refused or is a duplicate.
    pub reason: Option<Problem>,
    /// What was odd about it.
    pub warnings: Vec<Problem>,
    /// The body for the tracker.
    pub body: Option<Value>,
}

impl Outcome {
    fn accepted(warnings: Vec<Problem>, body: Option<Value>) -> Self {
        Self { verdict: Verdict::Accepted, reason: None, warnings, body }
    }

    fn duplicate(reason: Problem, warnings: Vec<Problem>) -> Self {
        Self { verdict: Verdict::Duplicate, reason: Some(reason), warnings, body: None }
    }

    /// What is taken, and of which nothing is left to send.
    #[must_use]
    pub fn without_body() -> Self {
        Self::accepted(Vec::new(), None)
    }

    /// A refusal for `reason`.
    #[must_use]
    pub fn refused(reason: Problem, warnings: Vec<Problem>) -> Self {
        Self { verdict: Verdict::Refused, reason: Some(reason), warnings, body: None }
    }

    /// A record whose message id is stored already.
    #[must_use]
    pub fn known_message(id: &str) -> Self {
        let fix = "this message id was accepted before; nothing more is sent";
        Self::duplicate(Problem::new(Code::KnownMessage, id, fix), Vec::new())
    }
}

impl Visitor {
    /// Applies a page's record and says what goes to the platform.
    #[must_use]
    pub fn apply(&mut self, record: &Record, context: &Context<'_>, times: &mut Times) -> Outcome {
        if !record.consent.tracking {
            let fix = "the visitor has not allowed tracking; call eS('consent', 'grant') when \
                       they have";
            return Outcome::refused(Problem::new(Code::ConsentMissing, "consent", fix), vec![]);
        }
        let time = context.received.saturating_add(record.at).saturating_sub(context.sent_at);
        let (at, clamped) = clamp(time, context.received);
        let mut warnings = Vec::from_iter(clamped);
        self.land(&record.address, at, context.etm_term);
        match record.command.as_str() {
            "reset" => {
                self.reset(at);
                return Outcome::accepted(warnings, None);
            }
            "orderSubmitted" => {
                self.submit_order(at);
                return Outcome::accepted(warnings, None);
            }
            _ => {}
        }
        match Event::from_call(&record.command, &record.arguments) {
            Ok(reading) => {
                warnings.extend(reading.warnings);
                let web_id = record.web_id.as_str();
                let datetime = times.take(at);
                let site_id = context.site_id;
                let meta = Meta { id: &record.id, at, datetime, site_id, web_id };
                self.event(reading.event, &meta, warnings)
            }
            Err(errors) => refuse(errors, warnings),
        }
    }

    /// Applies an event that the shop's server sent as a REST body.
    #[must_use]
    pub fn apply_rest(&mut self, reading: Reading, id: &str, context: &Context<'_>) -> Outcome {
        let Reading { event, mut warnings, .. } = reading;
        let origin = event.origin.clone();
        if event.kind == Kind::ProductUpdate {
            let identity = event.identity.clone();
            let envelope = Envelope {
                site_id: context.site_id,
                web_id: None,
                datetime: None,
                identity: &identity,
            };
            return Outcome::accepted(warnings, Some(event.encode(&envelope)));
        }
        let (at, clamped) = clamp(origin.datetime.unwrap_or(context.received), context.received);
        warnings.extend(clamped);
        let web_id = origin.web_id.as_deref().unwrap_or_default();
        self.event(
            event,
            &Meta { id, at, datetime: at, site_id: context.site_id, web_id },
            warnings,
        )
    }

    /// What the contact keys of this visitor are, for the index by which they are erased.
    pub fn contact_keys(&self) -> impl Iterator<Item = &str> {
        self.moments
            .iter()
            .flat_map(|moment| &moment.identity)
            .filter(|(name, _)| !matches!(&**name, "user_name" | "user_city" | "user_tags_gender"))
            .map(|(_, text)| text.as_str())
    }

    fn event(&mut self, mut event: Event, meta: &Meta<'_>, mut warnings: Vec<Problem>) -> Outcome {
        let known = match event.kind {
            Kind::StatusCart => self.cart(&mut event, meta, &mut warnings),
            Kind::PurchasedItems => self.purchase(&mut event, meta),
            _ => None,
        };
        // A repeated cart or purchase may still say who the visitor is.
        let identity = self.identify(&event.identity, meta.at);
        if let Some(reason) = known {
            return Outcome::duplicate(reason, warnings);
        }
        let envelope = Envelope {
            site_id: meta.site_id,
            web_id: Some(meta.web_id),
            datetime: Some(meta.datetime),
            identity: &identity,
        };
        Outcome::accepted(warnings, Some(event.encode(&envelope)))
    }

    /// Gives the cart its GUID; says so if the platform has this state already.
    fn cart(
        &mut self,
        event: &mut Event,
        meta: &Meta<'_>,
        warnings: &mut Vec<Problem>,
    ) -> Option<Problem> {
        let content = fingerprint(&event.cart_content());
        let path = "StatusCart.GUID";
        if let Some(cart) = &self.cart
            && cart.content == content
            && event.guid.as_ref().is_none_or(|guid| *guid == cart.guid)
        {
            let fix = "the cart has not changed since it was last sent; nothing more is sent";
            return Some(Problem::new(Code::CartUnchanged, path, fix));
        }
        let guid = event.guid.clone().unwrap_or_else(|| {
            let fix = "give a new GUID for each state of the cart; one was made";
            warnings.push(Problem::new(Code::GuidMade, path, fix));
            guid_of(meta.id)
        });
        match self.guids.iter().find(|(known, _)| *known == guid) {
            Some((_, known)) if *known != content => {
                let fix = "this GUID stood for another content; give a new one for each state";
                warnings.push(Problem::new(Code::GuidReused, path, fix));
            }
            Some(_) => {}
            None => {
                self.guids.push((guid.clone(), content.clone()));
                keep_newest(&mut self.guids, MAX_GUIDS);
            }
        }
        event.guid = Some(guid.clone());
        // A state that arrives late is sent with its time, but is not the cart's present state.
        if self.cart.as_ref().is_none_or(|cart| cart.at <= meta.at) {
            let empty = event.products.as_ref().is_none_or(Vec::is_empty);
            let before = self.cart.take().and_then(|cart| cart.filled);
            let filled = if empty { before } else { Some(guid.clone()) };
            self.cart = Some(Cart { at: meta.at, guid, content, filled });
        }
        None
    }

    /// Gives the purchase the GUID of the cart that was ordered, and the blocks that led to it.
    fn purchase(&mut self, event: &mut Event, meta: &Meta<'_>) -> Option<Problem> {
        let number = event.order_number.clone().unwrap_or_default();
        if self.orders.iter().any(|order| order.text == number) {
            let fix = "this order was sent before; nothing more is sent";
            return Some(Problem::new(Code::OrderKnown, "OrderNumber", fix));
        }
        self.orders.push(Stamped { at: meta.at, text: number });
        keep_newest(&mut self.orders, MAX_ORDERS);
        // The snapshot first: what was put into the cart, or out of it, after the order was
        // submitted does not belong to the order.
        let submitted = self.submitted.take().map(|submitted| submitted.text);
        let filled = self.cart.as_mut().and_then(|cart| cart.filled.take());
        if event.guid.is_none() {
            event.guid = submitted.or(filled);
        }
        let blocks: Vec<String> = self.blocks.drain(..).map(|block| block.text).collect();
        if event.tag("block_id").is_none() && !blocks.is_empty() {
            event.tags.push(("block_id".into(), blocks));
        }
        None
    }

    /// Who the visitor is at `at`, with what an event of that moment says.
    fn identify(&mut self, said: &Identity, at: u64) -> Identity {
        let moment = self.moments.iter().rfind(|moment| moment.at <= at);
        let mut identity = moment.map(|moment| moment.identity.clone()).unwrap_or_default();
        let before = identity.clone();
        merge(&mut identity, said);
        if identity != before {
            self.set_identity(at, identity.clone());
        }
        // What the shop says beats what a link says, and the two are never mixed: the link may
        // have been forwarded.
        if identity.is_empty()
            && let Some(hint) = self.hint.as_ref().filter(|hint| hint.at <= at)
        {
            identity.push(("user_es_contact_id".into(), hint.text.clone()));
        }
        identity
    }

    fn land(&mut self, address: &str, at: u64, etm_term: bool) {
        let landing = Landing::from_address(address, etm_term);
        if let Some(text) = landing.contact_id
            && self.hint.as_ref().is_none_or(|hint| hint.at <= at)
        {
            self.hint = Some(Stamped { at, text });
        }
        if let Some(text) = landing.block
            && !self.blocks.iter().any(|block| block.text == text)
        {
            self.blocks.push(Stamped { at, text });
            keep_newest(&mut self.blocks, MAX_BLOCKS);
        }
    }

    fn reset(&mut self, at: u64) {
        self.set_identity(at, Identity::new());
        self.hint = None;
        self.blocks.clear();
        self.cart = Some(Cart { at, ..Cart::default() });
        self.submitted = None;
    }

    fn submit_order(&mut self, at: u64) {
        if let Some(guid) = self.cart.as_ref().and_then(|cart| cart.filled.clone()) {
            self.submitted = Some(Stamped { at, text: guid });
        }
    }

    fn set_identity(&mut self, at: u64, identity: Identity) {
        let place = self.moments.iter().rposition(|m| m.at <= at).map_or(0, |index| index + 1);
        self.moments.insert(place, Moment { at, identity });
        keep_newest(&mut self.moments, MAX_MOMENTS);
    }
}

/// What is settled about an event before its own rules run.
struct Meta<'a> {
    id: &'a str,
    at: u64,
    /// The time that the platform is told, which differs where two events would have the same.
    datetime: u64,
    site_id: &'a str,
    web_id: &'a str,
}

/// A short text that is equal for equal content: 128-bit FNV-1a in hexadecimal.
///
/// It only tells states of one visitor's cart apart, so it need not resist anybody.
fn fingerprint(content: &str) -> String {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let hash =
        content.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

/// A version 4 GUID for the cart state that the call `id` reports.
///
/// Made from the message id, not from chance: a record that is read again gives the same body.
fn guid_of(id: &str) -> String {
    let digits = fingerprint(id);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), "-", part(8, 12), "-4", part(13, 16), "-a", part(17, 20), "-", part(20, 32)]
        .concat()
}

fn keep_newest<T>(list: &mut Vec<T>, most: usize) {
    let excess = list.len().saturating_sub(most);
    list.drain(..excess);
}

fn refuse(mut errors: Vec<Problem>, warnings: Vec<Problem>) -> Outcome {
    let reason = errors.remove(0);
    Outcome::refused(reason, warnings)
}

/// An event's time within the last seven days and now, with a warning where it was not.
fn clamp(time: u64, received: u64) -> (u64, Option<Problem>) {
    let clamped = time.clamp(received.saturating_sub(MAX_AGE), received);
    let fix = "set the clock; the event was given the nearest time within the last seven days";
    let warning = (clamped != time).then(|| Problem::new(Code::TimeClamped, "datetime", fix));
    (clamped, warning)
}
