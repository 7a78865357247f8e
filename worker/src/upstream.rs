//! Calls of the platform. Addresses come from the settings alone, and no redirect is followed.

use base64ct::{Base64, Encoding as _};
use esputnik_kit::api::{Reply, Request as Call};

use crate::{host, settings::Secret};

/// How long an answer may take, in milliseconds. The vendor's own plug-ins wait five seconds; a request
/// that was taken but not answered is sent again, so patience is cheaper.
const PATIENCE: u32 = 10_000;

/// How long an answer to bulk may take, in milliseconds. Nobody waits for it, and thousands of contacts
/// take a while.
const BULK_PATIENCE: u32 = 60_000;

/// Most of an answer's body that is read, in bytes: enough for a message.
const MOST_READ: u32 = 4096;

/// The platform's answer.
pub(crate) struct Answer {
    /// `None` for silence: no connection, or no answer in time.
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<String>,
    /// The start of the body, for the reason of a refusal.
    pub(crate) text: String,
}

/// Longest answer of the REST API that is read, in bytes; more would not fit into a Worker's memory.
const MOST_ANSWERED: u32 = 8 * 1024 * 1024;

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
    patience: u32,
) -> worker::Result<Reply> {
    let request = host::Call {
        address: &[api, &call.target].concat(),
        method: call.method.as_str(),
        header: Some(("authorization", &["Basic ", secrets[1]].concat())),
        body: call.body.as_deref(),
    };
    let reply = request.make(patience, MOST_ANSWERED).await?;
    Ok(Reply { text: scrub(reply.text, secrets), ..reply })
}

/// How long an answer of another API may take, in milliseconds. Somebody waits for it, or for another one
/// about the same person.
const SHORT_PATIENCE: u32 = 5000;

/// Longest answer of another API that is read, in bytes.
const MOST_RECOMMENDED: u32 = 2 * 1024 * 1024;

/// Makes a call of one of the platform's APIs that are not its REST API: `header` says who calls. The
/// answer, and the token for the next call where one came along; `None` if there was none in time.
pub(crate) async fn call_elsewhere(
    api: &str,
    header: (&str, &str),
    call: &Call,
) -> Option<(Reply, Option<String>)> {
    let request = host::Call {
        address: &[api, &call.target].concat(),
        method: call.method.as_str(),
        header: Some(header),
        body: call.body.as_deref(),
    };
    let secrets = [header.1, header.1];
    match request.make_for_token(SHORT_PATIENCE, MOST_RECOMMENDED).await {
        Ok((reply, token)) => Some((Reply { text: scrub(reply.text, secrets), ..reply }, token)),
        Err(error) => {
            worker::console_warn!("{}: {}", call.operation, scrub(error.to_string(), secrets));
            None
        }
    }
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
    let reply = host::post_event(tracker, body, agent, PATIENCE, MOST_READ).await?;
    let status = Some(reply.status());
    Ok(Answer { status, retry_after: reply.retry_after(), text: reply.text() })
}
