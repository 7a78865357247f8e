//! The two APIs of recommendations that are none of the REST API's: the one that takes tokens of
//! contacts, and the one that apps call. They are other hosts of the platform; here they have paths.

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::receive::{self, faulty_reply, is_json, pause};
use super::{Dropped, Platform, Reply, json_reply};
use crate::contract::Refusal;
use crate::faults::{Drop, Effect, Fault, Target};
use crate::rest::catalogue::{About, container, listed, records};
use crate::settings::Settings;
use crate::store::{Record, Verdict};

const CONTACTS: &str = "/contact-api/v1/recoms/";
const APPS: &str = "/mobile-api/api/v1/recoms/";

/// The header of a contact's token, and of the next one.
const TOKEN: HeaderName = HeaderName::from_static("es-token");

/// The header of the key of apps.
const KEY: &str = "x-reteno-access-key";

/// Longest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Whether a path belongs to one of them.
pub(super) fn is_recoms(path: &str) -> bool {
    path.starts_with(CONTACTS) || path.starts_with(APPS)
}

/// Why there are no recommendations.
struct Refused(StatusCode, Refusal);

fn refused<T>(status: StatusCode, code: &'static str, message: &str) -> Result<T, Refused> {
    Err(Refused(status, Refusal::whole(code, message)))
}

/// Recommends, or refuses, and writes the request down.
pub(super) async fn answer(
    platform: &Platform,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let (seq, received) = (platform.next_seq(), platform.clock.now());
    let (head, body) = request.into_parts();
    let mut record = Record::of(seq, received, &head, Verdict::Faulted);
    record.once = false;
    let is_apps = head.uri.path().starts_with(APPS);
    record.operation = Some(if is_apps { "recomsRequest" } else { "contactApiRecoms" }.to_owned());
    if platform.faults().take_down() {
        record.fault = Some("down");
        write_down(platform, &record);
        return Err(Dropped);
    }
    let settings = platform.settings().clone();
    let (bytes, _) = receive::read(body, MAX_BODY).await;
    record.body = bytes;
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path(), |path| path.as_str());
    let target = Target { event: None, path, method: head.method.as_str() };
    let fault = platform.faults().take(&target);
    record.fault = fault.as_ref().map(Fault::name);
    let reply = match fault.as_ref().map_or(Effect::Pass, Fault::effect) {
        Effect::DropBefore => None,
        Effect::Answer(status) => Some(faulty_reply(fault.as_ref(), status)),
        Effect::Refuse => Some(refusal(
            &mut record,
            StatusCode::BAD_REQUEST,
            Refusal::whole("fault", "refused by a fault"),
        )),
        Effect::Pass => {
            let done = if is_apps {
                of_variant(&settings, &head, &record.body)
            } else {
                of_contact(platform, &settings, &head, received)
            };
            Some(match done {
                Ok(reply) => {
                    record.verdict = Verdict::Accepted;
                    changed(fault.as_ref(), reply)
                }
                Err(Refused(status, why)) => refusal(&mut record, status, why),
            })
        }
    };
    let reply =
        reply.filter(|_| fault.as_ref().is_none_or(|fault| fault.drop != Some(Drop::After)));
    record.status = reply.as_ref().map(|reply| reply.status().as_u16());
    write_down(platform, &record);
    if let Some(fault) = &fault {
        pause(fault).await;
    }
    reply.ok_or(Dropped)
}

fn refusal(record: &mut Record, status: StatusCode, why: Refusal) -> Reply {
    let reply = json_reply(status, &json!({ "status": status.as_u16(), "error": &why }));
    (record.verdict, record.error) = (Verdict::Refused, Some(why));
    reply
}

/// The answer of an accepted request, as the fault has it; the next token comes along all the same.
fn changed(fault: Option<&Fault>, reply: Reply) -> Reply {
    let Some(fault) = fault.filter(|fault| fault.status.is_some() || fault.body.is_some()) else {
        return reply;
    };
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut other = faulty_reply(Some(fault), status.unwrap_or(reply.status()));
    if let Some(token) = reply.headers().get(TOKEN) {
        other.headers_mut().insert(TOKEN, token.clone());
    }
    other
}

fn write_down(platform: &Platform, record: &Record) {
    let written = platform.store.transact(|state| state.add(record, record.verdict, record.status));
    if let Err(error) = written {
        eprintln!("sandbox: request {} is lost: {error}", record.seq);
    }
}

/// Spends the token, and gives the next one.
fn of_contact(
    platform: &Platform,
    settings: &Settings,
    head: &Parts,
    now: u64,
) -> Result<Reply, Refused> {
    if head.method != Method::GET {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "method", "GET is expected");
    }
    let token = head.headers.get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    let Some(whose) = platform.tokens.spend(token, now) else {
        return refused(StatusCode::UNAUTHORIZED, "token", "no token that is good");
    };
    let id = head.uri.path().trim_start_matches(CONTACTS);
    let Ok(id) = id.parse::<i32>() else {
        return refused(StatusCode::BAD_REQUEST, "dataSourceId", "a number is expected");
    };
    let (mut products, mut category) = (Vec::new(), None);
    for (name, value) in form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "products" => products.extend(value.split(',').map(|id| id.trim().to_owned())),
            "category" => category = Some(value.into_owned()),
            _ => {
                return refused(StatusCode::BAD_REQUEST, "parameter", "there is no such parameter");
            }
        }
    }
    let about = About { whose: Some(&whose), products, category: category.as_deref() };
    let container = container(settings, id.into());
    let mut reply = json_reply(StatusCode::OK, &listed(settings, &about, &container));
    let next = platform.tokens.add_of_contact(whose.clone(), now.saturating_add(settings.token_ms));
    if let Ok(next) = HeaderValue::from_str(&next) {
        reply.headers_mut().insert(TOKEN, next);
    }
    Ok(reply)
}

/// Recommends of a variant what its body asks for.
fn of_variant(settings: &Settings, head: &Parts, body: &[u8]) -> Result<Reply, Refused> {
    if head.method != Method::POST {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "method", "POST is expected");
    }
    let key = head.headers.get(KEY).and_then(|key| key.to_str().ok());
    if key != Some(settings.mobile_key.as_str()) {
        return refused(StatusCode::UNAUTHORIZED, "key", "no access key that is known");
    }
    let rest = head.uri.path().trim_start_matches(APPS);
    let Some(variant) = rest.strip_suffix("/request").filter(|id| !id.contains('/')) else {
        return refused(StatusCode::NOT_FOUND, "path", "there is no such method");
    };
    if !is_json(&head.headers) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return refused(status, "content_type", "Content-Type: application/json is required");
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = variant.strip_prefix('r').and_then(|rest| rest.split_once('v'));
    if !parts.is_some_and(|(recom, variant)| is_digits(recom) && is_digits(variant)) {
        return refused(StatusCode::BAD_REQUEST, "recomVariantId", "it looks like r1v2");
    }
    let Some(needs) = settings.mobile_variants.get(variant) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return refused(status, "recomVariantId", "there is no such variant");
    };
    let asked = read(body)?;
    for (name, missing) in
        [("products", asked.products.is_empty()), ("category", asked.category.is_none())]
    {
        if missing && needs.iter().any(|need| need == name) {
            return refused(StatusCode::BAD_REQUEST, name, "the variant needs it");
        }
    }
    let about =
        About { whose: None, products: asked.products, category: asked.category.as_deref() };
    let container = format!("19535_{variant}");
    let shown = records(settings, &about, &container, &asked.fields, &asked.filters);
    Ok(json_reply(StatusCode::OK, &shown))
}

/// What an app asks for.
struct Asked {
    products: Vec<String>,
    category: Option<String>,
    fields: Vec<String>,
    filters: Vec<(String, Vec<String>)>,
}

fn read(body: &[u8]) -> Result<Asked, Refused> {
    let wrong = |code, message| refused(StatusCode::BAD_REQUEST, code, message);
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return wrong("json", "an object is expected");
    };
    let mut asked =
        Asked { products: Vec::new(), category: None, fields: Vec::new(), filters: Vec::new() };
    for (name, value) in body {
        match name.as_str() {
            "products" => asked.products = texts(&value).ok_or_else(|| bad("products"))?,
            "fields" => asked.fields = texts(&value).ok_or_else(|| bad("fields"))?,
            "category" => {
                let text = value.as_str().filter(|text| !text.is_empty());
                asked.category = Some(text.ok_or_else(|| bad("category"))?.to_owned());
            }
            "filters" => {
                for filter in value.as_array().ok_or_else(|| bad("filters"))? {
                    let name = filter["name"].as_str().ok_or_else(|| bad("filters.name"))?;
                    let values = texts(&filter["values"]).ok_or_else(|| bad("filters.values"))?;
                    asked.filters.push((name.to_owned(), values));
                }
            }
            _ => return wrong("member", "there is no such member"),
        }
    }
    Ok(asked)
}

fn bad(code: &'static str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, Refusal::whole(code, "of another kind than expected"))
}

/// A list of texts; an empty one is never sent.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
