//! Single contacts and orders on their way to the platform in bulk; and what it takes one by one, but is
//! stored and followed in the same way.
//!
//! Callers hand in one or a few at a time; they are stored, put together, sent, and each gets a verdict
//! of its own. What is stored and sent, a host does: here are the rules.
//!
//! # Guarantees
//!
//! - Nothing is put together that the platform would refuse as a whole: each is checked when it comes.
//! - Two about the same contact or order keep their order: they are never in one request, and the later
//!   one waits while the earlier one is on its way.
//! - Each gets a verdict: what the platform fails on is narrowed down, and given up in the end.

use crate::{
    api::{
        Endpoint as _, Error, Kind as ErrorKind, Reply, Request,
        contact::{
            AddContacts, Channel, Contact, Contacts, FailedContact, ImportState, ImportStatus,
            MAX_CONTACTS, ReadImportStatus, Subscribe, Subscription,
        },
        decode,
        event::{AddEventV2, Event},
        order::{AddOrders, MAX_ORDERS, Order, Orders},
        shape::{Reader, Shape},
    },
    problem::{Code, Problem},
    value::{Value, find, is_blank},
};

/// How long the first one waits for others, in milliseconds.
pub const GATHER: u64 = 2000;

/// So many a second are a crowd, of which more are waited for: a request for each two seconds of it
/// would be many that are nearly empty.
const CROWD: u64 = 20;

/// A crowd is over when nobody has come for so long, in milliseconds.
const QUIET: u64 = 1000;

/// How long the first one of a crowd waits at most, in milliseconds: within what callers may wait for a
/// verdict, and long enough for a full request where they come at 70 a second.
const LONGEST: u64 = 45_000;

/// How often an import that failed is sent again; contacts are the same afterwards.
pub const MAX_IMPORTS: u32 = 3;

/// How long an import may be unknown to the platform that has just named it, in milliseconds.
const UNKNOWN_FOR: u64 = 10 * 60 * 1000;

/// How long an import may take, in milliseconds; after that nobody waits for it any more.
const LONGEST_IMPORT: u64 = 24 * 60 * 60 * 1000;

/// After so many failures of the platform over the same request, it is sent in halves: one of them
/// may be what it fails on. With the pauses between, that is some minutes.
const HALVE_AFTER: u32 = 8;

/// After so many, a single one is given up: more than an hour.
const GIVE_UP_AFTER: u32 = 24;

/// Longest body of one, in bytes.
pub const MAX_BODY: usize = 512 * 1024;

/// Longest request that is put together, in bytes, within what a Worker may hold in memory.
pub const MAX_REQUEST: usize = 3 * 1024 * 1024;

/// What is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Contacts.
    Contacts,
    /// Orders.
    Orders,
    /// Subscriptions, of which the platform takes one at a time.
    Subscriptions,
    /// Events, of which the platform takes one at a time.
    Events,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Orders, Self::Subscriptions, Self::Events];

    /// Its name; of contacts and orders also that of the list in bodies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Orders => "orders",
            Self::Subscriptions => "subscriptions",
            Self::Events => "events",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Most that one request takes.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::Contacts => MAX_CONTACTS,
            Self::Orders => MAX_ORDERS,
            Self::Subscriptions | Self::Events => 1,
        }
    }
}

/// When what waits is to be sent: `count` of them, the first since `oldest`, the last since `newest`.
#[must_use]
pub fn due(kind: Kind, count: usize, oldest: u64, newest: u64) -> u64 {
    if count >= kind.most() {
        return oldest;
    }
    let span = newest.saturating_sub(oldest).max(GATHER);
    if (count as u64) * 1000 < CROWD * span {
        return oldest + GATHER;
    }
    (oldest + GATHER).max(newest + QUIET).min(oldest + LONGEST)
}

/// One contact or order.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what is stored of it")]
pub struct Item {
    /// Its JSON as the platform takes it, as text: it is stored and put together as it is.
    pub body: String,
    /// By what the platform knows whom or what it is about.
    pub keys: Vec<String>,
}

/// What a caller hands in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Given {
    /// What is said about all of them; only those with the same are put together.
    pub options: Value,
    /// The contacts or orders.
    pub items: Vec<Item>,
    /// What was odd.
    pub warnings: Vec<Problem>,
}

/// Reads what a caller hands in: the body of the platform's own bulk operation, or the same with one
/// `contact` or `order` in place of the list.
///
/// # Errors
///
/// Everything that the platform would not take; never empty.
pub fn read(kind: Kind, mut body: Value) -> Result<Given, Vec<Problem>> {
    let single = match kind {
        Kind::Contacts => "contact",
        Kind::Orders => "order",
        _ => "",
    };
    if let Value::Object(members) = &mut body
        && let Some(at) = members.iter().position(|(name, _)| name == single)
    {
        if find(members, kind.as_str()).is_some() {
            let fix = "give one, or a list, not both";
            return Err(vec![Problem::new(Code::Conflict, single, fix)]);
        }
        let (_, one) = members.remove(at);
        members.push((kind.as_str().to_owned(), Value::List(vec![one])));
    }
    let mut reader = Reader::request();
    let nothing = || (Value::Null, Vec::new());
    let (options, items) = match kind {
        Kind::Contacts => {
            Contacts::read(&body, &mut reader).map_or_else(nothing, |mut contacts| {
                let list = contacts.contacts.take().unwrap_or_default();
                (contacts.write(), list.iter().map(contact_item).collect())
            })
        }
        Kind::Orders => Orders::read(&body, &mut reader).map_or_else(nothing, |orders| {
            (Value::Object(orders.other), orders.orders.iter().map(order_item).collect())
        }),
        Kind::Subscriptions => {
            let read = Subscription::read(&body, &mut reader);
            (Value::Null, read.iter().map(subscription_item).collect())
        }
        Kind::Events => {
            let read = Event::read(&body, &mut reader);
            let item = |event: &Event| Item { body: event.write().to_json(), keys: Vec::new() };
            (Value::Null, read.iter().map(item).collect())
        }
    };
    let (warnings, mut errors) = reader.finish();
    let long = items.iter().position(|item: &Item| item.body.len() > MAX_BODY);
    if let Some(index) = long {
        let field = format!("{}[{index}]", kind.as_str());
        errors.push(Problem::new(Code::TooLong, field, "send at most 512 KB of each"));
    }
    if errors.is_empty() && items.is_empty() {
        errors.push(Problem::new(Code::MissingField, kind.as_str(), "give at least one"));
    }
    if errors.is_empty() { Ok(Given { options, items, warnings }) } else { Err(errors) }
}

fn contact_item(contact: &Contact) -> Item {
    let external = contact.external_customer_id.as_deref();
    let keys = keys(external, contact.channels.as_deref().unwrap_or_default());
    Item { body: contact.write().to_json(), keys }
}

fn subscription_item(subscription: &Subscription) -> Item {
    let contact = &subscription.contact;
    let external = contact.external_customer_id.as_deref();
    let keys = keys(external, contact.channels.as_deref().unwrap_or_default());
    Item { body: subscription.write().to_json(), keys }
}

fn order_item(order: &Order) -> Item {
    let keys = order.external_order_id.iter().map(|id| key("order", id)).collect();
    Item { body: order.write().to_json(), keys }
}

/// What the platform finds a contact by.
fn keys(external: Option<&str>, channels: &[Channel]) -> Vec<String> {
    let of = |channel: &Channel| {
        let kind = channel.kind.as_ref()?.as_str().to_owned();
        Some(key(&kind, channel.value.as_deref()?))
    };
    let external = external.filter(|id| !is_blank(id)).map(|id| key("id", id));
    external.into_iter().chain(channels.iter().filter_map(of)).collect()
}

fn key(kind: &str, value: &str) -> String {
    [kind, ":", &plain(value)].concat()
}

/// A value as the platform compares it: addresses without regard to case, numbers by their digits.
fn plain(value: &str) -> String {
    let value = value.trim();
    let is_phone = value.len() > 6
        && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')'));
    if is_phone {
        return value.chars().filter(char::is_ascii_digit).collect();
    }
    value.to_lowercase()
}

/// The request that sends `items` with what is said about all of them.
#[must_use]
pub fn request(kind: Kind, options: &Value, items: &[Item]) -> Request {
    let operation = match kind {
        Kind::Contacts => AddContacts::OPERATION,
        Kind::Orders => AddOrders::OPERATION,
        Kind::Subscriptions => Subscribe::OPERATION,
        Kind::Events => AddEventV2::OPERATION,
    };
    let bodies = items.iter().map(|item| item.body.as_str());
    let body = if kind.most() == 1 {
        bodies.take(1).collect()
    } else {
        let bodies: Vec<&str> = bodies.collect();
        let options = if let Value::Object(members) = options { &members[..] } else { &[] };
        let mut body = ["{\"", kind.as_str(), "\":[", &bodies.join(","), "]"].concat();
        for (name, value) in options {
            body.extend([",", &Value::text(name.as_str()).to_json(), ":", &value.to_json()]);
        }
        body.push('}');
        body
    };
    Request { body: Some(body), ..Request::of(&operation, None) }
}

/// The request that asks how far an import is.
#[must_use]
pub fn import_request(session: &str) -> Request {
    let call = ReadImportStatus { session_id: session.to_owned() };
    Request::for_call(&call)
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The platform has it; the contact's id where it told it.
    Done(Option<i64>),
    /// The platform has the subscription, and says what it came to.
    Subscribed {
        /// The contact's id.
        id: Option<i64>,
        /// What it came to for the e-mail address: `NEED_CONFIRMATION` and so on.
        status: Option<String>,
        /// Whether the contact is new.
        is_new: bool,
    },
    /// The platform refused it, with its reason.
    Failed(String),
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Settled {
    /// All of them have a verdict.
    All(Vec<Verdict>),
    /// Those that were refused at once have one; the others follow with this import.
    Import(String, Vec<Option<Verdict>>),
    /// The platform refused all of them for the sake of some: send them in two halves.
    Halve,
    /// Not now; again in at least so many milliseconds. The second says whether the platform failed
    /// over it, so that this counts.
    Later(Option<u64>, bool),
}

/// What the platform's answer to [`request`] means for each of `items`.
#[must_use]
pub fn settle(kind: Kind, items: &[Item], reply: Option<&Reply>, now: u64) -> Settled {
    match kind {
        Kind::Contacts => match answered::<AddContacts>(reply, now) {
            Ok(added) => {
                let failed = added.failed_contacts.unwrap_or_default();
                let verdicts = failures(items, &failed);
                match added.async_session_id.filter(|session| !is_blank(session)) {
                    Some(session) if verdicts.contains(&None) => Settled::Import(session, verdicts),
                    // Nothing more will be told of the others.
                    _ => Settled::All(
                        verdicts
                            .into_iter()
                            .map(|found| found.unwrap_or(Verdict::Done(None)))
                            .collect(),
                    ),
                }
            }
            Err(error) => failed(&error, items),
        },
        Kind::Subscriptions => match answered::<Subscribe>(reply, now) {
            Ok(subscribed) => {
                let status = subscribed.email_status.map(|status| status.as_str().to_owned());
                let is_new = subscribed.new == Some(true);
                let verdict = Verdict::Subscribed { id: subscribed.id, status, is_new };
                Settled::All(vec![verdict; items.len()])
            }
            Err(error) => failed(&error, items),
        },
        Kind::Events => match answered::<AddEventV2>(reply, now) {
            Ok(_) => Settled::All(vec![Verdict::Done(None); items.len()]),
            // The platform has no idempotency key: what may have arrived is sent once more rather than
            // lost.
            Err(error) => failed(&error, items),
        },
        Kind::Orders => match answered::<AddOrders>(reply, now) {
            Ok(answer) => {
                let refused = answer.failed_orders.unwrap_or_default();
                let verdict = |item: &Item| {
                    let failed = refused.iter().find(|failed| {
                        let id = failed
                            .order
                            .as_ref()
                            .and_then(|order| order.external_order_id.as_deref());
                        id.is_some_and(|id| item.keys.contains(&key("order", id)))
                    });
                    failed.map_or(Verdict::Done(None), |failed| {
                        Verdict::Failed(reason(failed.error.as_deref()))
                    })
                };
                Settled::All(items.iter().map(verdict).collect())
            }
            Err(error) => failed(&error, items),
        },
    }
}

fn answered<E: crate::api::Endpoint>(reply: Option<&Reply>, now: u64) -> Result<E::Answer, Error> {
    let repeat = E::OPERATION.repeat;
    let reply = reply.ok_or_else(|| Error::unreachable(repeat))?;
    decode::<E>(reply, now).map(|answered| answered.value)
}

fn failed(error: &Error, items: &[Item]) -> Settled {
    let done = || Settled::All(vec![Verdict::Done(None); items.len()]);
    match error.kind {
        // What was answered with a success was taken, whatever the answer says; sending it again would
        // do it again.
        ErrorKind::AlreadyDone | ErrorKind::Unreadable => done(),
        ErrorKind::Refused if items.len() > 1 => Settled::Halve,
        ErrorKind::Refused => {
            Settled::All(vec![Verdict::Failed(reason(Some(&error.text))); items.len()])
        }
        kind => Settled::Later(
            error.repeat_after,
            matches!(kind, ErrorKind::Failed | ErrorKind::Unreachable),
        ),
    }
}

/// What is to be done about `count` of them after the platform has failed over them so often.
#[must_use]
pub fn after_failures(failures: u32, count: usize) -> Option<Settled> {
    if count > 1 && failures >= HALVE_AFTER {
        return Some(Settled::Halve);
    }
    let why = "the platform failed each time that this was sent";
    (failures >= GIVE_UP_AFTER).then(|| Settled::All(vec![Verdict::Failed(why.into()); count]))
}

fn reason(text: Option<&str>) -> String {
    let text = text.filter(|text| !is_blank(text)).unwrap_or("refused without a reason");
    text.chars().take(500).collect()
}

/// The platform's reasons, each for the one contact that it is about.
fn failures(items: &[Item], failed: &[FailedContact]) -> Vec<Option<Verdict>> {
    let mut verdicts = vec![None; items.len()];
    for failed in failed {
        let channels = failed.channels.as_deref().unwrap_or_default();
        let theirs = keys(failed.external_customer_id.as_deref(), channels);
        let is_free = |place: &usize| verdicts.get(*place) == Some(&None);
        // All that the platform sent back must be this contact's: people share addresses.
        let fits =
            |item: &Item| !theirs.is_empty() && theirs.iter().all(|key| item.keys.contains(key));
        let same = |item: &Item| fits(item) && item.keys.len() == theirs.len();
        let place = |test: &dyn Fn(&Item) -> bool| {
            (0..items.len()).filter(is_free).find(|place| items.get(*place).is_some_and(test))
        };
        if let Some(place) = place(&same).or_else(|| place(&fits)) {
            verdicts[place] = Some(Verdict::Failed(reason(failed.error.as_deref())));
        }
    }
    verdicts
}

/// How far an import is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Import {
    /// Under way; ask again.
    UnderWay,
    /// Done: a verdict for each.
    Finished(Vec<Verdict>),
    /// It failed, with the platform's reason; send it again.
    Failed(String),
    /// Nobody knows just now; ask again in at least so many milliseconds.
    Later(Option<u64>),
}

/// What the platform's answer to [`import_request`] means for each of `items`, whose import began at
/// `begun`.
#[must_use]
pub fn settle_import(items: &[Item], reply: Option<&Reply>, begun: u64, now: u64) -> Import {
    let lasts = now.saturating_sub(begun);
    if lasts > LONGEST_IMPORT {
        let why = "the platform's import did not end within a day".to_owned();
        return Import::Finished(vec![Verdict::Failed(why); items.len()]);
    }
    let status: ImportStatus = match answered::<ReadImportStatus>(reply, now) {
        Ok(status) => status,
        // One that was made a moment ago may not be there to be seen yet.
        Err(error) if error.kind == ErrorKind::NotFound && lasts < UNKNOWN_FOR => {
            return Import::UnderWay;
        }
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Refused) => {
            return Import::Failed(reason(Some(&error.to_string())));
        }
        Err(error) => return Import::Later(error.repeat_after),
    };
    match status.status {
        Some(ImportState::Finished) => {}
        Some(ImportState::Failed) => return Import::Failed(reason(status.description.as_deref())),
        _ => return Import::UnderWay,
    }
    let mapping = status.mapping.unwrap_or_default();
    let id_of = |item: &Item| {
        let found = mapping.iter().find(|imported| {
            let value = imported.dedupe_value.as_deref().map(plain).unwrap_or_default();
            item.keys.iter().any(|key| key.split_once(':').is_some_and(|(_, own)| own == value))
        });
        found.and_then(|imported| imported.contact_id)
    };
    Import::Finished(items.iter().map(|item| Verdict::Done(id_of(item))).collect())
}

/// How long to wait before an import is asked for again, in milliseconds, after so many times.
#[must_use]
pub fn import_pause(asked: u32) -> u64 {
    (500 << asked.min(6)).min(30_000)
}
