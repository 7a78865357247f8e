//! What the host does for the Worker in one step each, instead of one for each header: see `host.js`.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Method, ObjectNamespace, wasm_bindgen_futures::JsFuture};

#[wasm_bindgen(module = "/src/host.js")]
extern "C" {
    /// An answer, as far as it is read.
    pub(crate) type Reply;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn status(this: &Reply) -> u16;

    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    pub(crate) fn retry_after(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = totalCount)]
    pub(crate) fn total_count(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn text(this: &Reply) -> String;

    fn call(
        address: &str,
        method: &str,
        authorization: &str,
        body: Option<&str>,
        patience: u32,
        most: u32,
    ) -> Promise;

    fn post(address: &str, body: &str, agent: &str, patience: u32, most: u32) -> Promise;

    fn ask(objects: &JsValue, name: &str, path: &str, method: &str, body: Option<&str>) -> Promise;
}

/// Where a call goes, and how.
pub(crate) struct Call<'a> {
    pub(crate) address: &'a str,
    pub(crate) method: &'a str,
    pub(crate) authorization: &'a str,
    pub(crate) body: Option<&'a str>,
}

impl Call<'_> {
    /// Makes it, within so many milliseconds, for an answer of so many bytes at most. No redirect is
    /// followed.
    pub(crate) async fn make(&self, patience: u32, most: u32) -> worker::Result<Reply> {
        let Self { address, method, authorization, body } = *self;
        reply(call(address, method, authorization, body, patience, most)).await
    }
}

/// Posts an event, within so many milliseconds. No redirect is followed.
pub(crate) async fn post_event(
    address: &str,
    body: &str,
    agent: &str,
    patience: u32,
    most: u32,
) -> worker::Result<Reply> {
    reply(post(address, body, agent, patience, most)).await
}

/// Asks the object that has this name among those of a binding.
pub(crate) async fn ask_object(
    objects: &ObjectNamespace,
    name: &str,
    path: &str,
    method: &Method,
    body: Option<&str>,
) -> worker::Result<Reply> {
    reply(ask(objects.as_ref(), name, path, method.as_ref(), body)).await
}

async fn reply(promise: Promise) -> worker::Result<Reply> {
    Ok(JsFuture::from(promise).await?.unchecked_into())
}
