//! Tokens of contacts: each is good for one call.

use esputnik_kit::recommendation::token::{Exchange, Step};

#[test]
fn each_answer_brings_the_token_of_the_next_call() {
    let mut exchange = Exchange::new(None);
    assert_eq!(exchange.poll_step(), Step::Make);
    assert!(exchange.handle_made(" one "));
    assert_eq!(exchange.poll_step(), Step::Ask("one".into()));
    assert!(!exchange.handle_answer(200, Some("two")));
    assert_eq!(exchange.into_kept().as_deref(), Some("two"));
}

#[test]
fn a_token_that_is_not_taken_is_made_anew_once() {
    let mut exchange = Exchange::new(Some("spent".into()));
    assert_eq!(exchange.poll_step(), Step::Ask("spent".into()));
    assert!(exchange.handle_answer(401, Some("ignored")));
    assert_eq!(exchange.poll_step(), Step::Make);
    assert!(exchange.handle_made("new"));
    assert_eq!(exchange.poll_step(), Step::Ask("new".into()));
    assert!(!exchange.handle_answer(401, None), "a new one that is not taken is no token's fault");
    assert_eq!(exchange.into_kept(), None);
}

#[test]
fn an_unknown_contact_is_asked_about_no_further() {
    let mut exchange = Exchange::new(None);
    assert_eq!(exchange.poll_step(), Step::Make);
    assert!(!exchange.handle_made(""));
    assert_eq!(exchange.into_kept(), None);
}

#[test]
fn a_token_whose_call_failed_is_spent() {
    for (status, next) in [(500, None), (200, None), (200, Some(" "))] {
        let mut exchange = Exchange::new(Some("one".into()));
        assert_eq!(exchange.poll_step(), Step::Ask("one".into()));
        assert!(!exchange.handle_answer(status, next));
        assert_eq!(exchange.into_kept(), None, "{status}");
    }
    // Nobody knows what became of a call without an answer.
    let mut exchange = Exchange::new(Some("one".into()));
    assert_eq!(exchange.poll_step(), Step::Ask("one".into()));
    assert_eq!(exchange.into_kept(), None);
}
