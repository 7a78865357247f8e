//! Requests and answers as the host has them, of which no more is read than is asked for, and what the
//! host does for the Worker in one step each, instead of one for each header: see `host.js`.

use std::{borrow::Cow, panic::AssertUnwindSafe};

use esputnik_kit::api;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{
    ByteStream, Method, ObjectNamespace, Storage, wasm_bindgen_futures::JsFuture, web_sys,
};

#[wasm_bindgen(module = "/src/host.js")]
extern "C" {
    /// An answer, as far as it is read.
    pub(crate) type Reply;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn status(this: &Reply) -> u16;

    #[wasm_bindgen(method, getter, js_name = retryAfter)]
    pub(crate) fn retry_after(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = totalCount)]
    fn total_count(this: &Reply) -> Option<String>;

    /// The token of a contact that comes along, for the next call.
    #[wasm_bindgen(method, getter)]
    fn token(this: &Reply) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn text(this: &Reply) -> String;

    /// A feed that is being read.
    pub(crate) type OpenFeed;

    #[wasm_bindgen(method, getter, js_name = status)]
    pub(crate) fn feed_status(this: &OpenFeed) -> u16;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn etag(this: &OpenFeed) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn modified(this: &OpenFeed) -> Option<String>;

    #[wasm_bindgen(method, js_name = read)]
    fn read_feed(this: &OpenFeed) -> Promise;

    /// Reads no more of it.
    #[wasm_bindgen(method, js_name = end)]
    pub(crate) fn end_feed(this: &OpenFeed);

    #[wasm_bindgen(js_name = openFeed)]
    fn open_feed(
        address: &str,
        etag: Option<&str>,
        modified: Option<&str>,
        patience: u32,
        pause: u32,
    ) -> Promise;

    fn call(
        address: &str,
        method: &str,
        name: Option<&str>,
        value: Option<&str>,
        body: Option<&str>,
        patience: u32,
        most: u32,
    ) -> Promise;

    fn post(address: &str, body: &str, agent: &str, patience: u32, most: u32) -> Promise;

    fn ask(
        objects: &JsValue,
        name: &str,
        path: &str,
        method: &str,
        body: Option<&str>,
        patience: Option<u32>,
    ) -> Promise;

    pub(crate) fn price(amount: &str, currency: &str, language: &str) -> Option<String>;

    #[wasm_bindgen(catch)]
    fn respond(status: u16, lines: &str, body: &[u8]) -> Result<web_sys::Response, JsValue>;
}

/// A request to the Worker.
///
/// The `worker` crate's own also reads where the request comes from, which costs as much as all that is
/// read here.
pub(crate) struct Request {
    raw: web_sys::Request,
    headers: web_sys::Headers,
    method: Method,
    url: String,
}

impl Request {
    pub(crate) fn new(raw: web_sys::Request) -> Self {
        Self { headers: raw.headers(), method: raw.method().into(), url: raw.url(), raw }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The address, as browsers write it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The path of the address.
    pub(crate) fn path(&self) -> &str {
        let behind = self.url.split_once("://").map_or("", |(_, behind)| behind);
        let path = behind.find('/').and_then(|start| behind.get(start..)).unwrap_or("/");
        path.split(['?', '#']).next().unwrap_or(path)
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        // Only a name that is none is an error.
        self.headers.get(name).ok().flatten()
    }

    pub(crate) fn has_body(&self) -> bool {
        self.raw.body().is_some()
    }

    /// The whole body.
    pub(crate) async fn text(&self) -> worker::Result<String> {
        let text = JsFuture::from(self.raw.text()?).await?;
        text.as_string().ok_or_else(|| "the body is no text".into())
    }

    /// The body in parts.
    pub(crate) fn stream(&self) -> worker::Result<ByteStream> {
        worker::Request::from(self.raw.clone()?).stream()
    }
}

/// An answer of the Worker.
#[derive(Debug)]
pub(crate) struct Response {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The header of this name, written as it was set.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_ref())
    }

    /// Sets a header.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.push((name, value.into()));
    }

    /// Sets a header that is set already.
    pub(crate) fn replace(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.retain(|(own, _)| *own != name);
        self.set(name, value);
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.set(name, value);
        self
    }

    /// The host's own.
    pub(crate) fn into_raw(self) -> worker::Result<web_sys::Response> {
        let lines: Vec<&str> =
            self.headers.iter().flat_map(|(name, value)| [*name, value.as_ref()]).collect();
        if lines.iter().any(|line| line.contains('\n')) {
            return Err("a header of several lines".into());
        }
        Ok(respond(self.status, &lines.join("\n"), &self.body)?)
    }
}

/// Where a call goes, and how.
pub(crate) struct Call<'a> {
    pub(crate) address: &'a str,
    pub(crate) method: &'a str,
    /// The name and the value of the header that says who calls.
    pub(crate) header: Option<(&'a str, &'a str)>,
    pub(crate) body: Option<&'a str>,
}

impl Call<'_> {
    /// Makes it, within so many milliseconds, for an answer of so many bytes at most. No redirect is
    /// followed.
    pub(crate) async fn make(&self, patience: u32, most: u32) -> worker::Result<api::Reply> {
        Ok(self.make_for_token(patience, most).await?.0)
    }

    /// The same, with the token for the next call that may come along.
    pub(crate) async fn make_for_token(
        &self,
        patience: u32,
        most: u32,
    ) -> worker::Result<(api::Reply, Option<String>)> {
        let Self { address, method, header, body } = *self;
        let (name, value) = header.unzip();
        let reply = reply(call(address, method, name, value, body, patience, most)).await?;
        let text = reply.text();
        if text.len() > most as usize {
            return Err("the answer is too long".into());
        }
        let token = reply.token();
        let reply = api::Reply {
            status: reply.status(),
            retry_after: reply.retry_after(),
            total_count: reply.total_count(),
            text,
        };
        Ok((reply, token))
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

impl OpenFeed {
    /// Opens a feed, unless it is the one of this `etag` or time. It has `patience` milliseconds in all,
    /// and may be silent for `pause`. No redirect is followed.
    pub(crate) async fn open(
        address: &str,
        (etag, modified): (Option<&str>, Option<&str>),
        patience: u32,
        pause: u32,
    ) -> worker::Result<Self> {
        let opened = JsFuture::from(open_feed(address, etag, modified, patience, pause)).await?;
        Ok(opened.unchecked_into())
    }

    /// What comes next; `None` at the end.
    pub(crate) async fn next(&self) -> worker::Result<Option<Vec<u8>>> {
        let part = JsFuture::from(self.read_feed()).await?;
        Ok((!part.is_undefined()).then(|| js_sys::Uint8Array::from(part).to_vec()))
    }
}

/// Asks the object that has this name among those of a binding, for so many milliseconds if it is said.
pub(crate) async fn ask_object(
    objects: &ObjectNamespace,
    name: &str,
    path: &str,
    method: &Method,
    body: Option<&str>,
    patience: Option<u32>,
) -> worker::Result<Reply> {
    reply(ask(objects.as_ref(), name, path, method.as_ref(), body, patience)).await
}

#[wasm_bindgen]
extern "C" {
    type Transactions;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &Transactions,
        run: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// Does something with an object's tables; if it fails, by an error or in any other way, nothing of it has
/// happened. The `worker` crate has no such call.
pub(crate) fn transact<T>(
    storage: &Storage,
    run: impl FnOnce() -> worker::Result<T>,
) -> worker::Result<T> {
    let (mut run, mut outcome) = (Some(run), None);
    let raw: &JsValue = storage.as_raw().as_ref();
    // A panic leaves no outcome.
    let mut both = AssertUnwindSafe((&mut run, &mut outcome));
    let ended = raw.unchecked_ref::<Transactions>().transaction_sync(&mut move || {
        let (run, outcome) = &mut *both;
        **outcome = run.take().map(|run| run());
        // An error rolls everything back.
        if matches!(**outcome, Some(Ok(_))) { Ok(()) } else { Err(JsValue::NULL) }
    });
    match (outcome, ended) {
        (Some(Ok(_)), Err(error)) => Err(error.into()),
        (Some(outcome), _) => outcome,
        (None, _) => Err("a transaction that did not begin".into()),
    }
}

async fn reply(promise: Promise) -> worker::Result<Reply> {
    Ok(JsFuture::from(promise).await?.unchecked_into())
}
