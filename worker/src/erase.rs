//! What is held of a person, in whatever store, is erased: for the shop's servers.

use std::collections::BTreeSet;

use esputnik_kit::{
    bulk::Kind,
    config::{Config, Scope},
    form_call::limits,
    identity::WebId,
    json,
    problem::{Code, Problem},
    recommendation,
    value::Value,
};
use worker::{Env, Method};

use crate::{
    answer::{self, Error},
    bulk,
    detour::{self, Theirs},
    form, guard,
    host::{Request, Response},
    objects::{numbers, told},
    outbox_object::{Found, Person},
    promo, recommendation as recommended, routes,
    uses_object::{self, Contact, Use},
};

/// What names a person in the body, as proofs do.
const NAMES: [&str; 3] = ["email", "phone", "id"];

/// What an answer has where the bucket holds more than one call can look at, for the next call.
const AFTER: &str = "after";

/// Requests of a call that erase a browser, at most.
const A_BROWSER: u32 = 4;

/// Requests of a call beside those that are counted.
const SPARE_REQUESTS: u32 = 12;

/// Serves `POST erase`.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    let body = json::parse(&guard::body(request).await?).map_err(Error::Body)?;
    let known_as = read(&body).map_err(Error::Body)?;
    // Behind which key of the bucket to go on.
    let after = body.member(AFTER).and_then(Value::as_text);
    let person = Person { keys: keys(&known_as) };
    let text = serde_json::to_string(&person).map_err(worker::Error::from)?;
    let (mut events, mut browsers) = (0, BTreeSet::new());
    let mut asked = SPARE_REQUESTS;
    for site in config.sites.keys() {
        let mut web_ids = BTreeSet::new();
        // The old objects last: nothing comes over from there any more when the new ones are done.
        for object in config.outbox.objects(site) {
            let answer =
                routes::ask(env, &object, Method::Post, "/erase-contact", Some(text.clone()));
            let found: Found = serde_json::from_str(&answer.await?).map_err(worker::Error::from)?;
            events += found.events;
            web_ids.extend(found.web_ids);
            asked += 1;
        }
        // A browser that one object knows the person by, another may know without.
        for web_id in web_ids.iter().filter_map(|web_id| WebId::parse(web_id)) {
            routes::erase_browser(env, config, site, &web_id).await?;
            asked += A_BROWSER;
        }
        browsers.extend(web_ids);
        for (name, own) in &known_as {
            let name = if *name == "id" { "externalCustomerId" } else { name };
            if let Some(person) = recommendation::Person::named(name, own) {
                recommended::forget_person(env, config, site, &person).await?;
            }
        }
        forget_uses(env, config, site, &known_as).await?;
        asked += A_BROWSER;
    }
    let mut handed_in = 0;
    for kind in Kind::ALL {
        let answer = bulk::tell(env, config, kind, "/erase", text.clone()).await?;
        handed_in += told(&answer, "erased");
    }
    let mut codes = 0;
    if promo::is_used(config) {
        codes = promo::erase(env, config, &sealed_for_codes(env, config, &known_as)?).await?;
    }
    let theirs = Theirs { keys: &person.keys, web_ids: &browsers };
    let left = config.outbox.subrequests.saturating_sub(asked);
    let lying = detour::erase(env, config, &theirs, after, left).await?;
    for (site, web_id) in &lying.browsers {
        if let Some(web_id) = WebId::parse(web_id) {
            routes::erase_browser(env, config, site, &web_id).await?;
        }
    }
    browsers.extend(lying.browsers.into_iter().map(|(_, web_id)| web_id));
    let erased = numbers([
        ("events", u64::try_from(events).unwrap_or(0) + lying.events),
        ("browsers", browsers.len() as u64),
        ("handed_in", handed_in),
        ("promo_codes", codes),
    ]);
    let mut members = vec![("erased".to_owned(), erased)];
    members.extend(lying.after.map(|after| (AFTER.to_owned(), Value::Text(after))));
    Ok(answer::json(200, &Value::Object(members)))
}

fn read(body: &Value) -> Result<Vec<(&'static str, String)>, Problem> {
    let Value::Object(members) = body else {
        return Err(Problem::new(Code::InvalidBody, "", "send {\"email\": …}, phone or id"));
    };
    let mut known_as = Vec::new();
    for (name, value) in members.iter().filter(|(name, _)| name != AFTER) {
        let Some(known) = NAMES.into_iter().find(|known| known == name) else {
            let fix = "name the person by email, phone and id, the shop's own";
            return Err(Problem::new(Code::UnknownMember, name.as_str(), fix));
        };
        let text = match value {
            Value::Text(text) | Value::Number(text) => text.trim(),
            _ => "",
        };
        // What is short stands in much that is about others.
        if text.len() < 3 || (known == "email" && !text.contains('@')) {
            return Err(Problem::new(Code::WrongType, known, "give it as text, whole"));
        }
        known_as.push((known, text.to_owned()));
    }
    if known_as.is_empty() {
        return Err(Problem::new(Code::MissingField, "", "send {\"email\": …}, phone or id"));
    }
    Ok(known_as)
}

/// By what events and contacts have them: numbers with a plus and without.
fn keys(known_as: &[(&str, String)]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (name, text) in known_as {
        if *name == "phone" {
            keys.extend([["+", &digits(text)].concat(), digits(text)]);
        }
        keys.push(text.clone());
    }
    keys.retain(|key| !key.is_empty());
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// As forms name whom they are about.
fn contacts(known_as: &[(&'static str, String)]) -> Vec<String> {
    let mut names = Vec::new();
    for (name, text) in known_as {
        match *name {
            "email" => names.push(limits::name_of(text, form::to_ascii)),
            "phone" => {
                names.extend([["phone:", text].concat(), ["phone:+", &digits(text)].concat()]);
            }
            _ => {}
        }
    }
    names
}

/// The submissions that count against the person.
async fn forget_uses(
    env: &Env,
    config: &Config,
    site: &str,
    known_as: &[(&'static str, String)],
) -> Result<(), Error> {
    let forms = config.sites.get(site).map(|site| site.forms.as_slice()).unwrap_or_default();
    let mut names = Vec::new();
    for id in forms {
        for name in contacts(known_as) {
            names.push(form::sealed(env, id, &name)?);
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let contact = Contact { names, per_day: 0, pause: 0 };
    uses_object::forget(env, site, &Use { contact: Some(contact), ..Use::default() }).await
}

/// The person's names among those who have promo codes, each with its type of codes.
fn sealed_for_codes(
    env: &Env,
    config: &Config,
    known_as: &[(&'static str, String)],
) -> Result<Vec<(String, String)>, Error> {
    let kinds: BTreeSet<&String> =
        config.forms.values().filter_map(|form| Some(&form.promo_code.as_ref()?.kind)).collect();
    let mut names = Vec::new();
    for kind in kinds {
        for name in contacts(known_as) {
            names.push((kind.clone(), promo::sealed(env, kind, &name)?));
        }
    }
    Ok(names)
}
