//! What pages may hand in beside events, without a proof and with one.

use esputnik_kit::{
    api::Request,
    bulk::Kind,
    config::{CONTACT_FIELDS, Calls},
    json,
    page_call::{Proof, Todo, contact, counted, event, order, token},
    problem::{Code, Problem},
    value::Value,
};
use serde_json::json;

fn value(value: &serde_json::Value) -> Value {
    json::parse(&value.to_string()).unwrap()
}

/// Everything is open, to proofs.
fn calls(change: impl FnOnce(&mut Calls)) -> Calls {
    let mut fields = CONTACT_FIELDS.to_vec();
    fields.push("12345");
    let settings = json!({
        "contact_fields": fields,
        "tokens": ["contact"],
        "orders": true,
        "events": ["callRequested"],
        "proven_events": ["sizeChosen"],
    });
    let mut calls = serde_json::from_value(settings).unwrap();
    change(&mut calls);
    calls
}

fn proof(mut signed: serde_json::Value) -> Proof {
    signed["exp"] = json!(1000);
    Proof::read(&value(&signed), 0).unwrap()
}

/// The JSON that is stored, and what it is.
#[track_caller]
fn stored(todo: Result<Todo, Problem>) -> (Kind, serde_json::Value) {
    let Ok(Todo::Store(kind, given)) = todo else { panic!("{todo:?}") };
    let mut body = serde_json::from_str(&given.items[0].body).unwrap();
    if kind == Kind::Contacts {
        body = json!({"contact": body, "options": serde_json::from_str::<serde_json::Value>(&given.options.to_json()).unwrap()});
    }
    (kind, body)
}

#[track_caller]
fn refused(todo: Result<Todo, Problem>) -> (Code, String) {
    let Err(problem) = todo else { panic!("{todo:?}") };
    assert!(!problem.fix.is_empty());
    (problem.code, problem.field)
}

fn no(code: Code, field: &str) -> (Code, String) {
    (code, field.to_owned())
}

#[test]
fn a_proof_names_somebody() {
    for signed in [json!({}), json!({"order": "1"}), json!({"id": " ", "email": null})] {
        let mut signed = signed;
        signed["exp"] = json!(1000);
        let problem = Proof::read(&value(&signed), 0).unwrap_err();
        assert_eq!((problem.code, problem.field.as_str()), (Code::MissingField, "proof.id"));
    }
    assert_eq!(proof(json!({"phone": "380501234567"})).phone.as_deref(), Some("380501234567"));
    assert_eq!(proof(json!({"id": 7, "order": 1001})).order.as_deref(), Some("1001"));
}

#[test]
fn without_a_proof_one_address_is_subscribed_and_nothing_else_written() {
    let calls = calls(|_| {});
    let subscribe = |data: serde_json::Value| contact(&calls, &value(&data), None);
    let (kind, body) = stored(subscribe(json!({"email": "a@b.c"})));
    assert_eq!(kind, Kind::Subscriptions);
    assert_eq!(body, json!({"contact": {"channels": [{"type": "email", "value": "a@b.c"}]}}));
    let (_, body) = stored(subscribe(json!({"phone": "380501234567"})));
    let channels = json!([{"type": "sms", "value": "380501234567"}]);
    assert_eq!(body, json!({"contact": {"channels": channels}}));
    for field in CONTACT_FIELDS.iter().skip(2).chain(&["12345"]) {
        let answer = refused(subscribe(json!({"email": "a@b.c", *field: "x"})));
        assert_eq!(answer, no(Code::ProofMissing, field));
    }
    // Who has the one would be given the other.
    let both = refused(subscribe(json!({"email": "a@b.c", "phone": "380501234567"})));
    assert_eq!(both, no(Code::ProofMissing, "phone"));
    assert_eq!(refused(subscribe(json!({}))), no(Code::MissingField, "email"));
    assert_eq!(
        refused(subscribe(json!({"email": "a@b.c", "externalCustomerId": "1"}))),
        no(Code::NotOpen, "externalCustomerId"),
    );
}

#[test]
fn fields_can_be_opened_without_a_proof_knowingly() {
    let calls = calls(|calls| calls.unproven_fields = vec!["firstName".into(), "phone".into()]);
    let subscribe = |data: serde_json::Value| contact(&calls, &value(&data), None);
    let data = json!({"email": "a@b.c", "phone": "380501234567", "firstName": "Ann"});
    let (_, body) = stored(subscribe(data));
    assert_eq!(body["contact"]["firstName"], "Ann");
    assert_eq!(body["contact"]["channels"].as_array().unwrap().len(), 2);
    assert_eq!(
        refused(subscribe(json!({"email": "a@b.c", "lastName": "X"}))),
        no(Code::ProofMissing, "lastName"),
    );
}

#[test]
fn a_proof_binds_a_contact_to_what_it_names() {
    let calls = calls(|_| {});
    let write = |data: serde_json::Value, signed: serde_json::Value| {
        contact(&calls, &value(&data), Some(&proof(signed)))
    };
    for field in ["email", "phone"] {
        let other = if field == "email" { "phone" } else { "email" };
        let answer = refused(write(json!({field: "x"}), json!({"id": "7", other: "y"})));
        assert_eq!(answer, no(Code::ProofMissing, field), "only what the proof names");
        let answer = refused(write(json!({field: "1"}), json!({"id": "7", field: "2"})));
        assert_eq!(answer, no(Code::Conflict, field));
        let answer = refused(write(json!({field: "x"}), json!({"id": "7"})));
        assert_eq!(answer, no(Code::ProofMissing, field), "none to a bare id");
    }
    let bare = refused(write(json!({"firstName": "Ann"}), json!({"id": "7"})));
    assert_eq!(bare, no(Code::MissingField, "proof.email"));

    let data = json!({"firstName": "Ann", "email": "A@b.c", "phone": "+38 (050) 123-45-67"});
    let signed = json!({"id": "7", "email": "a@b.c", "phone": "380501234567"});
    let (kind, body) = stored(write(data, signed));
    assert_eq!(kind, Kind::Contacts);
    let email = json!({"type": "email", "value": "a@b.c"});
    let sms = json!({"type": "sms", "value": "380501234567"});
    assert_eq!(
        body["contact"],
        json!({"firstName": "Ann", "channels": [email, sms], "externalCustomerId": "7"}),
    );
    assert_eq!(body["options"]["dedupeOn"], "externalCustomerId");
    for (signed, dedupe_on) in
        [(json!({"email": "a@b.c"}), "email"), (json!({"phone": "380501234567"}), "sms")]
    {
        let (_, body) = stored(write(json!({"firstName": "Ann"}), signed));
        assert_eq!(body["options"]["dedupeOn"], dedupe_on);
    }
}

fn an_order(change: impl FnOnce(&mut serde_json::Value)) -> Value {
    let mut order = json!({
        "externalOrderId": "1001", "totalCost": 10, "status": "INITIALIZED",
        "date": "2026-05-31T10:00:00Z", "currency": "UAH",
    });
    change(&mut order);
    value(&order)
}

#[test]
fn an_order_needs_a_proof_which_says_whose_it_is() {
    let calls = calls(|_| {});
    let given = an_order(|order| order["email"] = "a@b.c".into());
    assert_eq!(refused(order(&calls, &given, None)), no(Code::ProofMissing, "proof"));
    let identifiers =
        ["externalCustomerId", "email", "phone", "Email", "contactKey", "ema\u{131}l"];
    let given = an_order(|order| {
        for name in identifiers {
            order[name] = "somebody@else.example".into();
        }
    });
    let (kind, body) = stored(order(&calls, &given, Some(&proof(json!({"id": "7"})))));
    assert_eq!(kind, Kind::Orders);
    assert_eq!(body["externalCustomerId"], "7");
    assert!(!body.to_string().contains("somebody"), "{body}");
    let signed = proof(json!({"email": "a@b.c", "phone": "380501234567"}));
    let (_, body) = stored(order(&calls, &given, Some(&signed)));
    assert_eq!((&body["email"], &body["phone"]), (&json!("a@b.c"), &json!("380501234567")));
    assert!(!body.to_string().contains("somebody"), "{body}");
}

#[test]
fn an_order_is_taken_further_by_a_proof_that_names_it() {
    let calls = calls(|_| {});
    let bare = proof(json!({"id": "7"}));
    for status in ["DELIVERED", "CANCELLED", "IN_PROGRESS", "delivered", "Initialized"] {
        let given = an_order(|order| order["status"] = status.into());
        let answer = refused(order(&calls, &given, Some(&bare)));
        assert_eq!(answer, no(Code::ProofMissing, "status"), "{status}");
        let own = proof(json!({"id": "7", "order": "1001"}));
        stored(order(&calls, &given, Some(&own)));
    }
    for status in ["INITIALIZED", "ABANDONED_SHOPPING_CART", "DELIVERED"] {
        let given = an_order(|order| order["status"] = status.into());
        let other = proof(json!({"id": "7", "order": "1002"}));
        let answer = refused(order(&calls, &given, Some(&other)));
        assert_eq!(answer, no(Code::Conflict, "externalOrderId"), "{status}");
    }
    for status in ["INITIALIZED", "ABANDONED_SHOPPING_CART"] {
        stored(order(&calls, &an_order(|order| order["status"] = status.into()), Some(&bare)));
    }
}

#[test]
fn an_event_has_a_type_a_key_and_parameters_and_nothing_beside() {
    let calls = calls(|_| {});
    let proofs = [None, Some(proof(json!({"id": "7"})))];
    for signed in &proofs {
        for beside in ["eventKey", "eventData", "email", "contactId", "Params", "occurred"] {
            let data = json!({"eventTypeKey": "callRequested", "keyValue": "1", beside: "x"});
            let answer = refused(event(&calls, &value(&data), signed.as_ref()));
            assert_eq!(answer, no(Code::NotOpen, beside));
        }
        for name in ["contactJson", "CONTACTJSON", "contact_json", "contactJ\u{17f}on"] {
            for params in [json!({name: {"email": "x"}}), json!([{"name": name, "value": "x"}])] {
                let data =
                    json!({"eventTypeKey": "callRequested", "keyValue": "1", "params": params});
                let answer = refused(event(&calls, &value(&data), signed.as_ref()));
                assert_eq!(answer, no(Code::NotOpen, &format!("params.{name}")));
            }
        }
        for (params, answer) in [
            (
                json!([{"name": "size", "value": 1, "email": "x"}]),
                no(Code::NotOpen, "params.email"),
            ),
            (json!([{"value": 1}]), no(Code::MissingField, "params")),
            (json!(["size"]), no(Code::WrongType, "params[0]")),
        ] {
            let data = json!({"eventTypeKey": "callRequested", "keyValue": "1", "params": params});
            assert_eq!(refused(event(&calls, &value(&data), signed.as_ref())), answer);
        }
    }
    let data = json!({"eventTypeKey": "callRequested", "keyValue": "1", "params": {"size": 44}});
    let (kind, body) = stored(event(&calls, &value(&data), None));
    assert_eq!(kind, Kind::Events);
    let params = json!([{"name": "size", "value": 44}]);
    assert_eq!(body, json!({"eventTypeKey": "callRequested", "keyValue": "1", "params": params}),);
}

#[test]
fn whose_an_event_is_the_proof_says() {
    let calls = calls(|_| {});
    let data = json!({
        "eventTypeKey": "sizeChosen",
        "keyValue": "somebody",
        "params": {
            "externalCustomerId": "somebody", "Email": "somebody", "phone": "somebody",
            "contact_key": "somebody", "ema\u{131}l": "somebody", "push.token": "somebody", "size": 44,
        },
    });
    let bare = refused(event(&calls, &value(&data), None));
    assert_eq!(bare, no(Code::ProofMissing, "proof"));
    let (_, body) =
        stored(event(&calls, &value(&data), Some(&proof(json!({"id": "7", "phone": "38050"})))));
    let params = json!([
        {"name": "externalCustomerId", "value": "7"},
        {"name": "phone", "value": "38050"},
        {"name": "size", "value": 44},
    ]);
    assert_eq!(body, json!({"eventTypeKey": "sizeChosen", "params": params}));
}

#[test]
fn pages_have_the_contacts_token_and_no_other() {
    assert!(serde_json::from_value::<Calls>(json!({"tokens": ["event"]})).is_err());
    let calls = calls(|_| {});
    let signed = proof(json!({"id": "7", "phone": "38050"}));
    let ask = |kind: &str, proof| token(&calls, &value(&json!({"kind": kind})), proof);
    assert_eq!(refused(ask("event", Some(&signed))), no(Code::UnknownValue, "kind"));
    assert_eq!(refused(ask("contact", None)), no(Code::ProofMissing, "proof"));
    let Ok(Todo::Call(Request { target, body, .. })) = ask("contact", Some(&signed)) else {
        panic!("a proof is enough");
    };
    assert_eq!(target, "/v1/auth/contact/token");
    assert_eq!(body.as_deref(), Some(r#"{"phone":"38050","externalCustomerId":"7"}"#));
}

#[test]
fn calls_are_counted_by_address_and_network() {
    let counted = counted(&[203, 0, 113, 7]);
    assert_eq!(counted, [(&[203, 0, 113, 7][..], 30), (&[203, 0, 113], 120)]);
}
