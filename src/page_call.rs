//! What pages hand in beside events: contacts, orders and events of the shop's own types. A page
//! chooses what it fills in; what it may fill in and what becomes of it, the settings say.
//!
//! # Guarantees
//!
//! - Without a proof from the shop's back end a page speaks for nobody: it can subscribe one address,
//!   whose owner has to confirm that, and make events that the shop opened to everybody. It writes no
//!   orders, changes nothing of a contact that the platform knows, unless the shop opened a field
//!   knowingly, and never learns whether the platform knows one.
//! - With a proof whom or what a call is about is what the proof names, and nothing else.

use crate::{
    api::{
        Request,
        event::{Parameter, Parameters, is_identifier},
        shape::{Reader, Shape as _},
        token::{AddContactToken, ContactTokenRequest},
    },
    bulk::{self, Given},
    caller,
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
    /// The phone number.
    pub phone: Option<String>,
    /// The order that the page may write, by the shop's own id; then no other.
    pub order: Option<String>,
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
        let proof = Self {
            id: text("id"),
            email: text("email"),
            phone: text("phone"),
            order: text("order"),
        };
        if proof.names().next().is_none() {
            let fix = "sign the shop's id of the visitor, their e-mail address or phone number";
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

    /// Whom it names, as orders and events do.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names =
            [("externalCustomerId", &self.id), ("email", &self.email), ("phone", &self.phone)];
        names.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
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
const NAME_IT: &str = "leave it out, or let the proof name it";

/// Reads a contact: without a proof a subscription of one address, with a proof the contact that it
/// names.
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
        if name == "proof" {
            continue;
        }
        check_open(calls, name, proof.is_some())?;
        match name.as_str() {
            "email" => email = Some(value),
            "phone" => phone = Some(value),
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
    let (email, phone) = addresses(calls, email, phone, proof)?;
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
        return store(bulk::Kind::Subscriptions, Value::Object(body));
    };
    let dedupe_on = match proof {
        Proof { id: Some(_), .. } => "externalCustomerId",
        Proof { email: Some(_), .. } => "email",
        _ => "sms",
    };
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
    store(bulk::Kind::Contacts, Value::Object(body))
}

/// Whether a page may write the field `name` of a contact.
fn check_open(calls: &Calls, name: &str, is_proven: bool) -> Result<(), Problem> {
    let is_among = |fields: &[String]| fields.iter().any(|field| field == name);
    if !is_among(&calls.contact_fields) {
        return Err(Problem::new(Code::NotOpen, name, NOT_OPEN));
    }
    // A subscription updates a contact that the platform knows.
    let is_channel = matches!(name, "email" | "phone");
    if !is_proven && !is_channel && !is_among(&calls.unproven_fields) {
        let fix = "add a proof, or open it in kit.toml below unproven_fields";
        return Err(Problem::new(Code::ProofMissing, name, fix));
    }
    Ok(())
}

/// The e-mail address and the phone number that are written.
fn addresses(
    calls: &Calls,
    email: Option<&Value>,
    phone: Option<&Value>,
    proof: Option<&Proof>,
) -> Result<(Option<Value>, Option<Value>), Problem> {
    if let Some(proof) = proof {
        let email = own("email", email, proof.email.as_deref())?;
        let phone = own("phone", phone, proof.phone.as_deref())?;
        if email.is_none() && phone.is_none() {
            let fix = "sign the e-mail address or the phone number too: a contact needs one";
            return Err(Problem::new(Code::MissingField, "proof.email", fix));
        }
        return Ok((email, phone));
    }
    let is_free = |name: &str| calls.unproven_fields.iter().any(|free| free == name);
    if email.is_some() && phone.is_some() && !is_free("email") && !is_free("phone") {
        // The second would be given to whoever has the first.
        let fix = "give one of email and phone, or a proof that names both";
        return Err(Problem::new(Code::ProofMissing, "phone", fix));
    }
    Ok((email.cloned(), phone.cloned()))
}

/// What a page gave as the contact's `name`, held against what the proof names, which is written.
fn own(name: &str, given: Option<&Value>, proven: Option<&str>) -> Result<Option<Value>, Problem> {
    let Some(proven) = proven else {
        return match given {
            Some(_) => Err(Problem::new(Code::ProofMissing, name, NAME_IT)),
            None => Ok(None),
        };
    };
    let same = |given: &Value| match given {
        Value::Text(text) | Value::Number(text) if name == "phone" => {
            digits(text).eq(digits(proven))
        }
        Value::Text(text) => text.eq_ignore_ascii_case(proven),
        _ => false,
    };
    if given.is_some_and(|given| !same(given)) {
        let fix = "leave it out, or give what the proof names";
        return Err(Problem::new(Code::Conflict, name, fix));
    }
    Ok(Some(Value::text(proven)))
}

fn digits(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(char::is_ascii_digit)
}

/// Reads an order, which needs a proof: the same `externalOrderId` again would overwrite one.
///
/// # Errors
///
/// What the page may not do, or the platform would not take.
pub fn order(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    if !calls.orders {
        return Err(Problem::new(Code::NotOpen, "addOrder", NOT_OPEN));
    }
    let Some(proof) = proof else {
        return Err(Problem::new(Code::ProofMissing, "proof", PROVE));
    };
    let mut members = object(data)?.clone();
    members.retain(|(name, _)| name != "proof");
    let id = match find(&members, "externalOrderId") {
        Some(Value::Text(id) | Value::Number(id)) => id.as_str(),
        _ => "",
    };
    let status = find(&members, "status").and_then(Value::as_text).unwrap_or_default();
    let is_new = matches!(status, "INITIALIZED" | "ABANDONED_SHOPPING_CART");
    match &proof.order {
        Some(own) if own != id => {
            let fix = "give the order that the proof names";
            return Err(Problem::new(Code::Conflict, "externalOrderId", fix));
        }
        None if !is_new => {
            let fix = "let the proof name the order too, as `order`";
            return Err(Problem::new(Code::ProofMissing, "status", fix));
        }
        _ => {}
    }
    // Whose it is, the proof says and nobody else.
    members.retain(|(name, _)| !is_identifier(&plain(name)));
    members.extend(proof.names().map(|(name, own)| (name.to_owned(), Value::text(own))));
    store(bulk::Kind::Orders, Value::Object(vec![("order".into(), Value::Object(members))]))
}

/// Reads an event of one of the shop's own types.
///
/// # Errors
///
/// What the page may not do, or the platform would not take.
pub fn event(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    let members = object(data)?;
    let key = find(members, "eventTypeKey").and_then(Value::as_text).unwrap_or_default();
    let open = calls.events.iter().any(|known| known == key);
    if !open && !calls.proven_events.iter().any(|known| known == key) {
        return Err(Problem::new(Code::NotOpen, "eventTypeKey", NOT_OPEN));
    }
    if !open && proof.is_none() {
        return Err(Problem::new(Code::ProofMissing, "proof", PROVE));
    }
    // Other names of these, and members that the documents do not know, could say whose it is.
    let known = ["eventTypeKey", "keyValue", "params", "proof"];
    if let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        let fix = "give eventTypeKey, keyValue and params, and all else as parameters";
        return Err(Problem::new(Code::NotOpen, name.as_str(), fix));
    }
    let given = find(members, "params").map_or_else(|| Ok(Vec::new()), parameters)?;
    let mut event = vec![("eventTypeKey".to_owned(), Value::text(key))];
    let mut params = Vec::new();
    let own = |(name, value): (&str, &str)| {
        Value::Object(vec![
            ("name".into(), Value::text(name)),
            ("value".into(), Value::text(value)),
        ])
    };
    if let Some(proof) = proof {
        // Whose it is, the proof says and nobody else.
        params.extend(proof.names().map(own));
    } else if let Some(key) = find(members, "keyValue") {
        event.push(("keyValue".into(), key.clone()));
    }
    let kept = |param: &&Parameter| proof.is_none() || !is_identifier(&plain(name_of(param)));
    params.extend(given.iter().filter(kept).map(Parameter::write));
    if !params.is_empty() {
        event.push(("params".into(), Value::List(params)));
    }
    store(bulk::Kind::Events, Value::Object(event))
}

/// The parameters of a page's event.
fn parameters(given: &Value) -> Result<Vec<Parameter>, Problem> {
    let mut reader = Reader::request();
    let read = Parameters::read(given, &mut reader).unwrap_or_default();
    let at = |field: &str| {
        let dot = if field.is_empty() || field.starts_with('[') { "" } else { "." };
        ["params", dot, field].concat()
    };
    let (_, errors) = reader.finish();
    if let Some(mut first) = errors.into_iter().next() {
        first.field = at(&first.field);
        return Err(first);
    }
    for param in &read.0 {
        let name = name_of(param);
        if is_blank(name) {
            let fix = "give each parameter a name";
            return Err(Problem::new(Code::MissingField, "params", fix));
        }
        if plain(name) == "contactjson" {
            let fix = "leave it out: the platform would write a contact";
            return Err(Problem::new(Code::NotOpen, at(name), fix));
        }
        if let Some((beside, _)) = param.other.first() {
            let fix = "give parameters a name and a value alone";
            return Err(Problem::new(Code::NotOpen, at(beside), fix));
        }
    }
    Ok(read.0)
}

fn name_of(param: &Parameter) -> &str {
    param.name.as_ref().map_or("", |name| name.as_str())
}

/// A name as the most lenient reader would compare it: without regard to case, in the way of Java too,
/// which takes `ı` and `ſ` for `i` and `s`, and without what is neither letter nor digit.
fn plain(name: &str) -> String {
    let folded = name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.filter(|c| c.is_alphanumeric()).collect()
}

/// Reads the wish for a token.
///
/// The platform's other token, of events, is for no page: who has it can make and delete events of
/// anybody.
///
/// # Errors
///
/// What the page may not do.
pub fn token(calls: &Calls, data: &Value, proof: Option<&Proof>) -> Result<Todo, Problem> {
    let wanted = data.member("kind").and_then(Value::as_text).unwrap_or("contact");
    if wanted != "contact" {
        let fix = "give \"contact\"; events are made with generateEvent";
        return Err(Problem::new(Code::UnknownValue, "kind", fix));
    }
    if !calls.tokens.contains(&PageToken::Contact) {
        return Err(Problem::new(Code::NotOpen, "kind", NOT_OPEN));
    }
    let Some(proof) = proof else {
        return Err(Problem::new(Code::ProofMissing, "proof", PROVE));
    };
    let request = ContactTokenRequest {
        external_customer_id: proof.id.clone(),
        email: proof.email.clone(),
        phone: proof.phone.clone(),
        ..ContactTokenRequest::default()
    };
    Ok(Todo::Call(Request::for_call(&AddContactToken { request })))
}

fn object(data: &Value) -> Result<&Members, Problem> {
    match data {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(Code::WrongType, "", "give an object")),
    }
}

fn store(kind: bulk::Kind, body: Value) -> Result<Todo, Problem> {
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

/// Calls that one address may make in a minute.
const MOST_OF_ADDRESS: u32 = 30;

/// Calls that its network may make in a minute, which many may share.
const MOST_OF_NETWORK: u32 = 120;

/// Under what the calls of a visitor's address, given as its bytes, are counted, and how many may come
/// in a minute.
#[must_use]
pub fn counted(address: &[u8]) -> Vec<(&[u8], u32)> {
    caller::counted(address, MOST_OF_ADDRESS, MOST_OF_NETWORK)
}
