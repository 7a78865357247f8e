use esputnik_kit::{
    bulk,
    definition::submission::{self, Refusal, Submission},
    form::{check::Wrong, date::Date},
    json,
};
use serde_json::{Value, json};

use super::{definition, news};

fn read(form: Value, step: u32, data: &Value) -> Result<Submission, Refusal> {
    let data = json::parse(&data.to_string()).unwrap();
    submission::read(&definition(form), step, &data, Date::from_millis(1_790_000_000_000))
}

fn body(form: Value, data: &Value) -> Value {
    let submission = read(form.clone(), 1, data).unwrap();
    let body = submission.subscription(&definition(form), "uk");
    bulk::read(bulk::Kind::Subscriptions, body.clone()).expect("the platform takes it");
    serde_json::from_str(&body.to_json()).unwrap()
}

#[test]
fn what_was_filled_in_becomes_a_subscription_of_the_definition_s_segments() {
    let data = json!({
        "email": " a@example.com ",
        "firstName": "Оля",
        "12345": "38",
        "subscriptions": ["sale"],
    });
    let expected = json!({
        "contact": {
            "channels": [{"type": "email", "value": "a@example.com"}],
            "firstName": "Оля",
            "fields": [{"id": 12345, "value": "38"}],
            "languageCode": "uk",
        },
        "groups": ["News"],
        "subscriptions": ["sale"],
        "formType": "footer",
    });
    assert_eq!(body(news(), &data), expected);
}

#[test]
fn a_name_that_the_form_does_not_have_is_refused() {
    for name in ["lastName", "groups", "formType", "externalCustomerId", "54321", "__proto__"] {
        let refusal = read(news(), 1, &json!({"email": "a@example.com", name: "x"})).unwrap_err();
        let Refusal::Shape(problem) = refusal else { panic!("{refusal:?}") };
        assert_eq!(problem.field, format!("data.{name}"));
    }
    for value in [json!({"a": 1}), json!([["a"]]), json!(vec!["a"; 51])] {
        let refusal = read(news(), 1, &json!({"email": value})).unwrap_err();
        assert!(matches!(refusal, Refusal::Shape(_)), "{refusal:?}");
    }
}

#[test]
fn what_is_missing_is_told_by_field() {
    let refusal = read(news(), 1, &json!({})).unwrap_err();
    assert_eq!(refusal, Refusal::Fields(vec![("email".into(), Wrong::Missing)]));
}

#[test]
fn one_of_two_addresses_is_enough_and_none_is_not() {
    let form = json!({"pages": [{"fields": [{"kind": "email"}, {"kind": "phone"}]}]});
    assert!(read(form.clone(), 1, &json!({"email": "a@example.com"})).is_ok());
    let refusal = read(form, 1, &json!({"email": "", "phone": null})).unwrap_err();
    assert_eq!(refusal, Refusal::Fields(vec![("email".into(), Wrong::Unreachable)]));
}

#[test]
fn the_second_step_says_again_whose_it_is() {
    let mut form = news();
    form["second_step"] = json!([{"fields": [{"kind": "last_name"}]}]);
    let read = |data: Value| read(form.clone(), 2, &data);
    let submission = read(json!({"email": "a@example.com", "lastName": "Bo"})).unwrap();
    assert_eq!(submission.email.as_deref(), Some("a@example.com"));
    let refusal = read(json!({"lastName": "Bo"})).unwrap_err();
    assert_eq!(refusal, Refusal::Fields(vec![("email".into(), Wrong::Missing)]));
    assert!(matches!(read(json!({"firstName": "Bo"})).unwrap_err(), Refusal::Shape(_)));
}

#[test]
fn a_request_is_whose_proof_says_and_else_what_was_typed_or_the_browser() {
    let form = json!({
        "kind": "request",
        "event": "callRequested",
        "pages": [{"fields": [
            {"kind": "email"},
            {"kind": "text", "param": "size", "label": "Size"},
        ]}],
    });
    let event = |data: Value, proven: &[(&str, &str)]| -> Value {
        let submission = read(form.clone(), 1, &data).unwrap();
        let event = submission.event(&definition(form.clone()), proven, Some("AB-1"));
        bulk::read(bulk::Kind::Events, event.clone()).expect("the platform takes it");
        serde_json::from_str(&event.to_json()).unwrap()
    };
    let typed = event(json!({"email": "a@example.com", "size": "38"}), &[]);
    assert_eq!(
        typed,
        json!({
            "eventTypeKey": "callRequested",
            "keyValue": "a@example.com",
            "params": [{"name": "email", "value": "a@example.com"}, {"name": "size", "value": "38"}],
        })
    );
    let proven = event(json!({"email": "a@example.com"}), &[("externalCustomerId", "7")]);
    assert_eq!(proven["params"], json!([{"name": "externalCustomerId", "value": "7"}]));
    let unknown = event(json!({"size": "38"}), &[]);
    assert_eq!(unknown["params"][0], json!({"name": "webId", "value": "AB-1"}));
}
