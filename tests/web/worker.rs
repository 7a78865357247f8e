//! The tracker in a dedicated worker, where it usually runs.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test_configure;

mod tracker;

wasm_bindgen_test_configure!(run_in_dedicated_worker);
