//! The queue and the bucket, where events are kept that their object does not take. A deployment may have
//! neither: `wrangler.toml` binds them.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, wasm_bindgen_futures::JsFuture};

/// The name that the queue is bound to.
const QUEUE: &str = "QUEUE";

/// The name that the bucket is bound to.
const BUCKET: &str = "BUCKET";

#[wasm_bindgen(module = "/src/host.js")]
extern "C" {
    fn enqueue(queue: &JsValue, text: &str, patience: u32) -> Promise;
    fn retry(message: &Message, delay: u32);
    fn put(bucket: &JsValue, key: &str, text: &str, reason: &str, patience: u32) -> Promise;
    fn replace(bucket: &JsValue, key: &str, text: &str, patience: u32) -> Promise;
    fn get(bucket: &JsValue, key: &str, patience: u32) -> Promise;
    fn list(
        bucket: &JsValue,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        reasons: bool,
        patience: u32,
    ) -> Promise;
    fn remove(bucket: &JsValue, key: &str, patience: u32) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// Messages of a queue, as the runtime hands them over. The `worker` crate's own reads their bodies as
    /// something else than text, and does not tell how often they came.
    pub type MessageBatch;

    /// The queue's name.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn queue(this: &MessageBatch) -> String;

    #[wasm_bindgen(method, getter)]
    fn messages(this: &MessageBatch) -> Array;

    /// One of them.
    pub(crate) type Message;

    #[wasm_bindgen(method, getter)]
    fn body(this: &Message) -> JsValue;

    /// How often it was delivered, this time included.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn attempts(this: &Message) -> Option<u32>;

    /// It is not delivered again.
    #[wasm_bindgen(method)]
    pub(crate) fn ack(this: &Message);
}

impl MessageBatch {
    pub(crate) fn each(&self) -> impl Iterator<Item = Message> {
        let messages = self.messages();
        (0..messages.length()).map(move |index| messages.get(index).unchecked_into())
    }
}

impl Message {
    /// Its text, if it is one.
    pub(crate) fn text(&self) -> Option<String> {
        self.body().as_string()
    }

    /// It is delivered again, in so many seconds.
    pub(crate) fn retry(&self, delay: u32) {
        retry(self, delay);
    }
}

/// The queue.
pub(crate) struct Queue(JsValue);

impl Queue {
    pub(crate) fn of(env: &Env) -> Option<Self> {
        bound(env, QUEUE).map(Self)
    }

    /// Done when the queue has it.
    pub(crate) async fn send(&self, text: &str, patience: u32) -> worker::Result<()> {
        JsFuture::from(enqueue(&self.0, text, patience)).await?;
        Ok(())
    }
}

/// The bucket. Every call takes `patience` milliseconds at most.
pub(crate) struct Bucket {
    raw: JsValue,
    patience: u32,
}

impl Bucket {
    pub(crate) fn of(env: &Env, patience: u32) -> Option<Self> {
        bound(env, BUCKET).map(|raw| Self { raw, patience })
    }

    /// Done when the bucket has it.
    pub(crate) async fn put(&self, key: &str, text: &str, reason: &str) -> worker::Result<()> {
        JsFuture::from(put(&self.raw, key, text, reason, self.patience)).await?;
        Ok(())
    }

    /// Puts something in the place of what is there; the reason why it is there stays.
    pub(crate) async fn replace(&self, key: &str, text: &str) -> worker::Result<()> {
        JsFuture::from(replace(&self.raw, key, text, self.patience)).await?;
        Ok(())
    }

    pub(crate) async fn get(&self, key: &str) -> worker::Result<Option<String>> {
        Ok(JsFuture::from(get(&self.raw, key, self.patience)).await?.as_string())
    }

    /// The first keys that begin with `prefix`, in their order.
    pub(crate) async fn keys(&self, prefix: &str, limit: u32) -> worker::Result<Vec<String>> {
        self.keys_after(prefix, None, limit).await
    }

    /// The same, of those that come after a key.
    pub(crate) async fn keys_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> worker::Result<Vec<String>> {
        let listed = self.list(prefix, after, limit, false).await?;
        Ok(listed.into_iter().map(|(key, _)| key).collect())
    }

    /// The same, with the reasons why they are there.
    pub(crate) async fn reasons(
        &self,
        prefix: &str,
        limit: u32,
    ) -> worker::Result<Vec<(String, String)>> {
        self.list(prefix, None, limit, true).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        reasons: bool,
    ) -> worker::Result<Vec<(String, String)>> {
        let listed = list(&self.raw, prefix, after, limit, reasons, self.patience);
        let listed: Array = JsFuture::from(listed).await?.unchecked_into();
        let mut texts = listed.iter().map(|text| text.as_string().unwrap_or_default());
        let mut found = Vec::new();
        while let (Some(key), Some(reason)) = (texts.next(), texts.next()) {
            found.push((key, reason));
        }
        Ok(found)
    }

    pub(crate) async fn remove(&self, key: &str) -> worker::Result<()> {
        JsFuture::from(remove(&self.raw, key, self.patience)).await?;
        Ok(())
    }
}

fn bound(env: &Env, name: &str) -> Option<JsValue> {
    let bound = Reflect::get(env, &JsValue::from(name)).ok()?;
    bound.is_object().then_some(bound)
}
