//! Panics on demand, in the builds that are there to show what they cost.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    answer::text_json,
    host::{Request, Response},
    objects::{numbers, random},
};

/// The same for as long as nothing in memory is lost.
static MEMORY: OnceLock<u32> = OnceLock::new();

static HAS_BEEN: AtomicBool = AtomicBool::new(false);

/// Panics where `text` asks for it.
pub(crate) fn at(place: &str, text: &str) {
    assert!(!text.contains(&["panic-in-", place].concat()), "as it was told");
}

/// The same, the first time only.
pub(crate) fn once(place: &str, text: &str) {
    if text.contains(&["panic-in-", place].concat()) && !HAS_BEEN.swap(true, Ordering::Relaxed) {
        at(place, text);
    }
}

/// Shows what is in memory, and panics where the address asks for it.
pub(crate) fn serve(request: &Request) -> Option<Response> {
    at("handler", request.url());
    let memory = || numbers([("memory", (*MEMORY.get_or_init(random)).into())]);
    request.path().ends_with("/memory").then(|| text_json(200, memory().to_json()))
}
