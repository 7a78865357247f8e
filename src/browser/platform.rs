//! The clock, randomness and timers of the browser.

use js_sys::{Date, Math};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::WorkerGlobalScope;

/// The global scope. In a page it is a window, which has the same members under the same names.
pub(super) fn global() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Unix time in milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "Date.now() fits")]
pub(super) fn now() -> u64 {
    Date::now() as u64
}

/// Anything evenly spread; only pauses depend on it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
pub(super) fn random() -> u32 {
    (Math::random() * f64::from(u32::MAX)) as u32
}

/// Calls `then` after `milliseconds`.
pub(super) fn after(milliseconds: u64, then: impl FnOnce() + 'static) -> i32 {
    let then: JsValue = Closure::once_into_js(then);
    let delay = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    let function = then.unchecked_ref();
    let started = global().set_timeout_with_callback_and_timeout_and_arguments_0(function, delay);
    started.unwrap_or(0)
}

/// Takes back a timer of [`after`].
pub(super) fn cancel(timer: i32) {
    global().clear_timeout_with_handle(timer);
}
