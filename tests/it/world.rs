//! Pages and Worker in one world, whatever happens to them. The properties run on [`model`].

mod model;

use proptest::prelude::*;

use self::model::{Op, run};
use crate::rig::cases;

proptest! {
    #![proptest_config(cases(400))]

    /// Accepted is delivered, pending, dead or erased at every moment; at the end nothing accepted
    /// is missing, nothing is counted twice unnoticed, a visitor's events are in their order, and
    /// what was not accepted has its reason.
    #[test]
    fn nothing_is_lost_between_a_call_and_the_platform(
        ops in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..200)
    ) {
        run(ops);
    }
}
