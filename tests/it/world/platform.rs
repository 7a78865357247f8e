//! The platform: it counts events, and knows the same bytes again for a while.

use std::collections::BTreeMap;

/// For how long the same bytes are a repeat, in milliseconds.
pub(crate) const WINDOW: u64 = 60_000;

/// What a key begins with that the platform refuses for good.
pub(crate) const DOOMED: &str = "doomed-";

#[derive(Debug, Default)]
pub(crate) struct Platform {
    /// When each body was last counted.
    bodies: BTreeMap<String, u64>,
    /// When each event was counted, by its key.
    pub(crate) counted: BTreeMap<String, Vec<u64>>,
    /// The keys in the order in which they were first counted.
    pub(crate) order: Vec<String>,
}

impl Platform {
    /// Takes a body: the status, and whether the answer says that it is known.
    pub(crate) fn take(&mut self, body: &str, now: u64) -> (u16, bool) {
        let key = key_of(body);
        if key.starts_with(DOOMED) {
            return (400, false);
        }
        if self.bodies.get(body).is_some_and(|at| now - at < WINDOW) {
            return (400, true);
        }
        self.bodies.insert(body.to_owned(), now);
        let times = self.counted.entry(key.clone()).or_default();
        if times.is_empty() {
            self.order.push(key.clone());
        }
        if let Some(last) = times.last() {
            // Whatever the bytes: two of one event within the window are two events to the platform.
            assert!(now - last >= WINDOW, "{key} was counted twice within the window");
        }
        times.push(now);
        (200, false)
    }
}

/// The key of the product that a body is about; each event of this world has its own.
pub(crate) fn key_of(body: &str) -> String {
    let (_, rest) = body.split_once(r#""productKey":""#).expect("every event names a product");
    rest.split('"').next().unwrap_or_default().to_owned()
}
