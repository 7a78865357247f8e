//! Cloudflare's `siteverify`, which the platform has nothing to do with: for forms that use its test of
//! persons.
//!
//! A test says beforehand which answers of widgets there are, by `PUT /turnstile`; each is good once,
//! unless the same question is asked again with its `idempotency_key`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Platform, Reply, json_reply};

/// Far above any question.
const MAX_BODY: usize = 64 * 1024;

/// Longest answer of a widget, as Cloudflare documents it.
const MAX_RESPONSE: usize = 2048;

/// What is known of widgets.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Turnstile {
    /// The only secret that is right.
    secret: String,
    /// What widgets have answered; a name that ends with `*` stands for all that begin so.
    responses: BTreeMap<String, Solved>,
    /// How often it was asked.
    #[serde(skip_deserializing)]
    asked: u64,
    /// Answers that were used, with the key of the question.
    #[serde(skip)]
    used: HashMap<String, Option<String>>,
}

/// An answer of a widget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Solved {
    hostname: String,
    action: String,
    /// More than five minutes old.
    expired: bool,
    /// How long the verification takes.
    delay_ms: u64,
    /// Where the verification sends whoever asks, in place of an answer.
    redirect: Option<String>,
    /// The answer's text in place of the usual one.
    body: Option<String>,
}

pub(super) fn is_turnstile(path: &str) -> bool {
    path == "/turnstile" || path == "/turnstile/siteverify"
}

pub(super) async fn answer(platform: &Platform, request: Request<Incoming>) -> Reply {
    let verifies = request.uri().path().ends_with("siteverify");
    let method = request.method().clone();
    let kind = request.headers().get(CONTENT_TYPE).cloned();
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
        return wrong(StatusCode::PAYLOAD_TOO_LARGE, "too long");
    };
    let body = body.to_bytes();
    match (verifies, method) {
        (true, Method::POST) => verify(platform, kind.as_ref(), &body).await,
        (false, Method::PUT) => match serde_json::from_slice(&body) {
            Ok(new) => {
                let mut turnstile = platform.turnstile();
                *turnstile = new;
                json_reply(StatusCode::OK, &*turnstile)
            }
            Err(error) => wrong(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        (false, Method::GET) => json_reply(StatusCode::OK, &*platform.turnstile()),
        _ => wrong(StatusCode::METHOD_NOT_ALLOWED, "not with this method"),
    }
}

fn wrong(status: StatusCode, message: &str) -> Reply {
    json_reply(status, &json!({ "message": message }))
}

async fn verify(platform: &Platform, kind: Option<&HeaderValue>, body: &[u8]) -> Reply {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let members: Option<Map<String, Value>> = match kind.split(';').next().unwrap_or_default() {
        "application/json" => serde_json::from_slice(body).ok(),
        "application/x-www-form-urlencoded" => {
            let pairs = form_urlencoded::parse(body);
            Some(pairs.map(|(name, text)| (name.into_owned(), json!(text))).collect())
        }
        _ => None,
    };
    let Some(members) = members else { return failed(StatusCode::BAD_REQUEST, "bad-request") };
    let known = ["secret", "response", "remoteip", "idempotency_key"];
    if !members.keys().all(|name| known.contains(&name.as_str())) {
        return failed(StatusCode::BAD_REQUEST, "bad-request");
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let solved = match platform.turnstile().solve(
        text("secret"),
        text("response"),
        members.get("idempotency_key").and_then(Value::as_str),
    ) {
        Ok(solved) => solved,
        Err(code) => return failed(StatusCode::OK, code),
    };
    tokio::time::sleep(Duration::from_millis(solved.delay_ms)).await;
    if let Some(Ok(place)) = solved.redirect.as_deref().map(HeaderValue::from_str) {
        let mut reply = wrong(StatusCode::TEMPORARY_REDIRECT, "elsewhere");
        reply.headers_mut().insert(LOCATION, place);
        return reply;
    }
    if let Some(body) = solved.body {
        return super::reply(StatusCode::OK, "application/json", body);
    }
    json_reply(
        StatusCode::OK,
        &json!({
            "success": true,
            "challenge_ts": "2026-11-26T12:00:00.000Z",
            "hostname": solved.hostname,
            "error-codes": [],
            "action": solved.action,
            "cdata": "",
        }),
    )
}

fn failed(status: StatusCode, code: &str) -> Reply {
    json_reply(status, &json!({ "success": false, "error-codes": [code] }))
}

impl Turnstile {
    fn solve(
        &mut self,
        secret: &str,
        response: &str,
        key: Option<&str>,
    ) -> Result<Solved, &'static str> {
        self.asked += 1;
        if secret.is_empty() {
            return Err("missing-input-secret");
        }
        if secret != self.secret {
            return Err("invalid-input-secret");
        }
        if response.is_empty() {
            return Err("missing-input-response");
        }
        if key.is_some_and(|key| !is_uuid(key)) {
            return Err("bad-request");
        }
        let begins =
            |name: &str| name.strip_suffix('*').is_some_and(|start| response.starts_with(start));
        let found = self.responses.get(response).or_else(|| {
            self.responses.iter().find(|(name, _)| begins(name)).map(|(_, solved)| solved)
        });
        let Some(solved) = found.filter(|_| response.len() <= MAX_RESPONSE) else {
            return Err("invalid-input-response");
        };
        let asked_so =
            self.used.get(response).map(|first| key.is_some() && first.as_deref() == key);
        if solved.expired || asked_so == Some(false) {
            return Err("timeout-or-duplicate");
        }
        let solved = solved.clone();
        self.used.insert(response.to_owned(), key.map(str::to_owned));
        Ok(solved)
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::Turnstile;

    #[test]
    fn an_answer_is_good_once_and_only_with_the_right_secret() {
        let mut turnstile: Turnstile = serde_json::from_str(
            r#"{"secret": "s", "responses": {"a": {}, "many-*": {}, "old": {"expired": true}}}"#,
        )
        .expect("settings");
        let (one, two) =
            ("00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002");
        assert!(turnstile.solve("s", "a", Some(one)).is_ok());
        assert!(turnstile.solve("s", "a", Some(one)).is_ok(), "the same question");
        assert_eq!(turnstile.solve("s", "a", Some(two)), Err("timeout-or-duplicate"));
        assert!(turnstile.solve("s", "many-1", None).is_ok());
        assert_eq!(turnstile.solve("s", "many-1", None), Err("timeout-or-duplicate"));
        assert_eq!(turnstile.solve("s", "old", None), Err("timeout-or-duplicate"));
        assert_eq!(turnstile.solve("s", "b", None), Err("invalid-input-response"));
        assert_eq!(turnstile.solve("x", "a", None), Err("invalid-input-secret"));
        assert_eq!(turnstile.solve("s", "many-2", Some("1")), Err("bad-request"));
    }
}
