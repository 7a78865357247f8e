//! What a test reads and sets. Nothing of this is part of the platform, and nothing is recorded.

use std::str::FromStr;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, StatusCode, Uri};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Platform, Reply, empty_reply, json_reply, page, reply, state};
use crate::faults::Faults;
use crate::settings::Settings;
use crate::store::{Filter, Stored, Verdict};

/// Far above any list of faults.
const MAX_BODY: usize = 64 * 1024;

/// As many as a reader wants at once, unless it says otherwise.
pub(super) const DEFAULT_LIMIT: u32 = 1000;

/// An address of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Page,
    Requests,
    Body(u64),
    Events,
    Stats,
    Faults,
    Settings,
    State,
    Contacts,
    Orders,
    ApiEvents,
}

/// The route of a path, or None for what belongs to the tracker or the REST API.
pub(super) fn route(path: &str) -> Option<Route> {
    Some(match path {
        "/" => Route::Page,
        "/requests" => Route::Requests,
        "/events" => Route::Events,
        "/stats" => Route::Stats,
        "/faults" => Route::Faults,
        "/settings" => Route::Settings,
        "/state" => Route::State,
        "/contacts" => Route::Contacts,
        "/orders" => Route::Orders,
        "/api-events" => Route::ApiEvents,
        _ => {
            let seq = path.strip_prefix("/requests/")?.strip_suffix("/body")?;
            Route::Body(seq.parse().ok()?)
        }
    })
}

/// Why a reading or setting did not work.
pub(super) enum Failure {
    Wrong(String),
    Absent,
    Method,
    Store(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

pub(super) async fn answer(platform: &Platform, route: Route, request: Request<Incoming>) -> Reply {
    let mut reply = match try_answer(platform, route, request).await {
        Ok(reply) => reply,
        Err(Failure::Wrong(message)) => failed(StatusCode::BAD_REQUEST, &message),
        Err(Failure::Absent) => failed(StatusCode::NOT_FOUND, "there is no such request"),
        Err(Failure::Method) => failed(StatusCode::METHOD_NOT_ALLOWED, "not with this method"),
        Err(Failure::Store(error)) => failed(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    };
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn failed(status: StatusCode, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message }))
}

async fn try_answer(
    platform: &Platform,
    route: Route,
    request: Request<Incoming>,
) -> Result<Reply, Failure> {
    let method = request.method().clone();
    let store = &platform.store;
    Ok(match (route, method) {
        (Route::Page, Method::GET) => {
            let html = page::render(&store.stats()?, &store.newest(page::ROWS)?);
            reply(StatusCode::OK, "text/html; charset=utf-8", html)
        }
        (Route::Requests, Method::GET) => {
            let filter = filter(request.uri(), true)?;
            let list = store.list(&filter)?;
            json_reply(StatusCode::OK, &list.iter().map(Listed::of).collect::<Vec<_>>())
        }
        (Route::Requests, Method::DELETE) => {
            store.clear()?;
            empty_reply(StatusCode::NO_CONTENT)
        }
        (Route::Body(seq), Method::GET) => {
            let body = store.body(seq)?.ok_or(Failure::Absent)?;
            // Shown in a browser instead of saved, and as text whatever it holds.
            let mut reply = reply(StatusCode::OK, "text/plain; charset=utf-8", body);
            reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            reply
        }
        (Route::Events, Method::GET) => {
            let filter = Filter {
                verdict: Some(Verdict::Accepted),
                tracker_only: true,
                ..filter(request.uri(), false)?
            };
            let list = store.list(&filter)?;
            json_reply(StatusCode::OK, &list.iter().map(Event::of).collect::<Vec<_>>())
        }
        (Route::Stats, Method::GET) => json_reply(StatusCode::OK, &store.stats()?),
        (Route::Faults, Method::PUT) => {
            let faults = Faults::parse(&read(request).await?).map_err(Failure::Wrong)?;
            *platform.faults() = faults;
            faults_in_force(platform)
        }
        (Route::Faults, Method::DELETE) => {
            *platform.faults() = Faults::default();
            faults_in_force(platform)
        }
        (Route::Faults, Method::GET) => faults_in_force(platform),
        (Route::Settings, Method::PUT) => {
            let patch = read(request).await?;
            let mut settings = platform.settings();
            *settings = settings.patched(&patch).map_err(Failure::Wrong)?;
            json_reply(StatusCode::OK, &*settings)
        }
        (Route::Settings, Method::DELETE) => {
            *platform.settings() = Settings::default();
            json_reply(StatusCode::OK, &*platform.settings())
        }
        (Route::Settings, Method::GET) => json_reply(StatusCode::OK, &*platform.settings()),
        (Route::State, Method::DELETE) => {
            state::clear(platform)?;
            empty_reply(StatusCode::NO_CONTENT)
        }
        (Route::Contacts, Method::GET) => state::contacts(platform, request.uri())?,
        (Route::Orders, Method::GET) => state::orders(platform, request.uri())?,
        (Route::ApiEvents, Method::GET) => state::events(platform, request.uri())?,
        _ => return Err(Failure::Method),
    })
}

fn faults_in_force(platform: &Platform) -> Reply {
    json_reply(StatusCode::OK, &json!({ "faults": platform.faults().list() }))
}

async fn read(request: Request<Incoming>) -> Result<Vec<u8>, Failure> {
    match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) => Err(Failure::Wrong(error.to_string())),
    }
}

/// The query of a listing of requests; a misspelt parameter would otherwise quietly list too much.
fn filter(uri: &Uri, takes_verdict: bool) -> Result<Filter, Failure> {
    let mut filter = Filter { limit: Some(DEFAULT_LIMIT), ..Filter::default() };
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "since" => filter.since = number(&name, &value)?,
            "limit" => filter.limit = Some(number(&name, &value)?),
            "event" => filter.event = Some(value.into_owned()),
            "path" if takes_verdict => filter.path = Some(value.into_owned()),
            "verdict" if takes_verdict => {
                let verdict = Verdict::named(&value);
                let unknown = || Failure::Wrong(format!("no verdict is called {value}"));
                filter.verdict = Some(verdict.ok_or_else(unknown)?);
            }
            _ => return Err(Failure::Wrong(format!("no parameter is called {name}"))),
        }
    }
    Ok(filter)
}

pub(super) fn number<T: FromStr>(name: &str, value: &str) -> Result<T, Failure> {
    value.parse().map_err(|_| Failure::Wrong(format!("{name} is a number")))
}

/// A request in a listing.
#[derive(Serialize)]
struct Listed<'a> {
    seq: u64,
    received: u64,
    method: &'a str,
    path: &'a str,
    headers: &'a RawValue,
    authorized: bool,
    auth: Option<&'a str>,
    key: Option<u64>,
    operation: Option<&'a str>,
    pool: Option<&'a str>,
    body: String,
    body_bytes: usize,
    verdict: &'a str,
    status: Option<u16>,
    fault: Option<&'a str>,
    event: Option<&'a str>,
    sc: Option<&'a str>,
    error: Option<&'a RawValue>,
    extras: &'a RawValue,
}

impl<'a> Listed<'a> {
    fn of(stored: &'a Stored) -> Self {
        Self {
            seq: stored.seq,
            received: stored.received,
            method: &stored.method,
            path: &stored.path,
            headers: raw(&stored.headers),
            authorized: stored.authorized,
            auth: stored.auth.as_deref(),
            key: stored.key,
            operation: stored.operation.as_deref(),
            pool: stored.pool.as_deref(),
            body: String::from_utf8_lossy(&stored.body).into_owned(),
            body_bytes: stored.body.len(),
            verdict: &stored.verdict,
            status: stored.status,
            fault: stored.fault.as_deref(),
            event: stored.event.as_deref(),
            sc: stored.sc.as_deref(),
            error: stored.error.as_deref().map(raw),
            extras: raw(&stored.extras),
        }
    }
}

/// An accepted event in a listing; its body as it came, to the digit.
#[derive(Serialize)]
struct Event<'a> {
    seq: u64,
    received: u64,
    body: &'a RawValue,
    user_agent: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn of(stored: &'a Stored) -> Self {
        Self {
            seq: stored.seq,
            received: stored.received,
            body: str::from_utf8(&stored.body).map_or(RawValue::NULL, raw),
            user_agent: stored.user_agent.as_deref(),
        }
    }
}

/// JSON text that the store wrote or the contract read; null if somebody edited the file.
fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap_or(RawValue::NULL)
}
