//! The tracker's JavaScript API: one class that the loader's messages drive.

mod driver;
mod platform;
mod storage;
mod transport;
mod value;

use std::rc::Rc;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::wasm_bindgen;

use driver::Driver;

/// Delivers records that the loader hands over.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tracker(Rc<Driver>);

#[wasm_bindgen]
impl Tracker {
    /// A tracker that reports through `post(type, detail)`.
    #[wasm_bindgen(constructor)]
    pub fn new(post: Function) -> Self {
        Self(Rc::new(Driver::new(post)))
    }

    /// Takes a message of the loader: its number, then what belongs to it.
    pub fn handle(&self, message: &Array) {
        let text = |index| message.get(index).as_string().unwrap_or_default();
        match message.get(0).as_f64() {
            Some(0.0) => self.0.start(text(1), text(2)),
            Some(1.0) => self.0.add(&text(1), text(2)),
            Some(2.0) => self.0.wake(),
            Some(4.0) => self.0.clear(),
            Some(5.0) => self.0.watch(message.get(1).is_truthy()),
            // A newer loader may say more; what it says is not needed to deliver.
            _ => {}
        }
    }
}
