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
mod form;
mod form_page;
mod front;
mod governor_object;
mod guard;
mod handover;
mod host;
mod objects;
mod outbox_object;
mod pace;
mod page;
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

use worker::{Context, Env, Result, ScheduleContext, ScheduledEvent, event, web_sys};

use crate::{answer::Error, host::Request};

// Whatever is exported with wasm-bindgen becomes a method of the Worker that anybody may call.
const _: () = assert!(!esputnik_kit::HAS_BROWSER_FACE, "build the Worker without page features");

#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> Result<web_sys::Response> {
    // Never an error out of here: the runtime would show its text, or end other requests with it.
    let answer = routes::dispatch(&Request::new(request), &env).await;
    answer.unwrap_or_else(Error::into_response).into_raw()
}

/// Wakes every outbox: an alarm that failed too often is not tried again by the platform.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    routes::wake_outboxes(&env).await;
}
