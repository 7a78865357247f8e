//! A form while a person fills it in: what they are told, and that it is sent once.

use esputnik_kit::{
    form::{
        check::{Field, Kind, Wrong},
        date::Date,
        session::{Asked, Output, Place, Session, Setup},
    },
    value::Value,
};
use proptest::prelude::*;

fn asked(name: &str, kind: Kind, required: bool, step: u32, page: u32) -> Asked {
    Asked { field: Field { required, ..Field::new(name, kind) }, step, page }
}

fn setup(fields: Vec<Asked>, pages: [u32; 2]) -> Setup {
    let today = Date::new(2026, 11, 26).unwrap();
    Setup { id: "news".to_owned(), fields, pages, subscribes: true, challenge: false, today }
}

/// An address, and a consent.
fn short() -> Session {
    Session::new(setup(
        vec![asked("email", Kind::Email, true, 1, 0), asked("consent", Kind::Consent, true, 1, 0)],
        [1, 0],
    ))
}

/// Two pages, and a second step.
fn long() -> Setup {
    setup(
        vec![
            asked("firstName", Kind::FirstName, true, 1, 0),
            asked("email", Kind::Email, true, 1, 1),
            asked("lastName", Kind::LastName, true, 2, 0),
        ],
        [2, 1],
    )
}

fn place() -> Place {
    Place {
        url: "https://shop.example/".to_owned(),
        language: "uk".to_owned(),
        web_id: "ABC".to_owned(),
        ..Place::default()
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// What is asked for, reports left out.
fn poll(session: &mut Session) -> Vec<Output> {
    let outputs = std::iter::from_fn(|| session.poll_output());
    outputs.filter(|output| !matches!(output, Output::Report(..))).collect()
}

fn reports(session: &mut Session) -> Vec<&'static str> {
    let reported = std::iter::from_fn(|| session.poll_output()).filter_map(|output| match output {
        Output::Report(action, _) => Some(action),
        _ => None,
    });
    reported.collect()
}

/// The bodies that are to be posted.
fn bodies(session: &mut Session) -> Vec<Value> {
    let bodies = poll(session).into_iter().filter_map(|output| match output {
        Output::Submit(body) => Some(Value::from_json(&body).unwrap()),
        _ => None,
    });
    bodies.collect()
}

fn text(value: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(value, |value, name| value.member(name));
    found.and_then(Value::as_text).unwrap_or_default().to_owned()
}

/// A short form that was filled in and sent.
fn sent() -> Session {
    let mut session = short();
    session.handle_input("email", texts(&["anna@shop.example"]));
    session.handle_input("consent", texts(&["1"]));
    session.handle_token(Some("first".to_owned()));
    session.handle_submit(place());
    assert_eq!(bodies(&mut session).len(), 1);
    session
}

fn error(code: &str, field: &str) -> String {
    ["{\"error\":{\"code\":\"", code, "\",\"field\":\"", field, "\"}}"].concat()
}

const ACCEPTED: &str = "{\"accepted\":true,\"state\":\"sent\"}";

#[test]
fn a_submission_says_what_was_given_and_where() {
    let mut session = short();
    session.handle_input("email", texts(&[" anna@shop.example "]));
    session.handle_input("consent", texts(&["1"]));
    session.handle_token(Some("first".to_owned()));
    session.handle_submit(place());
    let bodies = bodies(&mut session);
    assert_eq!(text(&bodies[0], &["token"]), "first");
    assert_eq!(text(&bodies[0], &["data", "consent"]), "1");
    assert_eq!(text(&bodies[0], &["data", "email"]).trim(), "anna@shop.example");
    assert_eq!(text(&bodies[0], &["page", "url"]), "https://shop.example/");
    assert_eq!(text(&bodies[0], &["page", "lang"]), "uk");
    assert_eq!(text(&bodies[0], &["sc"]), "ABC");
    assert_eq!(bodies[0].member("step"), None);
}

#[test]
fn what_was_typed_before_anything_listened_counts_once() {
    let mut session = short();
    session.handle_typed("email", texts(&["anna@gmial.com"]));
    assert_eq!(reports(&mut session), ["FormStartFilling"]);
    session.handle_leave("email");
    let meant = Output::Suggest("email".to_owned(), Some("anna@gmail.com".to_owned()));
    assert_eq!(poll(&mut session), [meant]);
    // What is offered stays while the person goes to it.
    session.handle_typed("email", texts(&["anna@gmial.com"]));
    session.handle_leave("email");
    assert_eq!(poll(&mut session), []);
}

#[test]
fn nothing_is_wrong_before_a_field_is_left() {
    let mut session = short();
    session.handle_input("email", texts(&["an"]));
    session.handle_input("email", texts(&[""]));
    assert_eq!(poll(&mut session), [Output::AskToken("form:news".to_owned())]);
    session.handle_leave("email");
    let error = Output::SetError("email".to_owned(), Wrong::Missing);
    assert_eq!(poll(&mut session), [error]);
    session.handle_input("email", texts(&["anna@shop.example"]));
    assert_eq!(poll(&mut session), [Output::ClearError("email".to_owned())]);
}

#[test]
fn who_passes_through_a_field_hears_nothing() {
    let mut session = short();
    session.handle_touch();
    session.handle_leave("email");
    assert_eq!(poll(&mut session), [Output::AskToken("form:news".to_owned())]);
}

#[test]
fn a_wrong_submission_puts_the_focus_on_the_first_wrong_field() {
    let mut session = short();
    session.handle_token(None);
    session.handle_submit(place());
    assert_eq!(
        poll(&mut session),
        [
            Output::AskToken("form:news".to_owned()),
            Output::SetError("email".to_owned(), Wrong::Missing),
            Output::SetError("consent".to_owned(), Wrong::Consent),
            Output::Status("look_again"),
            Output::Focus("email".to_owned()),
        ]
    );
    session.handle_input("email", texts(&["anna@shop.example"]));
    session.handle_input("consent", texts(&["1"]));
    assert_eq!(
        poll(&mut session),
        [
            Output::ClearError("email".to_owned()),
            Output::ClearError("consent".to_owned()),
            Output::Status(""),
        ]
    );
}

#[test]
fn who_subscribes_gives_an_address_or_a_number() {
    let fields =
        vec![asked("email", Kind::Email, false, 1, 0), asked("phone", Kind::Phone, false, 1, 0)];
    let mut session = Session::new(setup(fields.clone(), [1, 0]));
    session.handle_submit(place());
    let error = Output::SetError("email".to_owned(), Wrong::Unreachable);
    assert!(poll(&mut session).contains(&error));
    let mut session = Session::new(Setup { subscribes: false, ..setup(fields, [1, 0]) });
    session.handle_submit(place());
    assert!(!poll(&mut session).contains(&error));
}

#[test]
fn a_double_click_sends_once() {
    let mut session = short();
    session.handle_input("email", texts(&["anna@shop.example"]));
    session.handle_input("consent", texts(&["1"]));
    session.handle_submit(place());
    session.handle_submit(place());
    assert_eq!(bodies(&mut session).len(), 0, "the token is not there yet");
    session.handle_token(Some("first".to_owned()));
    session.handle_submit(place());
    assert_eq!(bodies(&mut session).len(), 1);
    session.handle_submit(place());
    session.handle_answer(202, ACCEPTED, None);
    session.handle_submit(place());
    assert_eq!(bodies(&mut session).len(), 0);
}

#[test]
fn the_end_says_who_it_was_and_how_it_went() {
    let mut session = sent();
    // What is typed while it is under way was not sent.
    session.handle_input("email", texts(&["other@shop.example"]));
    session.handle_answer(202, "{\"accepted\":true,\"state\":\"stored\"}", None);
    assert_eq!(
        poll(&mut session),
        [
            Output::Identify(Some("anna@shop.example".to_owned()), None),
            Output::Status(""),
            Output::Thanks("stored_text"),
        ]
    );
    for (status, key) in [
        ("SUBSCRIBED", "subscribed_text"),
        ("ALREADY_SUBSCRIBED", "already_text"),
        ("NEED_CONFIRMATION", ""),
    ] {
        let mut session = sent();
        let body = ["{\"accepted\":true,\"state\":\"sent\",\"status\":\"", status, "\"}"].concat();
        session.handle_answer(202, &body, None);
        assert_eq!(poll(&mut session).pop(), Some(Output::Thanks(key)), "{status}");
    }
}

#[test]
fn who_cannot_be_written_to_may_give_another_address() {
    let mut session = sent();
    session.handle_answer(202, "{\"accepted\":true,\"status\":\"BLACKLISTED\"}", None);
    assert_eq!(poll(&mut session), [Output::Status("blacklisted_text")]);
    session.handle_input("email", texts(&["other@shop.example"]));
    session.handle_submit(place());
    session.handle_token(Some("second".to_owned()));
    assert_eq!(bodies(&mut session).len(), 1);
}

#[test]
fn what_came_too_early_is_sent_again_after_the_pause() {
    let mut session = sent();
    for _ in 0..3 {
        session.handle_answer(422, &error("try_again", ""), Some(1500));
        assert_eq!(poll(&mut session), [Output::Wait(1500)]);
        session.handle_wake();
        let bodies = bodies(&mut session);
        assert_eq!(text(&bodies[0], &["token"]), "first");
    }
    session.handle_answer(422, &error("try_again", ""), Some(1500));
    assert_eq!(poll(&mut session), [Output::Status("failed")]);
}

#[test]
fn a_used_or_old_token_is_renewed_once_by_itself() {
    let mut session = sent();
    session.handle_answer(403, &error("token_expired", "token"), None);
    assert_eq!(poll(&mut session), [Output::AskToken("form:news".to_owned())]);
    session.handle_token(Some("second".to_owned()));
    assert_eq!(text(&bodies(&mut session)[0], &["token"]), "second");
    session.handle_answer(403, &error("token_used", "token"), None);
    assert_eq!(poll(&mut session), [Output::Status("failed")]);
}

#[test]
fn what_the_worker_finds_wrong_is_shown_at_the_field() {
    let mut session = sent();
    session.handle_answer(422, &error("email", "data.email"), None);
    assert_eq!(
        poll(&mut session),
        [
            Output::SetError("email".to_owned(), Wrong::Email),
            Output::Status("look_again"),
            Output::Focus("email".to_owned()),
        ]
    );
}

#[test]
fn failures_leave_the_form_to_the_person() {
    for (status, body, key) in [
        (429, error("too_many", ""), "too_many"),
        (503, error("unreachable", ""), "failed"),
        (502, "<h1>Bad gateway".to_owned(), "failed"),
        (200, "<h1>Hotel network: please log in".to_owned(), "failed"),
        (422, error("unknown_value", "data.email"), "failed"),
        (422, error("email", "data.constructor"), "failed"),
    ] {
        let mut session = sent();
        session.handle_answer(status, &body, None);
        assert_eq!(poll(&mut session), [Output::Status(key)], "{status} {body}");
        session.handle_submit(place());
        session.handle_token(Some("second".to_owned()));
        assert_eq!(bodies(&mut session).len(), 1, "{status} {body}");
    }
    let mut session = sent();
    session.handle_silence();
    assert_eq!(poll(&mut session), [Output::Status("offline")]);
    session.handle_submit(place());
    session.handle_token(Some("second".to_owned()));
    assert_eq!(text(&bodies(&mut session)[0], &["token"]), "second");
}

#[test]
fn pages_are_checked_one_by_one_and_all_in_the_end() {
    let mut session = Session::new(long());
    session.handle_submit(place());
    let wrong = Output::SetError("firstName".to_owned(), Wrong::Missing);
    assert!(poll(&mut session).contains(&wrong));
    session.handle_input("firstName", texts(&["Anna"]));
    session.handle_submit(place());
    assert!(poll(&mut session).contains(&Output::ShowPage(1, 1)));
    session.handle_back();
    assert!(poll(&mut session).contains(&Output::ShowPage(1, 0)));
    session.handle_submit(place());
    session.handle_input("email", texts(&["anna@shop.example"]));
    // A page before may have been changed by something else, such as the browser's own filling.
    session.handle_given("firstName", Vec::new());
    poll(&mut session);
    session.handle_submit(place());
    assert_eq!(
        poll(&mut session),
        [
            wrong,
            Output::ShowPage(1, 0),
            Output::Status("look_again"),
            Output::Focus("firstName".to_owned()),
        ]
    );
}

#[test]
fn the_second_step_tells_more_of_the_same_person() {
    let mut session = Session::new(long());
    session.handle_input("firstName", texts(&["Anna"]));
    session.handle_input("email", texts(&["anna@shop.example"]));
    session.handle_token(Some("first".to_owned()));
    session.handle_submit(place());
    session.handle_submit(place());
    poll(&mut session);
    let next = "{\"accepted\":true,\"state\":\"sent\",\"next\":{\"token\":\"bound\"}}";
    session.handle_answer(202, next, None);
    assert_eq!(poll(&mut session).pop(), Some(Output::ShowPage(2, 0)));
    session.handle_submit(place());
    assert!(poll(&mut session).contains(&Output::Focus("lastName".to_owned())));
    session.handle_input("lastName", texts(&["Shevchenko"]));
    session.handle_submit(place());
    let body = bodies(&mut session).remove(0);
    assert_eq!(text(&body, &["token"]), "bound");
    assert_eq!(text(&body, &["data", "email"]), "anna@shop.example");
    assert_eq!(text(&body, &["data", "lastName"]), "Shevchenko");
    assert_eq!(text(&body, &["data", "firstName"]), "");
    assert_eq!(body.member("step").and_then(Value::as_whole), Some(2));
    session.handle_answer(202, ACCEPTED, None);
    assert_eq!(poll(&mut session).pop(), Some(Output::Thanks("")));
}

#[test]
fn a_challenge_is_passed_before_anything_is_sent() {
    let fields = vec![asked("email", Kind::Email, true, 1, 0)];
    let mut session = Session::new(Setup { challenge: true, ..setup(fields, [1, 0]) });
    session.handle_input("email", texts(&["anna@shop.example"]));
    session.handle_token(Some("first".to_owned()));
    assert!(poll(&mut session).contains(&Output::AskChallenge));
    session.handle_submit(place());
    assert_eq!(poll(&mut session), [Output::Status("human")]);
    session.handle_challenge(Some("passed".to_owned()));
    assert_eq!(text(&bodies(&mut session)[0], &["turnstile"]), "passed");
    session.handle_answer(403, &error("turnstile_failed", "turnstile"), None);
    assert_eq!(poll(&mut session), [Output::Status("human"), Output::AskChallenge]);
    session.handle_challenge(None);
    session.handle_submit(place());
    assert_eq!(poll(&mut session), [Output::AskChallenge]);
}

#[test]
fn actions_have_the_vendors_names_and_happen_once() {
    let mut session = short();
    session.handle_click();
    session.handle_click();
    for _ in 0..2 {
        session.handle_input("email", texts(&["anna@shop.example"]));
        session.handle_input("consent", texts(&["1"]));
    }
    assert_eq!(reports(&mut session), ["FormClick", "FormStartFilling"]);
    session.handle_token(Some("first".to_owned()));
    session.handle_submit(place());
    session.handle_answer(429, "", None);
    assert_eq!(reports(&mut session), ["FormErrorSubscribe"]);
    session.handle_submit(place());
    session.handle_answer(202, ACCEPTED, None);
    assert_eq!(reports(&mut session), ["FormSuccessSubscribe", "FormFinish"]);
}

/// A page and a Worker without either: performs what a session asks for, one thing at a time, and
/// holds it to what it promises.
#[expect(clippy::struct_excessive_bools, reason = "each is something that may be under way")]
struct World {
    session: Session,
    asked: bool,
    challenged: bool,
    flying: bool,
    waiting: bool,
    /// The step that the Worker takes next; 3 once all is accepted.
    step: u64,
    thanked: bool,
    submitted: usize,
    tokens: u32,
}

/// What may happen, by number.
const OPS: u8 = 24;

impl World {
    fn new(challenge: bool) -> Self {
        Self {
            session: Session::new(Setup { challenge, ..long() }),
            asked: false,
            challenged: false,
            flying: false,
            waiting: false,
            step: 1,
            thanked: false,
            submitted: 0,
            tokens: 0,
        }
    }

    fn step(&mut self, op: u8) {
        let session = &mut self.session;
        match op % OPS {
            0 => session.handle_input("email", texts(&["anna@shop.example"])),
            1 => session.handle_input("firstName", texts(&["Anna"])),
            2 => session.handle_input("lastName", texts(&["Shevchenko"])),
            3 => session.handle_input("email", Vec::new()),
            4 => session.handle_leave("email"),
            5 => session.handle_given("firstName", Vec::new()),
            6 => session.handle_back(),
            7..=9 => session.handle_submit(place()),
            10 => session.handle_click(),
            11 | 12 if self.asked => self.token(true),
            13 if self.asked => self.token(false),
            14 if self.challenged => self.challenge(Some("passed".to_owned())),
            15 => self.challenge(None),
            16 => self.wake(),
            17 => self.answer(202, ACCEPTED),
            18 => {
                self.answer(202, "{\"accepted\":true,\"state\":\"x\",\"next\":{\"token\":\"n\"}}");
            }
            19 => self.answer(422, &error("try_again", "")),
            20 => self.answer(403, &error("token_used", "token")),
            21 => self.answer(403, &error("turnstile_failed", "turnstile")),
            22 => self.answer(422, &error("email", "data.email")),
            23 => self.silence(),
            _ => {}
        }
        self.drain();
    }

    fn token(&mut self, given: bool) {
        self.asked = false;
        self.tokens += 1;
        self.session.handle_token(given.then(|| self.tokens.to_string()));
    }

    fn challenge(&mut self, passed: Option<String>) {
        self.challenged = false;
        self.session.handle_challenge(passed);
    }

    fn wake(&mut self) {
        self.waiting = false;
        self.session.handle_wake();
    }

    fn silence(&mut self) {
        self.flying = false;
        self.session.handle_silence();
    }

    fn answer(&mut self, status: u16, body: &str) {
        if std::mem::take(&mut self.flying) && status == 202 {
            self.step = if self.step == 1 && body.contains("next") { 2 } else { 3 };
        }
        self.session.handle_answer(status, body, None);
    }

    /// Does what is asked for.
    fn drain(&mut self) {
        for count in 0.. {
            assert!(count < 100, "it asks for ever more");
            let Some(output) = self.session.poll_output() else { break };
            match output {
                Output::AskToken(_) => {
                    assert!(!self.asked, "one token at a time");
                    self.asked = true;
                }
                Output::AskChallenge => self.challenged = true,
                Output::Wait(pause) => {
                    assert!(pause > 0 && !self.waiting);
                    self.waiting = true;
                }
                Output::Submit(body) => {
                    assert!(!self.flying, "one submission at a time");
                    let body = Value::from_json(&body).unwrap();
                    let step = body.member("step").and_then(Value::as_whole).unwrap_or(1);
                    assert_eq!(step, self.step, "what was accepted is not sent again");
                    self.flying = true;
                    self.submitted += 1;
                }
                Output::Thanks(_) => self.thanked = true,
                _ => {}
            }
        }
    }

    /// A network that works and a Worker that accepts.
    fn settle(&mut self) {
        for _ in 0..20 {
            if self.asked {
                self.token(true);
            } else if self.challenged {
                self.challenge(Some("passed".to_owned()));
            } else if self.waiting {
                self.wake();
            } else if self.flying {
                self.answer(202, ACCEPTED);
            }
            self.drain();
        }
    }
}

proptest! {
    #[test]
    fn it_is_sent_once_and_never_sticks(challenge: bool, ops in prop::collection::vec(0..OPS, 0..80)) {
        let mut world = World::new(challenge);
        for op in ops {
            world.step(op);
        }
        world.settle();
        // Whatever went before, who fills it in and sends it comes to the end.
        for _ in 0..3 {
            for (name, value) in
                [("firstName", "Anna"), ("email", "anna@shop.example"), ("lastName", "Shevchenko")]
            {
                world.session.handle_input(name, texts(&[value]));
            }
            world.session.handle_submit(place());
            world.drain();
            world.settle();
        }
        prop_assert!(world.thanked);
        let submitted = world.submitted;
        world.session.handle_submit(place());
        world.drain();
        prop_assert_eq!(world.submitted, submitted);
    }
}
