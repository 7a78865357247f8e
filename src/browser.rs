//! The tracker's JavaScript API: one function that the host calls with each message.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::tracker::Tracker;

/// A fifth of the size of the allocator that comes with the target.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

thread_local! {
    static TRACKER: RefCell<Tracker> = const { RefCell::new(Tracker::new()) };
}

/// Takes a message, the Unix time in milliseconds and a random number below 1; returns what to do.
/// Messages and effects are JSON text.
///
/// Returns nothing for good once a call has failed: what it left behind cannot be relied on.
#[must_use]
#[wasm_bindgen]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
pub fn handle(message: &str, now: f64, random: f64) -> String {
    let (now, random) = (now as u64, (random * f64::from(u32::MAX)) as u32);
    let effects = TRACKER.try_with(|tracker| {
        let mut tracker = tracker.try_borrow_mut().ok()?;
        Some(tracker.handle(message, now, random))
    });
    effects.ok().flatten().unwrap_or_default()
}
