//! The tracker on a page's main thread, where no worker can start.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod tracker;

wasm_bindgen_test_configure!(run_in_browser);
