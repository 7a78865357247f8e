//! The queue: messages go to the Worker in batches, by way of a driver Worker that calls its consumer, and
//! come again as its verdicts say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Cloud;
use super::faults::{Do, On};
use super::store::Message;
use crate::options::Loopback;

/// The queue that the Worker writes into.
pub(super) const QUEUE: &str = "esputnik-kit";

/// Where messages end that came too often.
pub(super) const DEAD_QUEUE: &str = "esputnik-kit-dead";

/// How long the broker waits for a Worker that is not there, and for the end of a fault.
const PAUSE: Duration = Duration::from_millis(50);

/// How the queue is set up, as in `wrangler.toml`; `PUT /control/settings` takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Most messages of a delivery.
    pub(crate) batch: u32,
    /// How often a message comes again until it goes to the dead-letter queue.
    pub(crate) retries: u32,
    /// How often it comes again from there until it is lost.
    pub(crate) dead_retries: u32,
    /// How long a message waits that is to come again, whatever the consumer says; in milliseconds.
    pub(crate) delay_ms: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { batch: 10, retries: 20, dead_retries: 100, delay_ms: None }
    }
}

/// The Worker that hands messages over.
#[derive(Debug)]
pub(super) struct Driver {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What came of a delivery.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Verdicts {
    outcome: String,
    ack_all: bool,
    retry_batch: RetryBatch,
    explicit_acks: Vec<String>,
    retry_messages: Vec<Retry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RetryBatch {
    retry: bool,
    delay_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retry {
    msg_id: String,
    delay_seconds: Option<u64>,
}

impl Driver {
    pub(super) fn at(address: Loopback) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { url: format!("http://{}/queue", address.address()), client }
    }

    /// Delivers; nothing if nobody is there. A Worker that ends meanwhile has given no verdict.
    async fn deliver(&self, queue: &str, messages: &[Message]) -> Option<Verdicts> {
        let listed = messages.iter().map(|message| {
            json!({
                "id": message.id.to_string(),
                "timestamp": message.at,
                "attempts": message.attempts + 1,
                "body": String::from_utf8_lossy(&message.body),
            })
        });
        let body = json!({ "queue": queue, "messages": listed.collect::<Vec<_>>() }).to_string();
        let request = Request::post(&self.url).body(Full::from(body)).ok()?;
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return None,
            Err(_) => return Some(Verdicts::default()),
        };
        let text = answer.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        Some(text.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
    }
}

impl Cloud {
    /// Delivers what is due, as long as it is polled.
    pub(crate) async fn deliver_for_ever(self: Arc<Self>) {
        loop {
            let rests = self.deliver_due().await.unwrap_or(true);
            if rests {
                let now = self.clock.now();
                // What is due and does not go is held back, or nobody takes it.
                let due = self.store.next_due().ok().flatten().filter(|due| *due > now);
                let wait = due.map_or(PAUSE, |due| Duration::from_millis(due - now).min(PAUSE));
                // Either way it is looked what is due.
                let _ = tokio::time::timeout(wait, self.news.notified()).await;
            }
        }
    }

    /// One delivery of each queue; says whether there was nothing to do.
    async fn deliver_due(&self) -> rusqlite::Result<bool> {
        let Some(driver) = &self.driver else { return Ok(true) };
        let mut rests = true;
        for queue in [QUEUE, DEAD_QUEUE] {
            let settings = self.settings().clone();
            let now = self.clock.now();
            let peek = self.store.messages(Some(queue), now, false, settings.batch)?;
            if peek.is_empty() {
                continue;
            }
            let fault = self.faults().take(On::Deliver);
            let messages = match fault {
                Some(Do::Hold) => continue,
                Some(Do::Reverse) => self.store.messages(Some(queue), now, true, settings.batch)?,
                _ => peek,
            };
            let Some(verdicts) = driver.deliver(queue, &messages).await else { continue };
            rests = false;
            self.settle(&settings, queue, &messages, &verdicts, fault)?;
        }
        Ok(rests)
    }

    fn settle(
        &self,
        settings: &Settings,
        queue: &str,
        messages: &[Message],
        verdicts: &Verdicts,
        fault: Option<Do>,
    ) -> rusqlite::Result<()> {
        let now = self.clock.now();
        let acked: HashSet<&str> = verdicts.explicit_acks.iter().map(String::as_str).collect();
        let retried: HashMap<&str, Option<u64>> =
            verdicts.retry_messages.iter().map(|r| (r.msg_id.as_str(), r.delay_seconds)).collect();
        let is_well = verdicts.outcome == "ok";
        let (name, most) = match queue {
            QUEUE => (Some(DEAD_QUEUE), settings.retries),
            _ => (None, settings.dead_retries),
        };
        if fault == Some(Do::Reverse) && messages.len() > 1 {
            self.counts().reversed += messages.len() as u64;
        }
        for message in messages {
            let id = message.id.to_string();
            let retry = retried.get(id.as_str()).copied();
            self.counts().delivered += 1;
            if is_well && !verdicts.ack_all && retry.is_none() && !acked.contains(id.as_str()) {
                self.counts().implicit += 1;
            }
            let again = !is_well || verdicts.retry_batch.retry || retry.is_some();
            if !again && fault != Some(Do::Forget) {
                self.counts().acked += 1;
                if fault == Some(Do::Twice) {
                    self.counts().twice += 1;
                    self.store.delivered(message.id, now)?;
                } else {
                    self.store.remove_message(message.id)?;
                }
                continue;
            }
            self.counts().retried += 1;
            self.counts().twice += u64::from(!again);
            if message.attempts + 1 > most {
                if let Some(name) = name {
                    self.counts().dead_lettered += 1;
                    self.store.move_message(message.id, name)?;
                } else {
                    self.counts().lost += 1;
                    self.store.remove_message(message.id)?;
                }
                continue;
            }
            let seconds = retry.flatten().or(verdicts.retry_batch.delay_seconds).unwrap_or(0);
            let delay = settings.delay_ms.unwrap_or(seconds * 1000);
            self.store.delivered(message.id, now + delay)?;
        }
        Ok(())
    }
}
