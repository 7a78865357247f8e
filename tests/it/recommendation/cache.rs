//! Which answer counts, when the platform is asked, and for how long somebody waits; in virtual time.

use std::rc::Rc;

use esputnik_kit::{
    config::recommendations::Source,
    recommendation::cache::{Cache, Found, LOST_AFTER, Outcome, Output},
};
use proptest::prelude::*;

use super::model::{Model, Op, TIMES, What};

const ASK: Op = Op::Ask { person: 0, product: 1, may_call: true };

fn run(ops: &[Op]) -> Model {
    let mut model = Model::new();
    for op in ops {
        model.step(op);
    }
    model
}

fn good() -> Op {
    Op::Answer { which: 0, outcome: What::Good }
}

fn failed() -> Op {
    Op::Answer { which: 0, outcome: What::Failed(None) }
}

/// What was given, in short.
fn given(model: &Model) -> String {
    let one = |found: &Found<Rc<str>>| match found {
        Found::Fresh(_) => 'f',
        Found::Last(_) => 'l',
        _ => '-',
    };
    model.given.iter().map(one).collect()
}

#[test]
fn many_who_ask_at_once_share_one_call() {
    let mut ops = vec![ASK; 200];
    ops.push(good());
    ops.extend(vec![ASK; 200]);
    let model = run(&ops);
    assert_eq!((model.made, given(&model)), (1, "f".repeat(400)));
}

#[test]
fn who_waits_longer_than_the_budget_gets_nothing_and_the_next_gets_the_late_answer() {
    let mut model = run(&[ASK, Op::Elapse(299)]);
    assert!(!model.nobody_waits());
    model.step(&Op::Elapse(1));
    assert_eq!((given(&model), model.nobody_waits()), ("-".into(), true));
    for op in [Op::Elapse(4000), good(), ASK] {
        model.step(&op);
    }
    assert_eq!((model.made, given(&model)), (1, "-f".into()));
}

#[test]
fn an_older_answer_is_given_at_once_while_a_new_one_is_fetched() {
    let model = run(&[ASK, good(), Op::Elapse(TIMES.fresh), ASK, ASK, good(), ASK]);
    assert_eq!((model.made, given(&model)), (2, "fllf".into()));
}

#[test]
fn an_older_answer_is_given_while_none_can_be_had_and_not_for_ever() {
    let mut model = run(&[ASK, good(), Op::Elapse(TIMES.fresh), ASK, failed(), ASK]);
    assert_eq!((model.made, given(&model)), (2, "fll".into()));
    model.step(&Op::Elapse(TIMES.stale - TIMES.fresh));
    model.step(&ASK);
    model.step(&failed());
    assert_eq!((model.made, given(&model)), (3, "fll-".into()));
}

#[test]
fn after_a_failure_nobody_asks_for_a_growing_while() {
    let mut model = run(&[ASK, failed()]);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let before = model.made;
        let mut pause = 0;
        while model.made == before {
            model.step(&Op::Elapse(1000));
            pause += 1;
            model.step(&ASK);
        }
        model.step(&failed());
        pauses.push(pause);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60], "seconds, at most a window's");
    assert!(model.nobody_waits());
}

#[test]
fn an_answer_without_products_is_asked_for_once_a_window_and_leaves_the_last_good_one() {
    let empty = Op::Answer { which: 0, outcome: What::Empty };
    let model = run(&[ASK, empty.clone(), ASK, ASK]);
    assert_eq!((model.made, given(&model)), (1, "---".into()));
    let model = run(&[ASK, good(), Op::Elapse(TIMES.fresh), ASK, empty, ASK]);
    assert_eq!((model.made, given(&model)), (2, "fll".into()));
}

#[test]
fn what_the_platform_asks_for_is_waited_for_by_every_key() {
    let other = Op::Ask { person: 1, product: 2, may_call: true };
    let closed = Op::Answer { which: 0, outcome: What::Closed(20_000) };
    let mut model = run(&[ASK, closed, other.clone(), Op::Elapse(19_999), other.clone()]);
    assert_eq!((model.made, given(&model)), (1, "---".into()));
    model.step(&Op::Elapse(1));
    model.step(&other);
    assert_eq!(model.made, 2);
    // Of a single failure, only its own key.
    let failed = Op::Answer { which: 0, outcome: What::Failed(Some(20_000)) };
    let model = run(&[ASK, failed, other, Op::Elapse(19_999), ASK]);
    assert_eq!(model.made, 2);
}

#[test]
fn who_may_not_call_gets_what_is_there() {
    let flood = Op::Ask { person: 0, product: 1, may_call: false };
    let model = run(&[flood.clone(), ASK, flood.clone(), good(), Op::Elapse(TIMES.fresh), flood]);
    assert_eq!((model.made, given(&model)), (1, "-ffl".into()));
}

#[test]
fn what_is_on_disk_outlives_a_restart() {
    let mut model = run(&[ASK, good(), Op::Restart, ASK, Op::Elapse(TIMES.fresh), ASK, failed()]);
    assert_eq!((model.made, given(&model)), (2, "ffl".into()));
    for op in [Op::Restart, Op::Elapse(4999), ASK] {
        model.step(&op);
    }
    assert_eq!((model.made, given(&model)), (2, "ffll".into()), "pauses are on disk too");
}

#[test]
fn a_call_that_never_ends_is_made_again_and_its_late_answer_still_counts() {
    let mut model = run(&[ASK, Op::Elapse(LOST_AFTER - 1), ASK]);
    assert_eq!(model.made, 1);
    model.step(&Op::Elapse(1));
    model.step(&ASK);
    assert_eq!(model.made, 2);
    model.step(&good());
    model.step(&ASK);
    assert_eq!((model.made, given(&model)), (2, "-fff".into()));
}

#[test]
fn who_is_forgotten_is_given_nothing_any_more() {
    let mut model =
        run(&[ASK, good(), Op::Elapse(TIMES.fresh), ASK, Op::Forget { person: 0 }, ASK]);
    assert_eq!(model.made, 3);
    model.finish();
    assert_eq!(given(&model), "fl-");
}

#[test]
fn memory_is_bounded_and_what_it_forgets_is_not_asked_for_again() {
    let mut cache: Cache<Rc<str>> = Cache::new(TIMES);
    let answer: Rc<str> = "x".repeat(1024 * 1024).into();
    let key = |number: u64| format!("key {number}");
    let mut made = 0;
    let mut ask = |cache: &mut Cache<Rc<str>>, number: u64, now: u64| {
        cache.handle_ask(number, &key(number), Source::Contact, true, now);
        let mut found = None;
        while let Some(output) = cache.poll_output() {
            match output {
                Output::Call(key, ticket) => {
                    made += 1;
                    cache.handle_outcome(&key, ticket, Outcome::Good(answer.clone()), now);
                }
                Output::Give(_, given) => found = Some(given),
                _ => unreachable!("two kinds of output"),
            }
        }
        (found.unwrap(), made)
    };
    for number in 0..40 {
        assert!(matches!(ask(&mut cache, number, number).0, Found::Fresh(_)));
    }
    let known = (0..40).filter(|number| cache.knows(&key(*number))).count();
    assert!((12..=16).contains(&known), "{known} MB are kept");
    assert!(cache.knows(&key(39)) && !cache.knows(&key(0)), "the oldest goes first");
    // Within the window it is read from disk, and never asked for.
    assert_eq!(ask(&mut cache, 0, 1000), (Found::Nothing, 40));
}

fn op() -> impl Strategy<Value = Op> {
    let outcome = prop_oneof![
        4 => Just(What::Good),
        1 => Just(What::Empty),
        2 => prop::option::of(0_u64..100_000).prop_map(What::Failed),
        1 => (0_u64..50_000).prop_map(What::Closed),
    ];
    let elapse = prop_oneof![0_u64..400, 0_u64..20_000, 0_u64..700_000];
    prop_oneof![
        8 => (0_usize..3, 0_usize..3, prop::bool::weighted(0.9))
            .prop_map(|(person, product, may_call)| Op::Ask { person, product, may_call }),
        4 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Op::Answer { which, outcome }),
        3 => elapse.prop_map(Op::Elapse),
        1 => Just(Op::Restart),
        1 => (0_usize..3).prop_map(|person| Op::Forget { person }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_what_the_cache_promises_holds(ops in prop::collection::vec(op(), 1..120)) {
        run(&ops).finish();
    }
}
