//! `/api/v1/…`, `/api/v2/…` and `/api/v3/…`: one REST request's way from arrival to answer.
//!
//! # Order
//!
//! Route, key, right, pool, fault, media type, schema, repetition, the operation itself. What stops a
//! request early is not asked about later: a request without a key is not counted by a pool, one above
//! a limit uses up no fault.

mod keys;
mod limits;

use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CONTENT_ENCODING, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::{Map, Value, json};

use self::keys::Sender;
pub(crate) use self::keys::Tokens;
pub(super) use self::limits::Limits;
use super::receive::{self, Rejection, faulty_reply, is_json, pause};
use super::{Dropped, Platform, Reply, empty_reply, json_reply, reply};
use crate::api::{Failure, Operation, Route, SPEC};
use crate::contract::Refusal;
use crate::faults::{Drop, Effect, Fault, Target};
use crate::rest::{self, Answer, Call, Content, Trouble};
use crate::settings::Settings;
use crate::store::{Record, Verdict};

/// Where versions begin in a path.
const PREFIX: &str = "/api";

/// Far above 3000 contacts with all their fields.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Operations of which the same request within a minute is refused.
const ONCE: [&str; 4] = ["addContact", "subscribeContact", "updateContact", "ordersBulkInsert"];

/// Whether a path belongs to the REST API. The tracker's own address does not.
pub(super) fn is_rest(path: &str) -> bool {
    ["/api/v1/", "/api/v2/", "/api/v3/"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
}

/// A request whose operation is known.
struct Routed {
    operation: &'static Operation,
    in_path: Map<String, Value>,
}

/// Why a request got no further, and what the answer says beyond it.
struct Stop {
    failure: Failure,
    verdict: Verdict,
    headers: Vec<(HeaderName, String)>,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { failure, verdict: Verdict::Refused, headers: Vec::new() }
    }
}

impl Stop {
    fn with(mut self, header: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// Receives whatever is sent below `/api/v…/`.
pub(super) async fn answer(
    platform: &Platform,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let (seq, received) = (platform.next_seq(), platform.clock.now());
    let (head, body) = request.into_parts();
    let mut record = Record::of(seq, received, &head, Verdict::Faulted);
    record.once = false;

    if platform.faults().take_down() {
        record.fault = Some("down");
        write_down(platform, &record);
        return Err(Dropped);
    }

    let settings = platform.settings().clone();
    let (bytes, complete) = receive::read(body, MAX_BODY).await;
    record.body = bytes;

    let routed = match admit(platform, &settings, &head, &mut record) {
        Ok(routed) => routed,
        Err(stop) => {
            let reply = refused(&mut record, &stop, false);
            write_down(platform, &record);
            return Ok(reply);
        }
    };
    let fault = take_fault(platform, &head, &record.body);
    record.fault = fault.as_ref().map(Fault::name);
    let in_text = routed.operation.answers_in_text;
    let reply = match fault.as_ref().map_or(Effect::Pass, Fault::effect) {
        Effect::DropBefore => None,
        Effect::Answer(status) => Some(faulty_reply(fault.as_ref(), status)),
        Effect::Refuse => {
            let refusal = Refusal::whole("fault", "refused by a fault");
            let failure = Failure { status: StatusCode::BAD_REQUEST, refusal };
            Some(refused(&mut record, &failure.into(), in_text))
        }
        Effect::Pass => {
            let window = fault.as_ref().and_then(|fault| fault.duplicate_window_ms);
            let window = window.unwrap_or(settings.rest_duplicate_window_ms);
            let judged = complete
                .map_err(|Rejection(status, refusal)| Failure { status, refusal })
                .and_then(|()| judge(&routed, &head, &mut record));
            let conditions = Conditions { settings: &settings, fault: fault.as_ref(), window };
            let reply = match judged {
                Ok(judged) => perform(platform, &conditions, &routed, judged, &mut record),
                Err(failure) => {
                    let reply = refused(&mut record, &failure.into(), in_text);
                    record.status = conditions.status_of(&reply);
                    write_down(platform, &record);
                    reply
                }
            };
            if let Some(fault) = &fault {
                pause(fault).await;
            }
            return if conditions.is_dropped() { Err(Dropped) } else { Ok(reply) };
        }
    };
    record.status = reply.as_ref().map(|reply| reply.status().as_u16());
    write_down(platform, &record);
    if let Some(fault) = &fault {
        pause(fault).await;
    }
    reply.ok_or(Dropped)
}

/// Finds the operation and whether this request may call it now.
fn admit(
    platform: &Platform,
    settings: &Settings,
    head: &Parts,
    record: &mut Record,
) -> Result<Routed, Stop> {
    let now = record.received;
    let sender = Sender::of(&head.headers, settings, &platform.tokens, now);
    (record.auth, record.key) = (Some(sender.name()), sender.key());
    let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    // Set at once, so that a request to no operation is not taken for one of the tracker.
    record.operation = Some(String::new());
    let (operation, in_path) = match SPEC.route(&head.method, path) {
        Route::Operation(operation, in_path) => (operation, in_path),
        Route::Method(methods) => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let failure = Failure::whole(status, "method", "Request method is not supported");
            return Err(Stop::from(failure).with(ALLOW, methods.join(", ")));
        }
        Route::Nothing => return Err(Failure::not_found("there is no such method").into()),
    };
    record.operation = Some(operation.id.clone());
    if let Err(failure) = sender.check(operation, settings) {
        let unauthorized = failure.status == StatusCode::UNAUTHORIZED;
        let stop = Stop::from(failure);
        return Err(if unauthorized {
            stop.with(WWW_AUTHENTICATE, "Basic realm=\"eSputnik\"")
        } else {
            stop
        });
    }
    let pool = &SPEC.pools()[operation.pool];
    record.pool = Some(pool.name.clone());
    if let Err(seconds) = platform.limits().admit(pool, settings, now) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let failure =
            Failure::whole(status, "limited", format!("too many requests: {}", pool.name));
        let mut stop = Stop::from(failure).with(RETRY_AFTER, seconds.to_string());
        stop.verdict = Verdict::Limited;
        return Err(stop);
    }
    record.once = ONCE.contains(&operation.id.as_str());
    Ok(Routed { operation, in_path })
}

fn take_fault(platform: &Platform, head: &Parts, body: &[u8]) -> Option<Fault> {
    let mut faults = platform.faults();
    if faults.list().is_empty() {
        return None;
    }
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let event = body.as_ref().and_then(|body| body.get("eventTypeKey")?.as_str());
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path(), |path| path.as_str());
    faults.take(&Target { event, path, method: head.method.as_str() })
}

/// What a request says, read as its schemas have it.
struct Judged {
    parameters: Value,
    body: Value,
}

fn judge(routed: &Routed, head: &Parts, record: &mut Record) -> Result<Judged, Failure> {
    let operation = routed.operation;
    let mut body = Value::Null;
    if operation.takes_body() {
        let unsupported =
            |code, message| Err(Failure::whole(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message));
        if !is_json(&head.headers) {
            return unsupported("content_type", "Content-Type: application/json is required");
        }
        if head.headers.contains_key(CONTENT_ENCODING) {
            return unsupported("content_encoding", "a body without encoding is expected");
        }
        body = serde_json::from_slice(&record.body)
            .map_err(|error| Failure::whole(StatusCode::BAD_REQUEST, "json", error.to_string()))?;
    }
    let query = head.uri.query().unwrap_or_default();
    let parameters =
        operation.read_parameters(routed.in_path.clone(), query, &mut record.extras)?;
    operation.read_body(&mut body, &mut record.extras)?;
    Ok(Judged { parameters, body })
}

/// What a request is answered under besides what it says.
struct Conditions<'a> {
    settings: &'a Settings,
    fault: Option<&'a Fault>,
    /// For how long a repetition is one.
    window: u64,
}

impl Conditions<'_> {
    /// Whether the connection closes after everything was done.
    fn is_dropped(&self) -> bool {
        self.fault.is_some_and(|fault| fault.drop == Some(Drop::After))
    }

    fn status_of(&self, reply: &Reply) -> Option<u16> {
        (!self.is_dropped()).then(|| reply.status().as_u16())
    }

    /// The answer of an accepted request, as the fault has it.
    fn changed(&self, reply: Reply) -> Reply {
        let Some(fault) = self.fault else { return reply };
        if fault.status.is_none() && fault.body.is_none() && fault.retry_after.is_none() {
            return reply;
        }
        let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
        faulty_reply(Some(fault), status.unwrap_or(reply.status()))
    }
}

/// Does what the operation is for, and writes the request down in the same transaction.
fn perform(
    platform: &Platform,
    conditions: &Conditions<'_>,
    routed: &Routed,
    judged: Judged,
    record: &mut Record,
) -> Reply {
    let in_text = routed.operation.answers_in_text;
    let settings = conditions.settings;
    let done = platform.store.transact(|state| {
        let now = i64::try_from(record.received).unwrap_or(i64::MAX);
        rest::catch_up(state, settings, now)?;
        let reply = if record.once && state.is_repeated(record, conditions.window)? {
            let refusal = Refusal::whole("duplicate", "Duplicated request");
            let mut stop = Stop::from(Failure { status: StatusCode::CONFLICT, refusal });
            stop.verdict = Verdict::Duplicate;
            refused(record, &stop, in_text)
        } else {
            let Judged { parameters, body } = judged;
            let operation = routed.operation;
            let tokens = &platform.tokens;
            let size = record.body.len();
            let call = Call { operation, state, settings, tokens, now, parameters, body, size };
            match state.attempt(|| rest::perform(&call)) {
                Ok(answer) => {
                    record.verdict = Verdict::Accepted;
                    conditions.changed(shown(answer))
                }
                Err(Trouble::Failure(failure)) => refused(record, &failure.into(), in_text),
                Err(Trouble::Store(error)) => return Err(error),
            }
        };
        state.add(record, record.verdict, conditions.status_of(&reply))?;
        Ok(reply)
    });
    done.unwrap_or_else(|error| {
        eprintln!("sandbox: request {} is lost: {error}", record.seq);
        let message = json!({ "status": 500, "message": "the request could not be recorded" });
        json_reply(StatusCode::INTERNAL_SERVER_ERROR, &message)
    })
}

fn refused(record: &mut Record, stop: &Stop, in_text: bool) -> Reply {
    let Failure { status, refusal } = &stop.failure;
    let text = stop.failure.text();
    let mut reply = if in_text && *status == StatusCode::BAD_REQUEST {
        reply(*status, "text/plain; charset=utf-8", text)
    } else {
        json_reply(*status, &json!({ "status": status.as_u16(), "message": text }))
    };
    for (name, value) in &stop.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.headers_mut().insert(name, value);
        }
    }
    record.verdict = stop.verdict;
    record.status = Some(status.as_u16());
    record.error = Some(refusal.clone());
    reply
}

fn shown(answer: Answer) -> Reply {
    let mut shown = match answer.content {
        Content::Nothing => empty_reply(answer.status),
        Content::Json(body) => json_reply(answer.status, &body),
        Content::BareText(text) => reply(answer.status, "application/json", text),
        Content::Text(text) => reply(answer.status, "text/plain; charset=utf-8", text),
    };
    if let Some(total) = answer.total {
        let total = HeaderValue::from(total);
        shown.headers_mut().insert(HeaderName::from_static("totalcount"), total);
    }
    shown
}

fn write_down(platform: &Platform, record: &Record) {
    let written = platform.store.transact(|state| state.add(record, record.verdict, record.status));
    if let Err(error) = written {
        eprintln!("sandbox: request {} is lost: {error}", record.seq);
    }
}
