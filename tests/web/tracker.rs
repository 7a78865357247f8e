//! What holds wherever the tracker runs. The network is a function of the test's own.

use esputnik_kit::browser::Tracker;
use js_sys::{Array, Function, JSON, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

/// A tracker whose reports and requests the test can read.
struct Rig {
    tracker: Tracker,
    /// Reports of the tracker: name and detail as JSON.
    reports: Array,
    /// Bodies of its requests.
    sent: Array,
}

impl Rig {
    /// `network` is a JavaScript function body that answers the request number `n`.
    fn start(network: &str) -> Self {
        let sent = Array::new();
        let install = Function::new_with_args(
            "sent",
            &[
                "let n = 0; const answer = new Function('n', 'body', ",
                &JSON::stringify(&network.into()).map(String::from).unwrap_or_default(),
                "); self.fetch = (address, { body }) => { sent.push(body); return answer(n++, body) };",
            ]
            .concat(),
        );
        install.call1(&JsValue::NULL, &sent).expect("the code above is valid");
        let reports = Array::new();
        let listen = Function::new_with_args(
            "reports",
            "return (name, detail) => reports.push(JSON.stringify([name, detail]))",
        );
        let post = listen.call1(&JsValue::NULL, &reports).expect("the code above is valid");
        let tracker = Tracker::new(post.unchecked_into());
        tracker.handle(&Array::of3(&0.into(), &"https://shop.example/k/".into(), &"main".into()));
        Self { tracker, reports, sent }
    }

    fn add(&self, id: &str, call: &str) {
        let record = [
            "{\"v\":1,\"id\":\"",
            id,
            "\",\"at\":1,\"call\":",
            call,
            ",\"page\":{},\"sc\":\"W\",\"consent\":[\"tracking\"]}",
        ]
        .concat();
        self.tracker.handle(&Array::of3(&1.into(), &id.into(), &record.into()));
    }

    /// Waits until a report holds `text`.
    async fn report(&self, text: &str) -> String {
        for _ in 0..100 {
            let found = self.reports.iter().filter_map(|report| report.as_string());
            if let Some(report) = found.into_iter().find(|report| report.contains(text)) {
                return report;
            }
            sleep(50).await;
        }
        panic!("no report holds {text}: {:?}", self.reports);
    }
}

async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let timer = Reflect::get(&js_sys::global(), &"setTimeout".into()).expect("a browser");
        let timer: Function = timer.unchecked_into();
        timer.call2(&JsValue::NULL, &resolve, &milliseconds.into()).expect("setTimeout");
    });
    JsFuture::from(promise).await.expect("a timer ends");
}

/// A message id of this moment, so that nothing takes the record for an old one.
fn id(number: u32) -> String {
    let time = format!("{:012x}", js_sys::Date::now() as u64);
    format!("{}-{}-7000-8000-{number:012x}", &time[..8], &time[8..])
}

const PRODUCT: &str = r#"["sendEvent","ProductPage",{"ProductPage":{"productKey":"1"}}]"#;

/// Accepts every record of a batch.
const ACCEPT: &str = "const { records } = JSON.parse(body);
    const results = records.map(({ id }) => ({ id, verdict: 'accepted' }));
    return Promise.resolve(Response.json({ results }, { status: 202 }));";

#[wasm_bindgen_test]
async fn records_of_one_moment_leave_together_and_are_reported() {
    let rig = Rig::start(ACCEPT);
    let (first, second) = (id(1), id(2));
    rig.add(&first, PRODUCT);
    rig.add(&second, PRODUCT);
    rig.report(&second).await;
    assert!(rig.report(&first).await.starts_with("[\"sent\""));
    rig.report("accepted").await;
    assert_eq!(rig.sent.length(), 1);
    let body = rig.sent.get(0).as_string().unwrap_or_default();
    assert!(body.starts_with("{\"v\":1,\"site\":\"main\",\"sentAt\":"), "{body}");
}

#[wasm_bindgen_test]
async fn an_event_that_the_platform_would_refuse_says_why_and_does_not_leave() {
    let rig = Rig::start(ACCEPT);
    rig.add(&id(3), r#"["sendEvent","ProductPage",{"ProductPage":{"price":"1"}}]"#);
    let report = rig.report("refused").await;
    assert!(report.contains("missing_field"), "{report}");
    assert!(report.contains("ProductPage.productKey"), "{report}");
    sleep(200).await;
    assert_eq!(rig.sent.length(), 0);
}

/// `fetch` may reject with anything; once, some HTTP clients trap on what is no `Error`.
async fn survives(rejection: &str, number: u32) {
    let network = ["if (!n) return Promise.reject(", rejection, ");", ACCEPT].concat();
    let rig = Rig::start(&network);
    rig.add(&id(number), PRODUCT);
    rig.report("accepted").await;
    assert_eq!(rig.sent.length(), 2);
}

#[wasm_bindgen_test]
async fn a_rejection_with_text_is_silence() {
    survives("'blocked'", 4).await;
}

#[wasm_bindgen_test]
async fn a_rejection_with_an_error_is_silence() {
    survives("new TypeError('blocked')", 5).await;
}

#[wasm_bindgen_test]
async fn a_rejection_with_nothing_is_silence() {
    survives("undefined", 6).await;
}

#[wasm_bindgen_test]
async fn an_answer_that_is_no_json_is_no_verdict() {
    let network = ["if (!n) return Promise.resolve(new Response('<html>'));", ACCEPT].concat();
    let rig = Rig::start(&network);
    rig.add(&id(7), PRODUCT);
    rig.report("accepted").await;
    assert_eq!(rig.sent.length(), 2);
}

#[wasm_bindgen_test]
async fn a_resend_keeps_the_message_id() {
    let busy = "if (!n) return Promise.resolve(new Response('{}', { status: 503 }));";
    let rig = Rig::start(&[busy, ACCEPT].concat());
    let id = id(8);
    rig.add(&id, PRODUCT);
    rig.report("accepted").await;
    for body in rig.sent.iter().filter_map(|body| body.as_string()) {
        assert!(body.contains(&id), "{body}");
    }
    assert_eq!(rig.sent.length(), 2);
}

#[wasm_bindgen_test]
async fn a_request_that_never_ends_does_not_stop_the_page_from_calling() {
    let rig = Rig::start("return new Promise(() => {});");
    rig.add(&id(9), PRODUCT);
    rig.report("sent").await;
    rig.add(&id(10), PRODUCT);
    rig.add(&id(11), r#"["sendEvent","Nothing"]"#);
    rig.report("unknown_event").await;
}
