//! What leaves the Worker for the platform, when, and how often. The properties run on [`model`].

mod model;
mod rate;
mod rules;
mod shared;
mod window;

use proptest::prelude::*;

use self::model::{Op, run};
use crate::rig::cases;

proptest! {
    #![proptest_config(cases(500))]

    /// Every body reaches the platform, none after its end was stored, a visitor's in order, six at
    /// a time, pauses kept, the store written seldom: the model checks each step.
    #[test]
    fn an_outbox_holds_its_promises_whatever_happens(
        ops in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..120)
    ) {
        run(None, ops);
    }

    #[test]
    fn a_limited_outbox_holds_them_too(
        limit in 1_u32..200,
        ops in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..60)
    ) {
        run(Some(limit), ops);
    }
}
