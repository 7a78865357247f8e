//! What the contract refuses in prose, beyond its schemas.

use serde_json::{Value, json};

use super::mailed;
use crate::rig::Rig;

/// A request and the field that its refusal names.
type Case = (&'static str, &'static str, Value, &'static str);

fn about_contacts_and_events() -> Vec<Case> {
    let event = |kind: &str, key: &str| json!({ "eventTypeKey": kind, "keyValue": key });
    let three = json!({ "channels": [{ "type": "sms", "value": "380501234567" },
        { "type": "sms", "value": "380501234568" }, { "type": "sms", "value": "380501234569" }] });
    vec![
        ("POST", "/v1/contact", json!({ "channels": [] }), "channels"),
        ("POST", "/v1/contact", three, "channels[2]"),
        ("POST", "/v1/contact", mailed("nobody"), "channels[0].value"),
        (
            "POST",
            "/v1/contact/subscribe",
            json!({ "contact": mailed("a@b.com"), "formType": "a?" }),
            "formType",
        ),
        (
            "POST",
            "/v1/contact/subscribe",
            json!({ "contact": mailed("a") }),
            "contact.channels[0].value",
        ),
        (
            "POST",
            "/v1/contacts",
            json!({ "contacts": [mailed("a@b.com")], "eventKeyForNewContacts": "a|b" }),
            "eventKeyForNewContacts",
        ),
        (
            "POST",
            "/v1/contacts",
            json!({ "contacts": [mailed("a@b.com")], "dedupeOn": "fieldId" }),
            "fieldId",
        ),
        ("POST", "/v1/contacts", json!({ "contacts": [] }), "contacts"),
        ("POST", "/v1/event", event("a'b", "1"), "eventTypeKey"),
        ("POST", "/v1/event", event(&"a".repeat(101), "1"), "eventTypeKey"),
        ("POST", "/v2/event", event("a", "a/b"), "keyValue"),
        ("POST", "/v2/event", event("a", &"a".repeat(301)), "keyValue"),
        (
            "POST",
            "/v2/event",
            json!({ "eventTypeKey": "a", "keyValue": "1", "params": [{ "name": "a" }, { "name": "a" }] }),
            "params[1].name",
        ),
    ]
}

fn about_the_rest() -> Vec<Case> {
    let event = |kind: &str, key: &str| json!({ "eventTypeKey": kind, "keyValue": key });
    let ids: Vec<i64> = (0..501).collect();
    let recipients: Vec<Value> = (0..1001).map(|id| json!({ "contactId": id })).collect();
    let orders: Vec<Value> = (0..1001)
        .map(|id| {
            json!({ "externalOrderId": id, "email": "a@b.com",
        "totalCost": 1, "status": "DELIVERED", "date": "2026-01-01T10:00:00Z", "currency": "UAH" })
        })
        .collect();
    let past: Vec<Value> = (0..501).map(|_| event("a", "1")).collect();
    let viber = |more: Value| {
        let mut message = json!({ "name": "A", "from": "Shop", "text": "A" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let picture = json!({ "img": "a", "caption": "a", "action": "a", "transactional": true });
    vec![
        (
            "POST",
            "/v2/event",
            json!({ "eventTypeKey": "a", "keyValue": "1", "params": [{ "name": "contactJson", "value": { "email": "a" } }] }),
            "contactJson.email",
        ),
        ("POST", "/v2/past_events", json!({ "events": past }), "events"),
        ("POST", "/v2/past_events", json!({ "events": [event("a", "a;b")] }), "events[0].keyValue"),
        ("POST", "/v1/orders", json!({ "orders": orders }), "orders"),
        ("DELETE", "/v1/orders?from=2026-01-01T00:00:00", Value::Null, "to"),
        ("DELETE", "/v1/orders?from=2026-01-01&to=2026-01-02", Value::Null, "from"),
        ("DELETE", "/v1/orders", Value::Null, "externalOrderId"),
        (
            "POST",
            "/v1/message/sms",
            json!({ "from": "Shop", "text": "A", "groupId": 1 }),
            "groupId",
        ),
        ("POST", "/v1/messages/viber", viber(json!({ "img": "a" })), "caption"),
        ("POST", "/v1/messages/viber", viber(picture), "transactional"),
        ("POST", "/v1/messages/viber", viber(json!({ "from": "Nobody" })), "from"),
        ("POST", "/v1/message/1/smartsend", json!({ "recipients": recipients }), "recipients"),
        ("POST", "/v1/group/1/contacts/attach", json!({ "contactIds": ids }), "contactIds"),
        (
            "GET",
            "/v2/contacts/messages?dateFrom=2026-01-01&dateTo=soon&contactId=1",
            Value::Null,
            "dateTo",
        ),
        (
            "GET",
            "/v2/contacts/messages?dateFrom=2026-01-01&dateTo=2026-01-02&contactId=1&maxrows=101",
            Value::Null,
            "maxrows",
        ),
        ("POST", "/v1/apps/x/token/mute", json!({ "token": "a" }), "app_uuid"),
        (
            "POST",
            "/v1/apps/83b77a49-fc28-409b-aeaa-68c9d544ab9d/token/mute",
            json!({ "token": "a", "duration": 31_536_001 }),
            "duration",
        ),
    ]
}

#[tokio::test]
async fn every_rule_in_prose_refuses_and_names_the_field() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "rest_limits": false })).await;
    let cases = about_contacts_and_events().into_iter().chain(about_the_rest());
    for (method, path, body, field) in cases {
        let answer = rig.api(method, path, &body).await;
        assert_eq!(answer.status, 400, "{method} {path} {field}: {answer:?}");
        assert!(answer.text.contains(field), "{method} {path} {field}: {answer:?}");
        let requests = rig.read("/requests?verdict=refused").await;
        let error = &requests.as_array().unwrap().last().unwrap()["error"];
        assert_eq!(error["field"], field, "{method} {path}: {error}");
        rig.delete("/requests").await;
    }
}

#[tokio::test]
async fn an_event_has_at_most_20_kilobytes() {
    let rig = Rig::start().await;
    let event = |length: usize| {
        let params = json!([{ "name": "a", "value": "x".repeat(length) }]);
        json!({ "eventTypeKey": "a", "keyValue": "1", "params": params })
    };
    rig.done("POST", "/v2/event", &event(19_900)).await;
    let answer = rig.api("POST", "/v2/event", &event(20_000)).await;
    assert_eq!((answer.status, answer.text.as_str()), (400, "an event has at most 20000 bytes"));
}

#[tokio::test]
async fn one_list_of_ids_at_a_time() {
    let rig = Rig::start().await;
    let segment = json!({ "contact": mailed("a@b.com"), "groups": ["A"] });
    rig.done("POST", "/v1/contact/subscribe", &segment).await;
    let id = rig.look("/v1/groups").await[0]["id"].clone();
    let both = json!({ "contactIds": [1], "externalCustomerIds": ["1"] });
    for action in ["attach", "detach"] {
        let answer = rig.api("POST", &format!("/v1/group/{id}/contacts/{action}"), &both).await;
        assert_eq!(answer.status, 400, "{action}");
    }
}
