//! The only file that touches the network.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCredentials, RequestInit, Response};

use super::platform::{global, now};
use crate::retry::parse_retry_after;

/// An answer of the Worker.
pub(super) struct Answer {
    /// `None` for silence: no network, no connection, no answer.
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<u64>,
    /// The body as a JavaScript value, undefined if it is not JSON.
    pub(super) body: JsValue,
}

/// Posts `body` and waits for the answer. Whatever `fetch` rejects with, also what is no `Error`,
/// is silence.
pub(super) async fn post(address: &str, body: &str) -> Answer {
    let silence = Answer { status: None, retry_after: None, body: JsValue::UNDEFINED };
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(body));
    init.set_credentials(RequestCredentials::Include);
    let sent = JsFuture::from(global().fetch_with_str_and_init(address, &init)).await;
    let Ok(response) = sent.and_then(JsCast::dyn_into::<Response>) else { return silence };
    let header = response.headers().get("retry-after").ok().flatten();
    let body = match response.json() {
        Ok(json) => JsFuture::from(json).await.unwrap_or_default(),
        Err(_) => JsValue::UNDEFINED,
    };
    Answer {
        status: Some(response.status()),
        retry_after: parse_retry_after(header.as_deref(), now()),
        body,
    }
}
