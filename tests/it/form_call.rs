//! What is handed in with forms: how it is read, and what everybody is told.

use esputnik_kit::{
    bulk,
    definition::{
        Definition, Words,
        page::{Confirmation, SecondStep, Sheet},
        render::Filled,
        submission,
    },
    form::{check::Wrong, date::Date},
    form_call::{self, Outcome, Posted, State},
    json,
    page_call::Proof,
    problem::Code,
    value::Value,
};

fn definition(text: &str) -> Definition {
    serde_json::from_str(text).expect("a definition")
}

fn posted(text: &str) -> Result<Posted, (Code, String)> {
    let body = json::parse(text).expect("JSON");
    Posted::from_value(&body).map_err(|problem| (problem.code, problem.field))
}

const NEWS: &str = r#"{"pages": [{"fields": [{"kind": "email", "required": true},
    {"kind": "select", "field": 7, "label": "Size", "options": [{"value": "a", "label": "<A>"}]},
    {"kind": "consent", "label": "Yes"}]}]}"#;

#[test]
fn a_page_sends_what_is_known_and_nothing_else() {
    let read = posted(
        r#"{"token": "t", "data": {"email": "a@b.c", "company_site": ""}, "turnstile": "x",
            "page": {"url": "u", "lang": "uk"}, "sc": "no id", "step": 2}"#,
    )
    .expect("a page's");
    assert_eq!((read.token.as_str(), read.step, read.turnstile.as_str()), ("t", 2, "x"));
    assert_eq!((read.language.as_deref(), &read.web_id), (Some("uk"), &None));
    assert_eq!(read.data.to_json(), r#"{"email":"a@b.c"}"#);
    assert!(!read.is_trapped);
    for (text, code, field) in [
        ("[]", Code::WrongType, ""),
        (r#"{"token": 1}"#, Code::WrongType, "token"),
        (r#"{"step": 3}"#, Code::UnknownValue, "step"),
        (r#"{"segments": ["Staff"]}"#, Code::UnknownValue, "segments"),
    ] {
        assert_eq!(posted(text).unwrap_err(), (code, field.to_owned()), "{text}");
    }
}

#[test]
fn whatever_is_in_the_trap_springs_it() {
    for value in [r#""x""#, "1", "[]", "{}", "true"] {
        let body = format!(r#"{{"data": {{"company_site": {value}}}}}"#);
        assert!(posted(&body).unwrap().is_trapped, "{value}");
    }
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert!(Posted::from_fields(vec![pair("company_site", "x")]).is_trapped);
    assert!(!Posted::from_fields(vec![pair("company_site", "")]).is_trapped);
}

#[test]
fn what_browsers_post_is_read_as_what_scripts_send() {
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let read = Posted::from_fields(vec![
        pair("email", "a@b.c"),
        pair("subscriptions", "news"),
        pair("_lang", "uk"),
        pair("_page", "https://shop.example/"),
        pair("subscriptions", "sales"),
        pair("_token", "t"),
        pair("cf-turnstile-response", "x"),
        pair("_step", "2"),
    ]);
    assert_eq!(read.data.to_json(), r#"{"email":"a@b.c","subscriptions":["news","sales"]}"#);
    assert_eq!((read.token.as_str(), read.turnstile.as_str(), read.step), ("t", "x", 2));
    assert_eq!(read.typed().len(), 3);
    for step in ["", "1", "3", "two"] {
        assert_eq!(Posted::from_fields(vec![pair("_step", step)]).step, 1, "{step}");
    }
    let data = Posted::from_fields(vec![pair("_other", "x")]).data;
    let refusal = submission::read(&definition(NEWS), 1, &data, Date::from_millis(0));
    assert!(matches!(refusal, Err(submission::Refusal::Shape(_))));
}

#[test]
fn answers_tell_no_status_unless_the_shop_wants_it() {
    let mut form = definition(NEWS);
    let outcome = |status: Option<&str>| Outcome {
        state: State::Sent,
        status: status.map(str::to_owned),
        next: None,
    };
    let neutral = r#"{"accepted":true,"state":"sent"}"#;
    for status in [None, Some("BLACKLISTED"), Some("ALREADY_SUBSCRIBED")] {
        assert_eq!(outcome(status).answer(&form).to_json(), neutral);
    }
    form.reveal_status = true;
    let told = outcome(Some("NEED_CONFIRMATION")).answer(&form).to_json();
    assert_eq!(told, r#"{"accepted":true,"state":"sent","status":"need_confirmation"}"#);
    assert_eq!(outcome(None).answer(&form).to_json(), neutral);
}

#[test]
fn a_form_is_too_early_until_its_seconds_are_over() {
    let mut form = definition(NEWS);
    form.min_seconds = 2;
    for (now, wait) in [(1000, Some(2)), (1001, Some(2)), (2001, Some(1)), (3000, None)] {
        assert_eq!(form_call::too_early(&form, 1000, now), wait, "{now}");
    }
    // A clock that went back.
    assert_eq!(form_call::too_early(&form, u64::MAX, 5), Some((u64::MAX - 5).div_ceil(1000)));
}

#[test]
fn a_request_is_about_somebody() {
    let form = definition(
        r#"{"kind": "request", "event": "called", "pages": [{"fields":
            [{"kind": "text", "param": "topic", "label": "Topic"}]}]}"#,
    );
    let given = |posted: &Posted, proof: Option<&Proof>| {
        let today = Date::from_millis(0);
        let read = submission::read(&form, 1, &posted.data, today).expect("right");
        form_call::given(&form, &read, posted, proof, "en")
            .map(|(kind, given)| (kind, given.items[0].body.clone()))
            .map_err(|problem| problem.code)
    };
    let nobody = posted(r#"{"data": {"topic": "x"}}"#).unwrap();
    assert_eq!(given(&nobody, None), Err(Code::ProofMissing));
    let sc = "0FA31C3E-5D0F-4F1A-9B0C-8B7B7B2B8A11";
    let known = posted(&format!(r#"{{"data": {{"topic": "x"}}, "sc": "{sc}"}}"#)).unwrap();
    let (kind, body) = given(&known, None).expect("a browser's");
    assert_eq!(kind, bulk::Kind::Events);
    assert!(body.contains(sc), "{body}");
    let signed = json::parse(r#"{"id": "C-7", "exp": 100}"#).unwrap();
    let proof = Proof::read(&signed, 0).unwrap();
    let (_, body) = given(&known, Some(&proof)).expect("a contact's");
    assert!(body.contains("C-7") && !body.contains(sc), "{body}");
}

#[test]
fn wrong_fields_are_told_in_the_persons_words() {
    let form = definition(NEWS);
    let words = Words::choose(&form, &["uk"]);
    let fields = [("email".to_owned(), Wrong::Missing), ("7".to_owned(), Wrong::Option)];
    let answer = form_call::wrong_fields(&words, &fields);
    let error = answer.member("error").expect("an error");
    assert_eq!(error.member("field"), Some(&Value::text("data.email")));
    assert_eq!(error.member("message"), Some(&Value::text("Заповніть це поле.")));
    assert_eq!(error.member("fields").and_then(Value::as_list).map(<[Value]>::len), Some(2));
}

#[test]
fn languages_come_in_the_order_of_their_weights() {
    for (header, wished) in [
        ("uk", "uk"),
        ("de;q=0.5, uk-UA, en;q=0.9", "uk-UA en de"),
        ("en;q=0, *, fr;q=x, pl;q=0.123456", "pl"),
        ("", ""),
        ("<script>, a b", ""),
    ] {
        assert_eq!(form_call::languages(header).join(" "), wished, "{header}");
    }
}

#[test]
fn pages_hold_what_was_typed_as_text_alone() {
    let form = definition(NEWS);
    let words = Words::choose(&form, &["en"]);
    let sheet = Sheet { id: "news", definition: &form, words: &words, style: "p{}" };
    let evil = "\"><script>alert(1)</script>";
    let typed = [
        ("email".to_owned(), evil.to_owned()),
        ("7".to_owned(), "a".to_owned()),
        ("consent".to_owned(), "1".to_owned()),
    ];
    let asked = Confirmation { typed: &typed, token: "t.t", status: Some("human") };
    let filled = Filled::again(typed.to_vec(), &[("email".to_owned(), Wrong::Email)]);
    for page in [sheet.confirmation(&asked), sheet.form(&filled)] {
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&quot;&gt;&lt;script&gt;"), "{page}");
        assert!(page.starts_with("<!doctype html><html lang=\"en\" dir=\"ltr\">"), "{page}");
        assert!(page.contains("noindex"), "{page}");
    }
    let page = sheet.confirmation(&asked);
    assert!(page.contains("<dd dir=\"auto\">&lt;A&gt;</dd>"), "{page}");
    assert!(page.contains("value=\"t.t\""), "{page}");
    assert!(!sheet.end(None).contains("hidden"));
}

#[test]
fn the_second_step_comes_with_the_end_of_the_first_and_for_whom_it_was() {
    let form = definition(
        r#"{"pages": [{"fields": [{"kind": "email", "required": true}, {"kind": "first_name"}]}],
            "second_step": [{"title": "More", "fields": [{"kind": "last_name"}]},
                {"fields": [{"kind": "phone"}]}]}"#,
    );
    let words = Words::choose(&form, &["en"]);
    let sheet = Sheet { id: "news", definition: &form, words: &words, style: "p{}" };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let typed = [pair("email", "\"<a@b.c>"), pair("firstName", "Ann"), pair("lastName", "Lee")];
    let asked = SecondStep { typed: &typed, token: "t.t" };
    let filled = Filled::again(typed.to_vec(), &[("lastName".to_owned(), Wrong::Name)]);
    let goes_along = [
        r#"<input type="hidden" name="email" value="&quot;&lt;a@b.c&gt;">"#,
        r#"<input type="hidden" name="_step" value="2">"#,
        r#"<input type="hidden" name="_token" value="t.t">"#,
        r#"<input type="hidden" name="_lang" value="en">"#,
    ];
    let first = sheet.second_step(&asked, Some("Saved."));
    let again = sheet.second_step_again(&asked, &filled);
    for page in [&first, &again] {
        for input in goes_along {
            assert!(page.contains(input), "{input} in {page}");
        }
        for name in ["lastName", "phone", "company_site"] {
            assert_eq!(page.matches(&format!(" name=\"{name}\"")).count(), 1, "{name} in {page}");
        }
        assert!(!page.contains("firstName"), "{page}");
        let pages: Vec<_> = page.split("class=\"es-page\"").skip(1).collect();
        assert_eq!(pages.len(), 2);
        for (attributes, _) in pages.iter().filter_map(|part| part.split_once('>')) {
            assert!(!attributes.contains("hidden") && !attributes.contains("disabled"), "{page}");
        }
    }
    assert!(first.contains("Almost done") && first.contains("Saved."), "{first}");
    assert!(!first.contains("Lee"), "{first}");
    assert!(again.contains("value=\"Lee\"") && !again.contains("Almost done"), "{again}");
    assert!(again.contains(words.wrong("name")) && again.contains("aria-invalid"), "{again}");
}
