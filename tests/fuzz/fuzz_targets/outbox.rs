//! Any sequence of steps of a Worker's outbox; the model checks each of them.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../it/outbox/model.rs"]
#[allow(dead_code, reason = "the rules look at more of it")]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let Some((limit, bytes)) = bytes.split_first() else { return };
    let limit = (*limit > 0).then(|| u32::from(*limit));
    let steps = bytes.chunks_exact(4).take(200).map(|step| [step[0], step[1], step[2], step[3]]);
    model::run(limit, steps.map(model::Op::from_bytes));
});
