//! Promo codes for those who subscribe: who gets which, what the platform hears of it, and when it is
//! given up. The property runs on [`model`].

mod model;

use esputnik_kit::{
    api::{self, Method, Reply, promo_code::AddPromoCodes},
    definition::{Definition, submission::Submission},
    json,
    promo::{Claim, Code, List, Stage, Told, Trouble, Why, Wish, listing, wished},
    value::Value,
};
use proptest::prelude::*;

use self::model::{Op, run};
use crate::rig::cases;

const DAY: u64 = 24 * 60 * 60 * 1000;

proptest! {
    #![proptest_config(cases(500))]

    /// Never one code for two contacts, never two for one, and one for each in the end: over crashes between
    /// any two steps, answers that never come, lists that are old, and two who do the same at once.
    #[test]
    fn everybody_gets_one_code_and_nobody_anothers_whatever_happens(
        ops in prop::collection::vec(any::<[u8; 4]>().prop_map(Op::from_bytes), 0..150)
    ) {
        run(ops);
    }

    #[test]
    fn whatever_is_listed_is_read_or_refused(text in "[\\[\\]{}\",:a-z0-9 \\\\]{0,60}") {
        if let Ok(listing) = json::parse(&text)
            && let Ok(codes) = listing::read(&listing, "WELCOME", 0)
        {
            for code in codes {
                assert!(!code.text.trim().is_empty(), "{text}");
            }
        }
    }
}

fn definition() -> Definition {
    let text = r#"{"promo_code": {"kind": "WELCOME", "event": "welcomeCode"},
        "pages": [{"fields": [{"kind": "email"}, {"kind": "phone"}]}]}"#;
    serde_json::from_str(text).expect("a definition")
}

fn wish(email: Option<&str>, phone: Option<&str>) -> Wish {
    let mut submission = Submission::default();
    submission.email = email.map(str::to_owned);
    submission.phone = phone.map(str::to_owned);
    let promo = definition().promo_code.expect("one is asked for");
    let names = email.iter().chain(phone.iter()).map(|address| format!("sealed {address}"));
    Wish::new(&promo, &submission, names.collect())
}

fn waiting(now: u64) -> Claim {
    let (place, claim) = wished(&[], &wish(Some("a@shop.example"), None), now).expect("a new one");
    assert_eq!((place, claim.stage), (None, Stage::Waiting));
    claim
}

fn listed(text: &str) -> Vec<Code> {
    listing::read(&json::parse(text).expect("JSON"), "WELCOME", 0).expect("a list")
}

fn given(claims: &mut [Claim], list: &mut List, codes: Result<Vec<Code>, Trouble>, now: u64) {
    list.give(claims, codes, |_| Ok::<bool, ()>(false), now, 0).expect("nothing is asked");
}

const LISTED: &str = r#"[{"code": "A", "expirationDate": "2099-01-01", "discount": 10, "inUse": false},
    {"code": "B", "expirationDate": "2099-01-01", "discount": 10, "inUse": false}]"#;

fn taken() -> Claim {
    let mut claims = [waiting(0)];
    given(&mut claims, &mut List::new("WELCOME"), Ok(listed(LISTED)), 0);
    claims[0].clone()
}

fn failed(status: u16) -> api::Error {
    let reply = Reply { status, text: "its words".to_owned(), ..Reply::default() };
    api::decode::<AddPromoCodes>(&reply, 0).expect_err("no success")
}

#[test]
fn codes_of_the_type_are_listed_that_are_not_used() {
    let request = List::new("WELCOME 10%").request();
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.target, "/v1/promocodes?type=WELCOME%2010%25&inUse=false");
}

#[test]
fn the_oldest_are_served_first_and_a_code_is_given_once() {
    let mut claims = [waiting(0), waiting(1), waiting(2)];
    let mut list = List::new("WELCOME");
    let codes = listed(r#"["G", "A", "A", "B"]"#);
    let is_given = |code: &str| Ok::<bool, ()>(code == "G");
    list.give(&mut claims, Ok(codes), is_given, 5, 0).unwrap();
    let codes: Vec<Option<&str>> =
        claims.iter().map(|claim| claim.code.as_ref().map(|code| code.text.as_str())).collect();
    assert_eq!(codes, [Some("A"), Some("B"), None]);
    assert_eq!(list.trouble.as_ref().map(|trouble| trouble.why), Some(Why::NoCodeLeft));
    assert!(list.next_at > 5 && list.attempts == 1);
    given(&mut claims, &mut list, Ok(listed(r#"["C"]"#)), 9);
    assert_eq!(claims[2].code.as_ref().unwrap().text, "C");
    assert_eq!((list.trouble, list.attempts), (None, 0));
}

#[test]
fn a_used_code_is_told_with_its_own_end_and_discount_in_address_and_body() {
    let claim = taken();
    assert_eq!(claim.stage, Stage::Taken);
    let request = claim.mark().expect("enough is known of it");
    assert_eq!(request.method, Method::Post);
    let query = "expirationDate=2099-01-01&discount=10&type=WELCOME&inUse=true";
    assert_eq!(request.target, format!("/v1/promocodes?{query}"));
    assert_eq!(
        request.body.unwrap(),
        r#"{"promocodes":["A"],"expirationDate":"2099-01-01","discount":10,"type":"WELCOME","inUse":true}"#
    );
    let mut claims = [waiting(0)];
    let odd = listed(r#"[{"code": "A", "expirationDate": "31.12.2099", "discount": 10}]"#);
    given(&mut claims, &mut List::new("WELCOME"), Ok(odd), 0);
    assert!(claims[0].mark().unwrap().body.unwrap().contains(r#""expirationDate":"31.12.2099""#));
}

#[test]
fn of_a_code_without_end_or_discount_nothing_is_invented() {
    let mut claims = [waiting(0)];
    given(&mut claims, &mut List::new("WELCOME"), Ok(listed(r#"["A"]"#)), 0);
    assert_eq!((claims[0].stage, claims[0].mark()), (Stage::Marked, None));
}

#[test]
fn the_platform_is_told_until_it_answers() {
    for status in [401, 403, 404, 429, 500, 302] {
        let claim = taken().marked(Err(&failed(status)), 10, 0);
        assert_eq!((claim.stage, claim.dead, claim.attempts), (Stage::Taken, None, 1), "{status}");
        assert!(claim.next_at > 10, "{status}");
        assert_eq!(claim.trouble.as_ref().unwrap().why, Why::MarkFailed);
        let over = claim.marked(Err(&failed(status)), 8 * DAY, 0);
        assert_eq!(over.dead, Some(8 * DAY), "{status}");
    }
    let refused = taken().marked(Err(&failed(400)), 10, 0);
    assert_eq!(refused.dead, Some(10));
    assert_eq!(refused.trouble.as_ref().unwrap().text, "refused (400): its words");
    let again = refused.retry(20);
    assert_eq!((again.stage, again.dead, again.since), (Stage::Taken, None, 20));
    assert_eq!(again.marked(Ok(()), 30, 0).stage, Stage::Marked);
}

#[test]
fn the_event_says_whose_it_is_and_has_the_code() {
    let event = taken().event().expect("an event").items.remove(0).body;
    let event = json::parse(&event).unwrap();
    assert_eq!(event.member("eventTypeKey"), Some(&Value::text("welcomeCode")));
    assert_eq!(event.member("keyValue"), Some(&Value::text("a@shop.example")));
    let param = |name: &str| {
        let params = event.member("params").and_then(Value::as_list).unwrap();
        let named = params.iter().find(|param| param.member("name") == Some(&Value::text(name)));
        named.and_then(|param| param.member("value")).and_then(Value::as_text)
    };
    assert_eq!(param("email"), Some("a@shop.example"));
    assert_eq!(param("promoCode"), Some("A"));
    assert_eq!((param("discount"), param("expirationDate")), (Some("10"), Some("2099-01-01")));
    assert_eq!(param("phone"), None);
}

#[test]
fn an_event_is_followed_to_its_end() {
    let sent =
        taken().marked(Ok(()), 1, 0).named("m-1".into()).named("m-2".into()).handed(true, 2, 0);
    assert_eq!((sent.stage, sent.message.as_deref()), (Stage::Sent, Some("m-1")));
    let told = |text: &str| sent.clone().told(&Told::read(&json::parse(text).unwrap()), 5, 0);
    let done = told(r#"{"results": [{"id": "m-1", "state": "done"}]}"#);
    assert_eq!((done.stage, &done.wish, &done.message), (Stage::Done, &None, &None));
    assert_eq!(done.code.as_ref().map(|code| code.text.as_str()), Some("A"));
    let failed = told(r#"{"results": [{"id": "m-1", "state": "failed", "message": "no"}]}"#);
    assert_eq!((failed.stage, failed.dead, &failed.message), (Stage::Marked, Some(5), &None));
    assert_eq!(failed.trouble.as_ref().unwrap().text, "no");
    let lost = told(r#"{"results": [{"id": "m-1", "state": "unknown"}]}"#);
    assert_eq!((lost.stage, lost.message.as_deref()), (Stage::Marked, Some("m-1")));
    for text in [r#"{"results": [{"id": "m-1", "state": "sent"}]}"#, "{}", "null"] {
        let waits = told(text);
        assert_eq!((waits.stage, waits.dead), (Stage::Sent, None), "{text}");
        assert!(waits.next_at > 5, "{text}");
    }
    assert!(sent.told(&Told::Waiting, 8 * DAY, 0).dead.is_some());
}

#[test]
fn who_has_a_claim_gets_no_other_and_a_dead_one_lives_again() {
    let wish = wish(Some("a@shop.example"), Some("+380501234567"));
    assert_eq!(wished(&[taken()], &wish, 1), None);
    let dead = || taken().marked(Err(&failed(400)), 1, 0);
    assert_eq!(wished(&[dead(), taken()], &wish, 1), None);
    let mut without = [waiting(0)];
    let none = Trouble::new(Why::ListingFailed, "down");
    given(&mut without, &mut List::new("WELCOME"), Err(none), 8 * DAY);
    let [without] = without;
    assert_eq!(without.dead, Some(8 * DAY));
    let (place, claim) = wished(&[without.clone(), dead()], &wish, 9 * DAY).expect("it lives");
    assert_eq!((place, claim.stage, claim.dead), (Some(1), Stage::Taken, None));
    assert_eq!(claim.wish, Some(wish));
    // What is kept of dead ones in the end: the code, if there is one.
    assert_eq!(without.forget(), None);
    let left = dead().forget().expect("the code is remembered");
    assert_eq!((left.wish.is_none(), left.code.is_some()), (true, true));
}

#[test]
fn those_who_wait_are_given_up_after_a_week_with_the_reason() {
    let mut claims = [waiting(0)];
    let mut list = List::new("WELCOME");
    let mut now = 0;
    let mut rounds = 0;
    while claims[0].dead.is_none() {
        given(&mut claims, &mut list, Ok(Vec::new()), now);
        assert!(list.next_at > now && list.next_at <= now + 300_000);
        (now, rounds) = (list.next_at, rounds + 1);
    }
    assert!((7 * DAY..8 * DAY).contains(&now) && rounds < 10_000, "{now} {rounds}");
    let view = claims[0].view(7).to_json();
    assert!(view.contains(r#""code":"no_code_left""#), "{view}");
    assert!(view.contains(r#""email":"a@shop.example""#), "{view}");
}

#[test]
fn a_blacklisted_address_earns_none_unless_there_is_a_phone() {
    let mail = wish(Some("a@shop.example"), None);
    assert!(mail.is_earned(None) && mail.is_earned(Some("NEED_CONFIRMATION")));
    assert!(mail.is_earned(Some("ALREADY_SUBSCRIBED")) && !mail.is_earned(Some("BLACKLISTED")));
    assert!(wish(Some("a@shop.example"), Some("+380501234567")).is_earned(Some("BLACKLISTED")));
}

#[test]
fn no_word_of_a_list_that_cannot_be_read_gets_into_the_reason() {
    let reply = Reply { status: 200, text: "SECRET".to_owned(), ..Reply::default() };
    let error = api::decode::<api::promo_code::ListPromoCodes>(&reply, 0).expect_err("no JSON");
    let trouble = Trouble::listing(&error);
    assert_eq!(trouble.why, Why::ListingUnreadable);
    assert!(!trouble.text.contains("SECRET"));
    assert_eq!(Trouble::listing(&failed(500)).why, Why::ListingFailed);
}
