//! Calls of the platform. Addresses come from the settings alone, and no redirect is followed.

use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use esputnik_kit::api::{Method as ApiMethod, Reply, Request as Call};
use worker::{AbortSignal, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use crate::settings::Secret;

/// How long an answer may take. The vendor's own plug-ins wait five seconds; a request that was
/// taken but not answered is sent again, so patience is cheaper.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an answer to bulk may take, which nobody waits for: thousands of contacts take a while.
const BULK_PATIENCE: Duration = Duration::from_mins(1);

/// Most of an answer's body that is read, in bytes: enough for a message.
const MOST_READ: usize = 4096;

/// The platform's answer.
pub(crate) struct Answer {
    /// `None` for silence: no connection, or no answer in time.
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<String>,
    /// The start of the body, for the reason of a refusal.
    pub(crate) text: String,
}

/// Longest answer of the REST API that is read, in bytes; more would not fit into a Worker's memory.
const MOST_ANSWERED: usize = 8 * 1024 * 1024;

/// Makes a call of the platform's REST API; `None` if there was no answer in time.
///
/// This is the only place where the key leaves the Worker, and where it goes, the settings say alone.
pub(crate) async fn call(api: &str, key: &Secret, call: &Call, bulk: bool) -> Option<Reply> {
    let patience = if bulk { BULK_PATIENCE } else { PATIENCE };
    // Any user name will do; one client found an empty one refused.
    let credentials = Base64::encode_string(["kit:", key.expose()].concat().as_bytes());
    let secrets = [key.expose(), credentials.as_str()];
    match try_call(api, secrets, call, patience).await {
        Ok(reply) => Some(reply),
        Err(error) => {
            // The runtime's words name hosts at most; still, nothing of the key may come along.
            worker::console_warn!("{}: {}", call.operation, scrub(error.to_string(), secrets));
            None
        }
    }
}

async fn try_call(
    api: &str,
    secrets: [&str; 2],
    call: &Call,
    patience: Duration,
) -> worker::Result<Reply> {
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    headers.set("authorization", &["Basic ", secrets[1]].concat())?;
    let mut init = RequestInit::new();
    init.with_method(match call.method {
        ApiMethod::Get => Method::Get,
        ApiMethod::Post => Method::Post,
        ApiMethod::Put => Method::Put,
        ApiMethod::Delete => Method::Delete,
    })
    .with_redirect(RequestRedirect::Manual);
    if let Some(body) = &call.body {
        headers.set("content-type", "application/json; charset=UTF-8")?;
        init.with_body(Some(body.as_str().into()));
    }
    init.with_headers(headers);
    let request = Request::new_with_init(&[api, &call.target].concat(), &init)?;
    let mut response = Fetch::Request(request).send_with_signal(&timeout(patience)).await?;
    let header = |name: &str| response.headers().get(name);
    let (retry_after, total_count) = (header("retry-after")?, header("totalcount")?);
    let length = header("content-length")?.and_then(|text| text.parse::<usize>().ok());
    if length.is_some_and(|length| length > MOST_ANSWERED) {
        return Err("the answer is too long".into());
    }
    // Not in parts, which costs as much as all the rest of a call; how long answers are, the limits
    // on rows say that every call is checked against.
    let text = response.text().await?;
    if text.len() > MOST_ANSWERED {
        return Err("the answer is too long".into());
    }
    Ok(Reply {
        status: response.status_code(),
        retry_after,
        total_count,
        text: scrub(text, secrets),
    })
}

/// Text without the key, plain or encoded, should the other side echo it.
fn scrub(mut text: String, secrets: [&str; 2]) -> String {
    for secret in secrets {
        if text.contains(secret) {
            text = text.replace(secret, "…");
        }
    }
    text
}

/// A signal that ends a request after a time: the runtime's own, which costs a call nothing but this.
pub(crate) fn timeout(patience: Duration) -> AbortSignal {
    let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
    web_sys::AbortSignal::timeout_with_u32(millis).into()
}

/// Posts an event to the tracker. It takes one event a request and needs no key (Y-REST).
///
/// The visitor's User-Agent goes along, as the vendor's plug-in for `OpenCart` does.
pub(crate) async fn send_event(tracker: &str, body: &str, agent: &str) -> Answer {
    match try_send(tracker, body, agent).await {
        Ok(answer) => answer,
        Err(error) => {
            worker::console_warn!("tracker: {error}");
            Answer { status: None, retry_after: None, text: String::new() }
        }
    }
}

async fn try_send(tracker: &str, body: &str, agent: &str) -> worker::Result<Answer> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("accept", "application/json")?;
    if !agent.is_empty() {
        headers.set("user-agent", agent)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(body.into()));
    let request = Request::new_with_init(tracker, &init)?;
    let mut response = Fetch::Request(request).send_with_signal(&timeout(PATIENCE)).await?;
    let retry_after = response.headers().get("retry-after")?;
    let status = Some(response.status_code());
    // A success says nothing more; a refusal may say why.
    let length = response.headers().get("content-length")?.and_then(|text| text.parse().ok());
    let readable = length.is_some_and(|length: usize| length <= MOST_READ);
    let failed = !(200..300).contains(&response.status_code());
    let text = if failed && readable { response.text().await? } else { String::new() };
    Ok(Answer { status, retry_after, text })
}
