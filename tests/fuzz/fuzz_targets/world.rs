//! Any sequence of steps of pages, network, Worker and platform; the model checks each of them.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../it/world/model.rs"]
#[allow(dead_code, reason = "the rules look at more of it")]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let steps = bytes.chunks_exact(4).take(300).map(|step| [step[0], step[1], step[2], step[3]]);
    model::run(steps.map(model::Op::from_bytes));
});
