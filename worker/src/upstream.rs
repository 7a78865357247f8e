//! Calls of the platform. Addresses come from the settings alone, and no redirect is followed.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use worker::{
    AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
};

/// How long an answer may take. The vendor's own plug-ins wait five seconds; a request that was
/// taken but not answered is sent again, so patience is cheaper.
const PATIENCE: Duration = Duration::from_secs(10);

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
    let controller = AbortController::default();
    let signal = controller.signal();
    let exchange = async {
        let mut response = Fetch::Request(request).send_with_signal(&signal).await?;
        let retry_after = response.headers().get("retry-after")?;
        let status = Some(response.status_code());
        // A success says nothing more; a refusal may say why.
        let length = response.headers().get("content-length")?.and_then(|text| text.parse().ok());
        let readable = length.is_some_and(|length: usize| length <= MOST_READ);
        let failed = !(200..300).contains(&response.status_code());
        let text = if failed && readable { response.text().await? } else { String::new() };
        Ok(Answer { status, retry_after, text })
    };
    match select(pin!(exchange), pin!(Delay::from(PATIENCE))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            controller.abort();
            Err("no answer in time".into())
        }
    }
}
