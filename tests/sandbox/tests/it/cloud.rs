//! Cloudflare's queue and bucket, as workerd speaks with them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sandbox::Loopback;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::rig::{Answer, Rig};

/// Deliveries: the queue, and of each message its body and which time this was.
type Seen = Vec<(String, Vec<(String, u64)>)>;

/// A consumer that gives these verdicts, one delivery after another, and then the last for ever.
struct Consumer {
    address: Loopback,
    /// What it was given.
    seen: Arc<Mutex<Seen>>,
}

#[derive(Clone, Copy)]
enum Verdict {
    Ack,
    Retry,
    Silent,
    Failed,
}

impl Consumer {
    async fn start(verdicts: &'static [Verdict]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Loopback::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let seen = Arc::default();
        let consumer = Self { address, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                let answer = service_fn(move |request| take(request, verdicts, Arc::clone(&seen)));
                tokio::spawn(async move {
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        consumer
    }

    /// Waits until it has had so many deliveries.
    async fn had(&self, count: usize) -> Seen {
        for _ in 0..1000 {
            let seen = self.seen.lock().unwrap().clone();
            if seen.len() >= count {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no {count} deliveries: {:?}", self.seen.lock().unwrap());
    }
}

async fn take(
    request: Request<Incoming>,
    verdicts: &[Verdict],
    seen: Arc<Mutex<Seen>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let given: Value = serde_json::from_slice(&body).unwrap();
    let messages = given["messages"].as_array().unwrap();
    let told = |message: &Value| {
        let body = message["body"].as_str().unwrap().to_owned();
        (body, message["attempts"].as_u64().unwrap())
    };
    let mut seen = seen.lock().unwrap();
    seen.push((given["queue"].as_str().unwrap().to_owned(), messages.iter().map(told).collect()));
    let verdict = verdicts.get(seen.len() - 1).or(verdicts.last()).unwrap();
    let ids = || messages.iter().map(|message| message["id"].clone());
    let (mut acks, mut retries) = (Vec::new(), Vec::new());
    match verdict {
        Verdict::Ack => acks.extend(ids()),
        Verdict::Retry => retries.extend(ids().map(|id| json!({ "msgId": id, "delaySeconds": 0 }))),
        Verdict::Silent | Verdict::Failed => {}
    }
    let answer = json!({
        "outcome": if matches!(verdict, Verdict::Failed) { "exception" } else { "ok" },
        "ackAll": false,
        "retryBatch": { "retry": false },
        "explicitAcks": acks,
        "retryMessages": retries,
    });
    Ok(Response::new(Full::from(answer.to_string())))
}

impl Rig {
    async fn message(&self, text: &'static str) -> Answer {
        self.cloud(Method::POST, "/message", &[("x-msg-fmt", "text")], text).await
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.cloud(method, &format!("/control/{path}"), &[], body.to_string()).await
    }

    async fn state(&self) -> Value {
        self.cloud(Method::GET, "/control/state", &[], "").await.json()
    }

    /// Waits until no message waits.
    async fn empty_queue(&self) -> Value {
        for _ in 0..1000 {
            let state = self.state().await;
            if state["messages"] == json!([]) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("messages wait: {}", self.state().await);
    }

    async fn put_object(&self, key: &str, text: &str) -> Answer {
        let fields = [json!({ "k": "reason", "v": "tested" })];
        let wish = json!({ "version": 1, "method": "put", "object": key, "customFields": fields });
        self.wish(Method::PUT, &wish, text).await
    }

    async fn wish(&self, method: Method, wish: &Value, text: &str) -> Answer {
        let wish = wish.to_string();
        if method == Method::GET {
            return self.cloud(method, "/", &[("cf-r2-request", wish.as_str())], "").await;
        }
        let size = wish.len().to_string();
        let headers = [("cf-r2-metadata-size", size.as_str())];
        self.cloud(method, "/", &headers, [wish.as_str(), text].concat()).await
    }
}

/// The description in front of an answer, and what is behind it.
fn parts(answer: &Answer) -> (Value, &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let size: usize = answer.header("cf-r2-metadata-size").parse().unwrap();
    let (description, body) = answer.text.split_at(size);
    (serde_json::from_str(description).unwrap(), body)
}

#[tokio::test]
async fn a_message_comes_until_the_consumer_is_done_with_it() {
    let consumer = Consumer::start(&[Verdict::Retry, Verdict::Failed, Verdict::Ack]).await;
    let rig = Rig::with_cloud(Some(consumer.address)).await;
    assert_eq!(rig.message("one").await.status, 200);
    let state = rig.empty_queue().await;
    let times: Vec<u64> = consumer.had(3).await.iter().map(|(_, batch)| batch[0].1).collect();
    assert_eq!(times, [1, 2, 3]);
    let counts = &state["counts"];
    assert_eq!((&counts["acked"], &counts["retried"]), (&json!(1), &json!(2)));
    assert_eq!((&counts["implicit"], &counts["lost"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_message_without_a_verdict_counts_as_done_and_is_told_of() {
    let consumer = Consumer::start(&[Verdict::Silent]).await;
    let rig = Rig::with_cloud(Some(consumer.address)).await;
    rig.message("one").await;
    assert_eq!(rig.empty_queue().await["counts"]["implicit"], 1);
}

#[tokio::test]
async fn what_comes_too_often_goes_to_the_dead_letter_queue_and_is_lost_there() {
    let consumer = Consumer::start(&[Verdict::Retry]).await;
    let rig = Rig::with_cloud(Some(consumer.address)).await;
    let settings = json!({ "retries": 1, "dead_retries": 0 });
    rig.control(Method::PUT, "settings", &settings).await;
    rig.message("one").await;
    let state = rig.empty_queue().await;
    let seen: Vec<(String, u64)> =
        consumer.had(3).await.into_iter().map(|(queue, batch)| (queue, batch[0].1)).collect();
    let (own, dead) = ("esputnik-kit".to_owned(), "esputnik-kit-dead".to_owned());
    assert_eq!(seen, [(own.clone(), 1), (own, 2), (dead, 1)]);
    let counts = &state["counts"];
    assert_eq!((&counts["dead_lettered"], &counts["lost"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_is_confirmed_outlives_the_program_and_a_consumer_that_is_away() {
    let rig = Rig::with_cloud(None).await;
    rig.message("one").await;
    rig.put_object("waiting/1", "two").await;
    // Nobody listens there.
    let rig = rig.restart_cloud(Some(Loopback::parse("127.0.0.1:1").unwrap())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let state = rig.state().await;
    assert_eq!(state["messages"][0]["attempts"], 0);
    assert_eq!(
        (&state["messages"][0]["body"], &state["objects"][0]["body"]),
        (&json!("one"), &json!("two"))
    );
    let consumer = Consumer::start(&[Verdict::Ack]).await;
    let rig = rig.restart_cloud(Some(consumer.address)).await;
    rig.empty_queue().await;
    assert_eq!(consumer.had(1).await[0].1, [("one".to_owned(), 1)]);
}

#[tokio::test]
async fn what_was_taken_is_known_when_it_is_gone() {
    let consumer = Consumer::start(&[Verdict::Ack]).await;
    let rig = Rig::with_cloud(Some(consumer.address)).await;
    rig.message("one").await;
    rig.put_object("waiting/1", "two").await;
    rig.empty_queue().await;
    let taken = async |after: u64| {
        let path = format!("/control/taken/{after}");
        rig.cloud(Method::GET, &path, &[], "").await.json()
    };
    let one = json!({ "id": 1, "in": "queue", "body": "one" });
    let two = json!({ "id": 2, "in": "bucket", "body": "two" });
    assert_eq!(taken(0).await, json!([one, two]));
    assert_eq!(taken(1).await, json!([two]));
    assert_eq!(rig.cloud(Method::GET, "/control/taken/x", &[], "").await.status, 404);
}

#[tokio::test]
async fn deliveries_misbehave_on_demand() {
    let consumer = Consumer::start(&[Verdict::Ack]).await;
    let rig = Rig::with_cloud(Some(consumer.address)).await;
    rig.control(Method::PUT, "faults", &json!([{ "on": "deliver", "do": "hold" }])).await;
    rig.message("one").await;
    rig.message("two").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(consumer.had(0).await, []);
    let faults = ["reverse", "twice", "forget"];
    let faults = faults.map(|what| json!({ "on": "deliver", "do": what, "count": 1 }));
    rig.control(Method::PUT, "faults", &json!(faults)).await;
    rig.empty_queue().await;
    let batch = |first: &str, second: &str, time: u64| {
        vec![(first.to_owned(), time), (second.to_owned(), time)]
    };
    // The first time they are acknowledged and gone.
    let seen: Vec<_> = consumer.had(1).await.into_iter().map(|(_, batch)| batch).collect();
    assert_eq!(seen, [batch("two", "one", 1)]);
    rig.message("three").await;
    rig.empty_queue().await;
    let seen: Vec<_> = consumer.had(4).await.into_iter().skip(1).map(|(_, batch)| batch).collect();
    let three = |time| vec![("three".to_owned(), time)];
    assert_eq!(seen, [three(1), three(2), three(3)]);
    let counts = &rig.state().await["counts"];
    assert_eq!((&counts["twice"], &counts["reversed"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_fault_happens_before_or_after_what_it_is_about() {
    let rig = Rig::with_cloud(None).await;
    for (what, left) in [("fail", 0), ("fail_after", 1)] {
        for on in ["send", "put"] {
            rig.control(Method::PUT, "faults", &json!([{ "on": on, "do": what, "count": 1 }]))
                .await;
            let (answer, name) = match on {
                "send" => (rig.message("one").await, "messages"),
                _ => (rig.put_object("a", "b").await, "objects"),
            };
            assert_eq!(answer.status, 500);
            assert_eq!(rig.state().await[name].as_array().unwrap().len(), left, "{on} {what}");
        }
    }
    for wrong in [json!({}), json!([{ "on": "send", "do": "twice" }]), json!([{ "on": "all" }])] {
        assert_eq!(rig.control(Method::PUT, "faults", &wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_bucket_puts_gets_lists_and_deletes() {
    let rig = Rig::with_cloud(None).await;
    for key in ["a/2", "a/1", "b/1", "a/3"] {
        let (description, _) = parts(&rig.put_object(key, &format!("text of {key}")).await).clone();
        assert_eq!(description["name"], key);
    }
    let get = |key: &str| json!({ "version": 1, "method": "get", "object": key });
    let answer = rig.wish(Method::GET, &get("a/1"), "").await;
    let (description, body) = parts(&answer);
    assert_eq!((&description["size"], body), (&json!(11), "text of a/1"));
    assert_eq!(description["customFields"], json!([{ "k": "reason", "v": "tested" }]));
    let list = |more: Value| {
        let mut wish = json!({ "version": 1, "method": "list", "prefix": "a/", "limit": 2 });
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    let names = |listed: &Value| {
        let objects = listed["objects"].as_array().unwrap();
        objects.iter().map(|object| object["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let answer = rig.wish(Method::GET, &list(json!({})), "").await;
    let (listed, _) = parts(&answer);
    assert_eq!(
        (names(&listed), &listed["truncated"]),
        (vec!["a/1".into(), "a/2".into()], &json!(true))
    );
    assert_eq!(listed["objects"][0]["customFields"], json!([]));
    let rest = list(json!({ "cursor": listed["cursor"], "include": [1] }));
    let answer = rig.wish(Method::GET, &rest, "").await;
    let (listed, _) = parts(&answer);
    assert_eq!((names(&listed), &listed["truncated"]), (vec!["a/3".into()], &json!(false)));
    assert_eq!(listed["objects"][0]["customFields"][0]["v"], "tested");
    let delete = json!({ "version": 1, "method": "delete", "object": "a/1" });
    assert_eq!(rig.wish(Method::PUT, &delete, "").await.status, 200);
    let answer = rig.wish(Method::GET, &get("a/1"), "").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("cf-r2-error").contains("10007"));
}

#[tokio::test]
async fn a_message_may_be_as_long_as_cloudflare_takes_it() {
    let rig = Rig::with_cloud(None).await;
    let long = |length: usize| rig.cloud(Method::POST, "/message", &[], "a".repeat(length));
    assert_eq!(long(128_000).await.status, 200);
    assert_eq!(long(128_001).await.status, 413);
}
