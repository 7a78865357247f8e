//! Any sequence of steps of a page; the simulation checks each of them.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../it/sim.rs"]
#[allow(dead_code, reason = "the rules look at more of it")]
mod sim;

fuzz_target!(|bytes: &[u8]| {
    let steps = bytes.chunks_exact(4).take(200).map(|step| [step[0], step[1], step[2], step[3]]);
    sim::run(steps.map(sim::Op::from_bytes));
});
