//! `POST /api/v2`: one request's way from arrival to answer.

use std::collections::VecDeque;
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{Dropped, Platform, Reply, empty_reply, json_reply, reply};
use crate::contract::{self, Refusal, Rules};
use crate::faults::{Effect, Fault, Target};
use crate::settings::Settings;
use crate::store::{Record, Verdict};

const TRACKER: &str = "/api/v2";

/// The documents name no size; this one keeps a runaway test from filling the disk.
const MAX_BODY: usize = 1024 * 1024;

/// The requests of the last second.
#[derive(Debug, Default)]
pub(super) struct Limiter(VecDeque<u64>);

impl Limiter {
    /// Counts a request that arrived at `now`, unless that makes more than `limit` in a second.
    fn admit(&mut self, now: u64, limit: usize) -> bool {
        while self.0.front().is_some_and(|first| first + 1000 <= now) {
            self.0.pop_front();
        }
        let admitted = self.0.len() < limit;
        if admitted {
            self.0.push_back(now);
        }
        admitted
    }
}

/// What is decided about a request before it is written down.
struct Outcome {
    verdict: Verdict,
    /// None to close the connection instead.
    reply: Option<Reply>,
    error: Option<Refusal>,
    extras: Vec<String>,
}

/// A refusal and the status that goes with it.
pub(super) struct Rejection(pub(super) StatusCode, pub(super) Refusal);

impl Rejection {
    fn bad_request(refusal: Refusal) -> Self {
        Self(StatusCode::BAD_REQUEST, refusal)
    }
}

impl From<Rejection> for Outcome {
    fn from(Rejection(status, refusal): Rejection) -> Self {
        let mut reply = json_reply(status, &json!({ "error": &refusal }));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Self {
            verdict: Verdict::Refused,
            reply: Some(reply),
            error: Some(refusal),
            extras: Vec::new(),
        }
    }
}

impl Outcome {
    fn accepted(reply: Reply, extras: Vec<String>) -> Self {
        Self { verdict: Verdict::Accepted, reply: Some(reply), error: None, extras }
    }

    fn faulted(reply: Option<Reply>) -> Self {
        Self { verdict: Verdict::Faulted, reply, error: None, extras: Vec::new() }
    }

    fn limited() -> Self {
        let refusal = Refusal::whole("limited", "too many requests in a second");
        let mut outcome = Self::from(Rejection(StatusCode::TOO_MANY_REQUESTS, refusal));
        outcome.verdict = Verdict::Limited;
        if let Some(reply) = &mut outcome.reply {
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        outcome
    }
}

/// Receives whatever is sent to the tracker, also to a wrong address or with a wrong method.
pub(super) async fn answer(
    platform: &Platform,
    request: Request<Incoming>,
) -> Result<Reply, Dropped> {
    let (seq, received) = (platform.next_seq(), platform.clock.now());
    let (head, body) = request.into_parts();
    let mut record = Record::of(seq, received, &head, Verdict::Faulted);

    if platform.faults().take_down() {
        record.fault = Some("down");
        let _ = write_down(platform, &record, 0);
        return Err(Dropped);
    }

    let settings = platform.settings().clone();
    let (bytes, complete) = read(body, MAX_BODY).await;
    record.body = bytes;
    let json = serde_json::from_slice::<Value>(&record.body);
    if let Ok(json) = &json {
        record.event = contract::event_name(json).map(str::to_owned);
        record.sc = contract::web_id(json).map(str::to_owned);
    }

    let is_event = head.method == Method::POST && head.uri.path() == TRACKER;
    let admitted = !is_event || admitted(platform, &settings, received);
    let target = Target { event: record.event.as_deref(), path: TRACKER, method: "POST" };
    let fault = if is_event && admitted { platform.faults().take(&target) } else { None };
    let outcome = match fault.as_ref().map_or(Effect::Pass, Fault::effect) {
        _ if !admitted => Outcome::limited(),
        Effect::DropBefore => Outcome::faulted(None),
        Effect::Answer(status) => Outcome::faulted(Some(faulty_reply(fault.as_ref(), status))),
        Effect::Refuse => {
            Rejection::bad_request(Refusal::whole("fault", "refused by a fault")).into()
        }
        Effect::Pass => check_head(&head)
            .and(complete)
            .and_then(|()| judge(json, &settings, received).map_err(Rejection::bad_request))
            .map_or_else(Outcome::from, |extras| {
                Outcome::accepted(accepted(&settings, fault.as_ref()), extras)
            }),
    };

    let mut reply = outcome.reply;
    if fault.as_ref().and_then(|fault| fault.drop).is_some() {
        reply = None;
    }
    record.verdict = outcome.verdict;
    record.status = reply.as_ref().map(|reply| reply.status().as_u16());
    record.fault = fault.as_ref().map(Fault::name);
    record.error = outcome.error;
    record.extras = outcome.extras;
    let window = fault.as_ref().and_then(|fault| fault.duplicate_window_ms);
    match write_down(platform, &record, window.unwrap_or(settings.duplicate_window_ms)) {
        Some(Verdict::Duplicate) => reply = reply.map(|_| duplicate()),
        Some(_) => {}
        None => reply = Some(empty_reply(StatusCode::INTERNAL_SERVER_ERROR)),
    }

    if let Some(fault) = &fault {
        pause(fault).await;
    }
    reply.ok_or(Dropped)
}

/// What could be read of a body, and whether that is all of it and not too much.
///
/// One that is somewhat too large is still read, since a caller that is cut off while it sends often
/// never sees the answer.
pub(super) async fn read(body: Incoming, most: usize) -> (Vec<u8>, Result<(), Rejection>) {
    match Limited::new(body, 4 * most).collect().await {
        Ok(body) => {
            let bytes: Vec<u8> = body.to_bytes().into();
            let fits = bytes.len() <= most;
            (bytes, if fits { Ok(()) } else { Err(too_large(most)) })
        }
        Err(error) if error.is::<LengthLimitError>() => (Vec::new(), Err(too_large(most))),
        Err(error) => {
            let refusal = Refusal::whole("body_incomplete", error.to_string());
            (Vec::new(), Err(Rejection::bad_request(refusal)))
        }
    }
}

/// Tells what became of the request, or None if it could not be written down.
fn write_down(platform: &Platform, record: &Record, window: u64) -> Option<Verdict> {
    let added = platform.store.add(record, window);
    added.inspect_err(|error| eprintln!("sandbox: request {} is lost: {error}", record.seq)).ok()
}

fn admitted(platform: &Platform, settings: &Settings, now: u64) -> bool {
    settings.rate_limit_per_s.is_none_or(|limit| {
        platform.limiter().admit(now, usize::try_from(limit).unwrap_or(usize::MAX))
    })
}

fn check_head(head: &Parts) -> Result<(), Rejection> {
    let reject =
        |status, code, message: &str| Err(Rejection(status, Refusal::whole(code, message)));
    if head.uri.path() != TRACKER {
        return reject(StatusCode::NOT_FOUND, "path", "the tracker's address is /api/v2");
    }
    if head.method != Method::POST {
        return reject(StatusCode::METHOD_NOT_ALLOWED, "method", "the tracker takes POST");
    }
    let unsupported = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    if !is_json(&head.headers) {
        return reject(unsupported, "content_type", "Content-Type: application/json is required");
    }
    if head.headers.contains_key(CONTENT_ENCODING) {
        return reject(unsupported, "content_encoding", "a body without encoding is expected");
    }
    Ok(())
}

/// Exactly one Content-Type, and no charset besides the one that JSON has.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |part: &str| {
        part.split_once('=').is_none_or(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    is_json && parts.all(is_utf8)
}

fn too_large(most: usize) -> Rejection {
    let refusal = Refusal::whole("too_large", format!("a body has at most {most} bytes"));
    Rejection(StatusCode::PAYLOAD_TOO_LARGE, refusal)
}

fn judge(
    json: Result<Value, serde_json::Error>,
    settings: &Settings,
    now: u64,
) -> Result<Vec<String>, Refusal> {
    let json = json.map_err(|error| Refusal::whole("json", error.to_string()))?;
    let (check_datetime, site_ids) = (settings.check_datetime, settings.site_ids.as_slice());
    contract::check(&json, &Rules { now, check_datetime, site_ids })
}

fn accepted(settings: &Settings, fault: Option<&Fault>) -> Reply {
    let status = fault.and_then(|fault| fault.status.or(fault.success_status));
    let status = StatusCode::from_u16(status.unwrap_or(settings.success_status))
        .expect("settings and faults are checked when they are put");
    if fault.is_some_and(|fault| fault.body.is_some() || fault.retry_after.is_some()) {
        return faulty_reply(fault, status);
    }
    if status == StatusCode::NO_CONTENT {
        empty_reply(status)
    } else {
        json_reply(status, &json!({}))
    }
}

fn duplicate() -> Reply {
    json_reply(StatusCode::BAD_REQUEST, &json!({ "message": "Duplicated request" }))
}

pub(super) fn faulty_reply(fault: Option<&Fault>, status: StatusCode) -> Reply {
    let body = fault.and_then(|fault| fault.body.clone()).unwrap_or_default();
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
    let content_type = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    let mut reply =
        if body.is_empty() { empty_reply(status) } else { reply(status, content_type, body) };
    let header = |text: Option<&String>| text.and_then(|text| HeaderValue::from_str(text).ok());
    if let Some(value) = header(fault.and_then(|fault| fault.retry_after.as_ref())) {
        reply.headers_mut().insert(RETRY_AFTER, value);
    }
    if let Some(value) = header(fault.and_then(|fault| fault.redirect.as_ref())) {
        reply.headers_mut().insert(LOCATION, value);
    }
    reply
}

pub(super) async fn pause(fault: &Fault) {
    let jitter = fault.jitter_ms.map_or(0, |most| fastrand::u64(0..=most));
    let pause = fault.delay_ms.unwrap_or(0).saturating_add(jitter);
    if pause > 0 {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
