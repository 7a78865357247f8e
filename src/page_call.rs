//! What pages hand in beside events: contacts, orders and events of the shop's own types. A page
//! chooses what it fills in; what it may fill in and what becomes of it, the settings say.
//!
//! Without a proof from the shop's back end a page speaks for nobody: it can subscribe somebody, who has
//! to confirm that, and never learns whether the platform knows them.

use crate::{
    api::{
        Request,
        event::{Parameters, is_identifier},
        shape::{Reader, Shape as _},
        token::{AddContactToken, AddEventToken, ContactTokenRequest},
    },
    bulk::{self, Given},
    config::{Calls, PageToken},
    problem::{Code, Problem},
    value::{Members, Value, find, is_blank},
};

/// Who the visitor is, as the shop's back end has signed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// The shop's own id.
    pub id: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Longest time for which a proof may hold, in milliseconds.
const LONGEST_PROOF: u64 = 24 * 60 * 60 * 1000;

impl Proof {
    /// Reads what was signed; whether it was, the host has checked. `now` is Unix time in
    /// milliseconds.
    ///
    /// # Errors
    ///
    /// What is wrong with it: nobody named, or an expiry that is past, missing or too far ahead.
    pub fn read(signed: &Value, now: u64) -> Result<Self, Problem> {
        let text = |name: &str| match signed.member(name) {
            Some(Value::Text(text) | Value::Number(text)) if !is_blank(text) => Some(text.clone()),
            _ => None,
        };
        let proof = Self { id: text("id"), email: text("email") };
        if proof == Self::default() {
            let fix = "sign the shop's id of the visitor, or their e-mail address";
            return Err(Problem::new(Code::MissingField, "proof.id", fix));
        }
        let expires =
            signed.member("exp").and_then(Value::as_whole).map(|exp| exp.saturating_mul(1000));
        match expires {
            None => {
                let fix = "sign an expiry too: exp, in seconds of Unix time";
                Err(Problem::new(Code::MissingField, "proof.exp", fix))
            }
            Some(expires) if expires <= now => {
                let fix = "ask the shop's back end for a new proof";
                Err(Problem::new(Code::Expired, "proof", fix))
            }
            Some(expires) if expires > now + LONGEST_PROOF => {
                let fix = "let proofs expire within a day";
                Err(Problem::new(Code::OutOfRange, "proof.exp", fix))
            }
            Some(_) => Ok(proof),
        }
    }
}

/// What is to be done about what a page handed in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Todo {
    /// To be stored, and sent in its turn.
    Store(bulk::Kind, Given),
    /// To be called at once; the answer is the page's.
    Call(Request),
}

const NOT_OPEN: &str = "open it in kit.toml, below the site's calls";
const PROVE: &str = "add a proof, signed by the shop's back end";

/// Reads a contact.
///
/// # Errors
///
/// What the page may not do, or the platform would not take.
pub fn contact(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    if calls.contact_fields.is_empty() {
        return Err(Problem::new(Code::NotOpen, "addContact", NOT_OPEN));
    }
    let members = object(data)?;
    let mut contact = Members::new();
    let mut address = Members::new();
    let mut fields = Vec::new();
    let mut written = Vec::new();
    let (mut email, mut phone) = (None, None);
    for (name, value) in members {
        if matches!(name.as_str(), "proof") {
            continue;
        }
        if !calls.contact_fields.contains(name) {
            return Err(Problem::new(Code::NotOpen, name.as_str(), NOT_OPEN));
        }
        match name.as_str() {
            "email" => email = Some(value.clone()),
            "phone" => phone = Some(value.clone()),
            "town" | "region" | "address" | "postcode" => {
                written.push(name.as_str());
                address.push((name.clone(), value.clone()));
            }
            "firstName" | "lastName" | "languageCode" | "timeZone" => {
                written.push(name.as_str());
                contact.push((name.clone(), value.clone()));
            }
            id => fields.push(Value::Object(vec![
                ("id".into(), Value::Number(id.to_owned())),
                ("value".into(), value.clone()),
            ])),
        }
    }
    if let Some(proven) = proof.and_then(|proof| proof.email.as_ref()) {
        let same =
            |given: &Value| given.as_text().is_some_and(|text| text.eq_ignore_ascii_case(proven));
        if email.as_ref().is_some_and(|given| !same(given)) {
            let fix = "leave the address out, or give the one that the proof names";
            return Err(Problem::new(Code::Conflict, "email", fix));
        }
        email = Some(Value::text(proven.as_str()));
    }
    let channel = |kind: &str, value: Value| {
        Value::Object(vec![("type".into(), Value::text(kind)), ("value".into(), value)])
    };
    let channels: Vec<Value> = [("email", email), ("sms", phone)]
        .into_iter()
        .filter_map(|(kind, value)| {
            let value = value?;
            written.push(kind);
            Some(channel(kind, value))
        })
        .collect();
    if channels.is_empty() {
        return Err(Problem::new(
            Code::MissingField,
            "email",
            "give an e-mail address or a phone number",
        ));
    }
    contact.push(("channels".into(), Value::List(channels)));
    if !address.is_empty() {
        contact.push(("address".into(), Value::Object(address)));
    }
    let ids: Vec<Value> = fields.iter().filter_map(|field| field.member("id").cloned()).collect();
    if !fields.is_empty() {
        contact.push(("fields".into(), Value::List(fields)));
    }
    let segments = || Value::List(calls.segments.iter().map(Value::text).collect());
    let Some(proof) = proof else {
        // Adding a contact would confirm it, and overwrite somebody else's.
        let mut body = vec![("contact".to_owned(), Value::Object(contact))];
        if !calls.segments.is_empty() {
            body.push(("groups".into(), segments()));
        }
        if let Some(form_type) = &calls.form_type {
            body.push(("formType".into(), Value::text(form_type)));
        }
        return store(bulk::Kind::Subscriptions, &Value::Object(body));
    };
    let dedupe_on = if proof.id.is_some() { "externalCustomerId" } else { "email" };
    if let Some(id) = &proof.id {
        contact.push(("externalCustomerId".into(), Value::text(id)));
        written.push("externalCustomerId");
    }
    // Only what the page gave: a field that is listed and empty would be emptied.
    let mut body = vec![
        ("contacts".to_owned(), Value::List(vec![Value::Object(contact)])),
        ("dedupeOn".into(), Value::text(dedupe_on)),
        ("contactFields".into(), Value::List(written.into_iter().map(Value::text).collect())),
    ];
    if !ids.is_empty() {
        body.push(("customFieldsIDs".into(), Value::List(ids)));
    }
    if !calls.segments.is_empty() {
        body.push(("groupNames".into(), segments()));
    }
    if let Some(key) = &calls.event_key {
        body.push(("eventKeyForNewContacts".into(), Value::text(key)));
    }
    store(bulk::Kind::Contacts, &Value::Object(body))
}

/// Reads an order. Without a proof it can only be a new one.
///
/// # Errors
///
/// What the page may not do, or the platform would not take.
pub fn order(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    if !calls.orders {
        return Err(Problem::new(Code::NotOpen, "addOrder", NOT_OPEN));
    }
    let mut members = object(data)?.clone();
    members.retain(|(name, _)| name != "proof");
    let status = find(&members, "status").and_then(Value::as_text).unwrap_or_default();
    let is_new = matches!(status, "INITIALIZED" | "ABANDONED_SHOPPING_CART");
    if proof.is_none() && !is_new {
        return Err(Problem::new(Code::ProofMissing, "status", PROVE));
    }
    if let Some(proof) = proof {
        for (name, own) in [("externalCustomerId", &proof.id), ("email", &proof.email)] {
            if let Some(own) = own {
                members.retain(|(known, _)| known != name);
                members.push((name.to_owned(), Value::text(own)));
            }
        }
    }
    store(bulk::Kind::Orders, &Value::Object(vec![("order".into(), Value::Object(members))]))
}

/// Reads an event of one of the shop's own types.
///
/// # Errors
///
/// What the page may not do, or the platform would not take.
pub fn event(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    let mut members = object(data)?.clone();
    members.retain(|(name, _)| name != "proof");
    let key = find(&members, "eventTypeKey").and_then(Value::as_text).unwrap_or_default();
    let open = calls.events.iter().any(|known| known == key);
    if !open && !calls.proven_events.iter().any(|known| known == key) {
        return Err(Problem::new(Code::NotOpen, "eventTypeKey", NOT_OPEN));
    }
    if !open && proof.is_none() {
        return Err(Problem::new(Code::ProofMissing, "proof", PROVE));
    }
    if let Some(proof) = proof {
        // Who it is about, the proof says and nobody else.
        let own = [("externalCustomerId", &proof.id), ("email", &proof.email)];
        let own = own.into_iter().filter_map(|(name, value)| {
            let value = Value::text(value.as_ref()?.as_str());
            Some(Value::Object(vec![("name".into(), Value::text(name)), ("value".into(), value)]))
        });
        let mut reader = Reader::request();
        let given = find(&members, "params")
            .and_then(|params| Parameters::read(params, &mut reader))
            .map(|params| params.write());
        let is_own = |param: &Value| {
            let name = param.member("name").and_then(Value::as_text).unwrap_or_default();
            is_identifier(name)
        };
        let rest = match given {
            Some(Value::List(list)) => list.into_iter().filter(|param| !is_own(param)).collect(),
            _ => Vec::new(),
        };
        let params = own.chain(rest).collect();
        members.retain(|(name, _)| !matches!(name.as_str(), "params" | "keyValue"));
        members.push(("params".into(), Value::List(params)));
    }
    store(bulk::Kind::Events, &Value::Object(members))
}

/// Reads the wish for a token.
///
/// # Errors
///
/// What the page may not do.
pub fn token(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    let wanted = data.member("kind").and_then(Value::as_text).unwrap_or("contact");
    let kind = match wanted {
        "contact" => PageToken::Contact,
        "event" => PageToken::Event,
        _ => return Err(Problem::new(Code::UnknownValue, "kind", "give \"contact\" or \"event\"")),
    };
    if !calls.tokens.contains(&kind) {
        return Err(Problem::new(Code::NotOpen, "kind", NOT_OPEN));
    }
    let Some(proof) = proof else {
        return Err(Problem::new(Code::ProofMissing, "proof", PROVE));
    };
    Ok(Todo::Call(match kind {
        PageToken::Event => Request::for_call(&AddEventToken {}),
        PageToken::Contact => {
            let request = ContactTokenRequest {
                external_customer_id: proof.id.clone(),
                email: proof.email.clone(),
                ..ContactTokenRequest::default()
            };
            Request::for_call(&AddContactToken { request })
        }
    }))
}

fn object(data: &Value) -> Result<&Members, Problem> {
    match data {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(Code::WrongType, "", "give an object")),
    }
}

fn store(kind: bulk::Kind, body: &Value) -> Result<Todo, Problem> {
    match bulk::read(kind, body) {
        Ok(given) => Ok(Todo::Store(kind, given)),
        Err(problems) => {
            let none = || Problem::new(Code::InvalidBody, "", "send what the call asks for");
            let mut first = problems.into_iter().next().unwrap_or_else(none);
            // As the page named it.
            for inside in ["contact.", "contacts[0].", "orders[0]."] {
                if let Some(rest) = first.field.strip_prefix(inside) {
                    first.field = rest.to_owned();
                }
            }
            Err(first)
        }
    }
}

/// Calls that one address may make in a minute: one of IPv4, or a network of IPv6, which one household
/// has.
const MOST_OF_ADDRESS: u32 = 30;

/// Calls that a network of IPv4 may make in a minute, which many may share.
const MOST_OF_NETWORK: u32 = 120;

/// Under what the calls of a visitor's address, given as its bytes, are counted, and how many may come
/// in a minute: the address and its /24 of IPv4, the /64 of IPv6.
#[must_use]
pub fn counted(address: &[u8]) -> Vec<(&[u8], u32)> {
    // Addresses of IPv4 can be written as some of IPv6.
    let address = address.strip_prefix(b"\0\0\0\0\0\0\0\0\0\0\xff\xff").unwrap_or(address);
    match (address.len(), address.get(..3), address.get(..8)) {
        (4, Some(network), _) => vec![(address, MOST_OF_ADDRESS), (network, MOST_OF_NETWORK)],
        (16, _, Some(network)) => vec![(network, MOST_OF_ADDRESS)],
        _ => vec![(address, MOST_OF_ADDRESS)],
    }
}
