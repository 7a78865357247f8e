//! The edge face of esputnik-kit: takes events from pages, makes them durable, forwards them.
//!
//! It alone knows the platform's addresses and the deployment's secrets. See [`routes`] for what it
//! serves.

mod answer;
mod api;
mod assets;
mod block;
mod bulk;
mod bulk_object;
mod bulk_store;
mod catalogue;
mod catalogue_object;
mod catalogue_store;
mod dead;
mod detour;
mod erase;
mod form;
mod form_page;
mod front;
mod governor_object;
mod guard;
mod handover;
mod host;
mod ledger;
mod objects;
mod outbox_object;
mod pace;
mod page;
#[cfg(feature = "panics")]
mod panics;
mod places;
mod products;
mod promo;
mod promo_object;
mod promo_store;
mod recommendation;
mod recommendations_object;
mod recommendations_store;
mod routes;
mod settings;
mod store;
mod tables;
mod token;
mod turnstile;
mod upstream;
mod uses_object;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Context, Env, Result, ScheduleContext, ScheduledEvent, event, wasm_bindgen_futures, web_sys,
};

use crate::{
    answer::Error,
    host::{Request, Response},
    places::MessageBatch,
};

// Whatever is exported with wasm-bindgen becomes a method of the Worker that anybody may call.
const _: () = assert!(!esputnik_kit::HAS_BROWSER_FACE, "build the Worker without page features");

#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> Result<web_sys::Response> {
    // Never an error out of here: the runtime would show its text, or end other requests with it.
    let answer = answer(&Request::new(request), &env).await;
    answer.unwrap_or_else(Error::into_response).into_raw()
}

/// Where the build unwinds, a panic over a request is an error of that one alone.
async fn answer(request: &Request, env: &Env) -> std::result::Result<Response, Error> {
    let mut answer = pin!(async {
        #[cfg(feature = "panics")]
        if let Some(answer) = panics::serve(request) {
            return Ok(answer);
        }
        routes::dispatch(request, env).await
    });
    poll_fn(|context| {
        let attempt = AssertUnwindSafe(|| answer.as_mut().poll(context));
        let panicked = |_| Poll::Ready(Err(Error::Internal("a panic".into())));
        catch_unwind(attempt).unwrap_or_else(panicked)
    })
    .await
}

/// Wakes every outbox: an alarm that failed too often is not tried again by the platform. Catalogues
/// begin their first import so, and what waits in the bucket is brought back.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    routes::wake_outboxes(&env).await;
    detour::restore(&env).await;
}

/// Takes what comes out of the queues. The `worker` crate's own handler ends every request of the isolate
/// where something fails; here each message gets its verdict, whatever happens.
#[wasm_bindgen]
pub fn queue(batch: MessageBatch, env: Env, _context: JsValue) -> Promise {
    wasm_bindgen_futures::future_to_promise(AssertUnwindSafe(async move {
        detour::consume(&batch, &env).await;
        Ok(JsValue::UNDEFINED)
    }))
}
