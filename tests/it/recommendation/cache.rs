//! Which answer counts, when the platform is asked, and for how long somebody waits; in virtual time.

use std::{collections::HashMap, ops::Range, rc::Rc};

use esputnik_kit::{
    config::recommendations::Source,
    recommendation::cache::{Cache, Found, Kept, LOST_AFTER, Outcome, Output},
};
use proptest::prelude::*;

use super::model::{Model, Op, TIMES, What, keep};

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
fn a_host_that_is_stopped_during_a_call_does_not_make_it_again_at_once() {
    let mut model = run(&[ASK, Op::Restart, ASK, Op::Elapse(LOST_AFTER - 1), ASK]);
    assert_eq!((model.made, given(&model)), (1, "--".into()));
    for op in [Op::Elapse(1), ASK, failed(), Op::Elapse(9999), ASK] {
        model.step(&op);
    }
    assert_eq!(model.made, 2, "which counts as a failure");
    // The last good answer stays on disk meanwhile.
    let model = run(&[ASK, good(), Op::Elapse(TIMES.fresh), ASK, Op::Restart, ASK]);
    assert_eq!((model.made, given(&model)), (2, "fll".into()));
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
                Output::Keep(..) => {}
                Output::Call(key, ticket) => {
                    made += 1;
                    cache.handle_outcome(&key, ticket, Outcome::Good(answer.clone()), now);
                }
                Output::Give(_, given) => found = Some(given),
                _ => unreachable!("three kinds of output"),
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

/// A host that reads what memory lacks from its disk before it asks, and whose platform answers at once.
struct Host {
    cache: Cache<Rc<str>>,
    disk: HashMap<String, Kept<Rc<str>>>,
    outcome: Outcome<Rc<str>>,
    now: u64,
    asked: u64,
    made: usize,
}

impl Host {
    fn new(outcome: Outcome<Rc<str>>) -> Self {
        let (cache, disk) = (Cache::new(TIMES), HashMap::new());
        Self { cache, disk, outcome, now: 1_000_000, asked: 0, made: 0 }
    }

    fn ask(&mut self, number: usize) -> Found<Rc<str>> {
        let key = format!("key {number}");
        if !self.cache.knows(&key) {
            let kept = self.disk.get(&key).cloned();
            self.cache.handle_kept(&key, Source::Contact, kept);
        }
        self.asked += 1;
        self.cache.handle_ask(self.asked, &key, Source::Contact, true, self.now);
        let mut found = None;
        while let Some(output) = self.cache.poll_output() {
            match output {
                Output::Keep(key, kept) => keep(&mut self.disk, &key, kept),
                Output::Call(key, ticket) => {
                    self.made += 1;
                    let outcome = self.outcome.clone();
                    let kept = self.cache.handle_outcome(&key, ticket, outcome, self.now);
                    keep(&mut self.disk, &key, kept.expect("a call has ended"));
                }
                Output::Give(_, given) => found = Some(given),
                _ => unreachable!("three kinds of output"),
            }
        }
        found.expect("something is given")
    }

    fn in_memory(&self, numbers: Range<usize>) -> usize {
        numbers.filter(|number| self.cache.knows(&format!("key {number}"))).count()
    }
}

fn megabyte() -> Outcome<Rc<str>> {
    Outcome::Good("x".repeat(1024 * 1024).into())
}

#[test]
fn of_more_keys_than_memory_holds_each_is_given_what_is_on_disk_and_keeps_its_window() {
    let mut host = Host::new(Outcome::Good("[1]".into()));
    for number in 0..4500 {
        assert!(matches!(host.ask(number), Found::Fresh(_)));
    }
    // All are within their windows.
    for number in (0..4500).chain(0..4500) {
        assert!(matches!(host.ask(number), Found::Fresh(_)), "{number}");
    }
    assert_eq!(host.made, 4500);
    let known = host.in_memory(0..4500);
    assert!((3000..=4000).contains(&known), "{known} are in memory");
}

#[test]
fn windows_after_failures_are_kept_for_more_keys_than_memory_holds() {
    let mut host = Host::new(Outcome::Failed(Some(50_000)));
    for number in (0..9000).chain(0..9000) {
        assert_eq!(host.ask(number), Found::Nothing);
    }
    assert_eq!(host.made, 9000);
    assert!(host.in_memory(0..9000) <= 4000);
}

#[test]
fn a_key_that_comes_back_counts_as_just_asked_for() {
    let mut host = Host::new(megabyte());
    for number in 0..40 {
        host.ask(number);
    }
    assert!(!host.cache.knows("key 0"));
    for number in 0..40 {
        assert!(matches!(host.ask(number), Found::Fresh(_)), "{number}");
        assert!(matches!(host.ask(0), Found::Fresh(_)));
        assert!(host.cache.knows("key 0"), "it is asked for all the time, after {number}");
    }
    let known = host.in_memory(0..40);
    assert!((8..=16).contains(&known), "{known} MB are kept");
    assert_eq!(host.made, 40);
}

#[test]
fn a_failure_under_load_leaves_the_last_good_answer_in_memory_and_on_disk() {
    let mut host = Host::new(megabyte());
    for number in 0..40 {
        host.ask(number);
    }
    host.now += TIMES.fresh;
    host.outcome = Outcome::Failed(None);
    for number in (0..40).chain(0..40) {
        assert!(matches!(host.ask(number), Found::Last(_)), "{number}");
    }
    assert!(host.disk.values().all(|kept| kept.good.is_some()));
    assert_eq!(host.made, 80, "each once more");
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
