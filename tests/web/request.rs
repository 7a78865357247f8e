//! Requests of the widgets on a page whose `fetch` is no longer the browser's own.

#![cfg(target_arch = "wasm32")]

use esputnik_kit::widgets::request::{Reply, post};
use js_sys::{Function, Reflect, global};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// What becomes of a request where `fetch` is this.
async fn with(fetch: &str) -> Option<Reply> {
    let global = global();
    let own = Reflect::get(&global, &"fetch".into()).expect("pages have it");
    let wrapped = Function::new_with_args("request", fetch);
    Reflect::set(&global, &"fetch".into(), &wrapped).expect("pages may");
    let reply = post("https://shop.example/k/t", "{}", 200).await;
    Reflect::set(&global, &"fetch".into(), &own).expect("pages may");
    reply
}

#[wasm_bindgen_test]
async fn nothing_that_a_wrapper_does_traps_the_module() {
    for fetch in [
        "return Promise.reject('a string')",
        "return Promise.reject()",
        "return Promise.reject(new TypeError('Failed to fetch'))",
        "return Promise.reject(new DOMException('', 'AbortError'))",
        "return new Promise(() => {})",
        "throw 'at once'",
        "return undefined",
        "return 7",
        "return Promise.resolve(null)",
        "return Promise.resolve({})",
        "return Promise.resolve({ status: 200, text: () => Promise.reject('a string') })",
        "return Promise.resolve({ status: 200, text: () => new Promise(() => {}) })",
        "return Promise.resolve({ status: 200, text: () => Promise.resolve(7) })",
    ] {
        assert_eq!(with(fetch).await, None, "{fetch}");
    }
    let reply = with("return new Response('still here', { status: 202 })").await;
    assert_eq!(reply.map(|reply| reply.body), Some("still here".to_owned()));
}

#[wasm_bindgen_test]
async fn an_answer_is_read_whole() {
    let reply = with(
        "return request.text().then((text) => new Response(
            [request.method, request.credentials, request.headers.get('content-type'), text].join(' '),
            { status: 429, headers: { 'retry-after': '3' } }))",
    )
    .await
    .expect("it was answered");
    assert_eq!(reply.body, "POST include text/plain;charset=UTF-8 {}");
    assert_eq!((reply.status, reply.retry_after), (429, Some(3000)));
}

#[wasm_bindgen_test]
async fn what_takes_too_long_is_called_off() {
    let fetch = "return new Promise((resolve, reject) => {
        request.signal.onabort = () => (window.aborted = true);
    })";
    assert_eq!(with(fetch).await, None);
    let aborted = Reflect::get(&global(), &"aborted".into()).ok();
    assert_eq!(aborted, Some(JsValue::TRUE));
}
