//! Posting to the Worker: the only file that touches the network.

use gloo_net::http::Response;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Request, RequestCredentials, RequestInit};

use crate::value;

/// What the Worker has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// How long the Worker wants to be left alone, in milliseconds.
    pub retry_after: Option<u64>,
}

#[wasm_bindgen]
extern "C" {
    /// `fetch`, whatever the page has made of it. Wrappers throw, reject with what is no error,
    /// answer with what is no promise and no response, or never. gloo-net's own sending would trap
    /// the module on most of that, so requests are sent from here.
    #[wasm_bindgen(catch)]
    fn fetch(request: &Request) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: u32);
}

/// A promise that is kept after as many milliseconds.
fn after(milliseconds: u32) -> Promise {
    Promise::new(&mut |resolve: Function, _| set_timeout(&resolve, milliseconds))
}

/// Waits for as many milliseconds.
pub async fn sleep(milliseconds: u32) {
    let _ = JsFuture::from(after(milliseconds)).await;
}

/// What `value` comes to, a promise or not; nothing if it fails or comes late.
async fn within(value: &JsValue, late: &Promise) -> Option<JsValue> {
    let both = Array::of2(value, late);
    let came = JsFuture::from(Promise::race(&both)).await.ok()?;
    Some(came).filter(|came| !came.is_undefined())
}

/// Posts `body`; nothing if no answer comes within `limit` milliseconds, or none that can be read.
pub async fn post(address: &str, body: &str, limit: u32) -> Option<Reply> {
    let abort = AbortController::new().ok()?;
    let reply = exchange(address, body, &after(limit), &abort).await;
    if reply.is_none() {
        abort.abort();
    }
    reply
}

async fn exchange(
    address: &str,
    body: &str,
    late: &Promise,
    abort: &AbortController,
) -> Option<Reply> {
    // Text asks for no preflight, so that it works from another origin too.
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_credentials(RequestCredentials::Include);
    options.set_signal(Some(&abort.signal()));
    options.set_body(&body.into());
    let request = Request::new_with_str_and_init(address, &options).ok()?;
    let answer = within(&fetch(&request).ok()?, late).await?;
    // A wrapper's answer may be like a response and yet none of this page's.
    if !answer.is_object() {
        return None;
    }
    let raw: web_sys::Response = answer.unchecked_into();
    let text = within(raw.text().ok()?.as_ref(), late).await?.as_string()?;
    let retry_after = raw.headers().get("retry-after").ok().flatten();
    let retry_after = retry_after.and_then(|seconds| value::parse_whole(&seconds));
    Some(Reply {
        status: Response::from(raw).status(),
        body: text,
        retry_after: retry_after.map(|seconds| seconds.saturating_mul(1000)),
    })
}
