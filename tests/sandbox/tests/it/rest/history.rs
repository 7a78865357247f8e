//! Events, orders, messages, and what is left of them.

use serde_json::{Value, json};

use super::mailed;
use crate::rig::Rig;

async fn instant_rig() -> Rig {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "send_ms": 0, "rest_duplicate_window_ms": 0 })).await;
    rig
}

fn order(id: &str, status: &str) -> Value {
    json!({ "externalOrderId": id, "email": "a@example.com", "firstName": "Anna", "totalCost": 10,
        "status": status, "date": "2026-01-01T10:00:00+02:00", "currency": "UAH",
        "items": [{ "externalItemId": "1", "quantity": 1, "cost": "10" }] })
}

#[tokio::test]
async fn an_order_is_updated_by_its_id_and_makes_an_event_each_time() {
    let rig = instant_rig().await;
    for status in ["INITIALIZED", "DELIVERED"] {
        rig.done("POST", "/v1/orders", &json!({ "orders": [order("7", status)] })).await;
    }
    let orders = rig.read("/orders").await;
    assert_eq!(orders.as_array().unwrap().len(), 1);
    assert_eq!(orders[0]["status"], "DELIVERED");
    let contacts = rig.read("/contacts").await;
    assert_eq!(
        (&contacts[0]["firstName"], &contacts[0]["id"]),
        (&json!("Anna"), &orders[0]["contactId"])
    );
    let events = rig.read("/api-events").await;
    let kinds = [&events[0]["eventTypeKey"], &events[1]["eventTypeKey"]];
    assert_eq!(kinds, [&json!("orderINITIALIZED"), &json!("orderDELIVERED")]);
    assert_eq!(events[1]["keyValue"], "7");
    rig.done("DELETE", "/v1/orders?from=2026-01-01T00:00:00&to=2026-01-02T00:00:00", &Value::Null)
        .await;
    assert_eq!(rig.read("/orders").await, json!([]));
}

#[tokio::test]
async fn a_wrong_order_fails_alone() {
    let rig = instant_rig().await;
    let mut nobody = order("1", "DELIVERED");
    nobody.as_object_mut().unwrap().remove("email");
    let mut amount = order("2", "DELIVERED");
    amount["totalCost"] = json!("much");
    let mut currency = order("3", "DELIVERED");
    currency["currency"] = json!("hryvnia");
    let orders = json!({ "orders": [nobody, amount, currency, order("4", "DELIVERED")] });
    let failed = rig.done("POST", "/v1/orders", &orders).await.json()["failedOrders"].clone();
    let errors: Vec<&str> =
        failed.as_array().unwrap().iter().map(|one| one["error"].as_str().unwrap()).collect();
    assert_eq!(
        errors,
        [
            "one of externalCustomerId, email and phone is required",
            "totalCost: \"much\" is no amount",
            "currency: \"hryvnia\" is no code of ISO 4217",
        ]
    );
    assert_eq!(failed[0]["order"]["externalOrderId"], "1");
    assert_eq!(rig.read("/orders").await[0]["externalOrderId"], "4");
}

#[tokio::test]
async fn events_about_orders_change_the_orders_of_known_contacts() {
    let rig = instant_rig().await;
    let event = |kind: &str, email: &str| {
        let params = [
            ("email", email),
            ("externalOrderId", "7"),
            ("totalCost", "258.0"),
            ("status", "INITIALIZED"),
            ("date", "2020-05-14T10:11:00"),
        ];
        let params: Vec<Value> =
            params.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!({ "eventTypeKey": kind, "params": params })
    };
    rig.done("POST", "/v2/event", &event("orderDelivered", "a@example.com")).await;
    rig.done("POST", "/v2/event", &event("orderCreated", "a@example.com")).await;
    assert_eq!(rig.read("/orders").await, json!([]), "nobody has this address yet");
    rig.contact(&mailed("a@example.com")).await;
    rig.done("POST", "/v1/event", &event("orderCreated", "a@example.com")).await;
    assert_eq!(rig.read("/orders").await[0]["status"], "INITIALIZED");
    rig.done("POST", "/v1/event", &event("orderCancelled", "a@example.com")).await;
    assert_eq!(rig.read("/orders").await[0]["status"], "CANCELLED");
}

#[tokio::test]
async fn an_event_without_a_key_takes_the_first_identifier() {
    let rig = instant_rig().await;
    let known = rig.contact(&mailed("a@example.com")).await;
    let params = json!([{ "name": "phone", "value": "380501234567" }, { "name": "EmailAddress", "value": "a@example.com" }]);
    let answer =
        rig.done("POST", "/v1/event", &json!({ "eventTypeKey": "a", "params": params })).await;
    assert_eq!(answer.text, "");
    let event = rig.read("/api-events").await[0].clone();
    assert_eq!((&event["keyValue"], &event["contactId"]), (&json!("a@example.com"), &json!(known)));
    let ignored = json!([{ "name": "externalCustomerId", "value": "null" }]);
    let answer =
        rig.api("POST", "/v2/event", &json!({ "eventTypeKey": "a", "params": ignored })).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.starts_with("keyValue: "), "bare text: {}", answer.text);
}

#[tokio::test]
async fn version_3_takes_a_map_and_the_other_vocabulary() {
    let rig = instant_rig().await;
    let map =
        json!({ "eventTypeKey": "a", "params": { "email": "a@example.com", "ip": "1.2.3.4" } });
    rig.done("POST", "/v3/event", &map).await;
    let other =
        json!({ "eventKey": "b", "email": "a@example.com", "eventData": { "x": { "y": 1 } } });
    rig.done("POST", "/v3/event", &other).await;
    let events = rig.read("/api-events").await;
    assert_eq!(events[0]["params"].as_array().unwrap().len(), 8, "the place was added");
    assert_eq!(
        (&events[1]["eventTypeKey"], &events[1]["keyValue"]),
        (&json!("b"), &json!("a@example.com"))
    );
    assert_eq!(events[1]["params"][0]["value"], json!({ "y": 1 }));
}

#[tokio::test]
async fn a_validated_type_names_the_parameters_that_it_needs() {
    let rig = instant_rig().await;
    rig.put("/settings", &json!({ "required_event_params": { "a": ["EmailAddress", "Name"] } }))
        .await;
    let answer =
        rig.api("POST", "/v2/event", &json!({ "eventTypeKey": "a", "keyValue": "1" })).await;
    assert_eq!(answer.status, 400);
    let text = "The event should have the following params: [\n    {\"name\": \"EmailAddress\", \"required\": true}";
    assert!(answer.text.starts_with(text), "{}", answer.text);
}

#[tokio::test]
async fn past_events_have_a_result_each() {
    let rig = instant_rig().await;
    rig.put("/settings", &json!({ "past_events_days": 36500, "unsegmented_events": ["b"] })).await;
    let event = |kind: &str, occurred: Value| json!({ "eventTypeKey": kind, "keyValue": "1", "occurred": occurred });
    let events = json!({ "events": [
        event("a", json!("2023-03-22T14:30")),
        event("a", Value::Null),
        event("a", json!("22.03.2023")),
        event("a", json!("1900-01-01")),
        event("a", json!("2999-01-01")),
        event("b", json!("2023-03-22")),
    ] });
    let answer = rig.done("POST", "/v2/past_events", &events).await.json();
    let results: Vec<&str> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        results,
        [
            "ACCEPTED",
            "OCCURRED_DATE_IS_REQUIRED",
            "INCORRECT_OCCURRED_DATE_FORMAT",
            "OCCURRED_TIME_TOO_DEPTH",
            "OCCURRED_TIME_IN_FUTURE",
            "EVENT_SEGMENTATION_DISABLED"
        ]
    );
    assert_eq!((&answer["successCount"], &answer["errorCount"]), (&json!(1), &json!(5)));
    assert_eq!(rig.read("/api-events").await[0]["source"], "past");
    rig.done("DELETE", "/v1/past_events", &json!({ "from": "2023-03-22", "to": "2023-03-23" }))
        .await;
    assert_eq!(rig.read("/api-events").await, json!([]));
    rig.put("/settings", &json!({ "switched_off": ["past_events_removal"] })).await;
    let period = json!({ "from": "2023-03-22", "to": "2023-03-23" });
    assert_eq!(rig.api("DELETE", "/v1/past_events", &period).await.status, 403);
}

async fn message(rig: &Rig) -> String {
    let message = json!({ "name": "Row", "from": "a@b.com", "subject": "Hello", "htmlText": "A", "tags": ["t"] });
    rig.done("POST", "/v1/messages/email", &message).await.json()["id"].to_string()
}

#[tokio::test]
async fn a_message_is_sent_asked_about_and_listed() {
    let rig = instant_rig().await;
    rig.put("/settings", &json!({ "send_ms": 1000, "send_status": { "email": "READ" } })).await;
    let id = message(&rig).await;
    let request = json!({ "email": true, "recipients": [
        { "locator": "a@example.com", "jsonParam": "{\"code\":1}", "externalRequestId": "x" },
        { "locator": "nobody" },
        { "email": "a@example.com" },
        { "locator": "b@example.com", "jsonParam": "{" },
    ] });
    let answer = rig.done("POST", &format!("/v1/message/{id}/smartsend"), &request).await.json();
    assert_eq!(answer["id"], "0");
    let results = &answer["results"];
    assert_eq!((&results[0]["status"], &results[0]["id"]), (&json!("OK"), &json!("0")));
    assert_eq!(results[1]["message"], "'nobody' is not valid email");
    assert_eq!(results[2]["status"], "ERROR");
    assert_eq!(results[3]["message"], "jsonParam is not valid JSON");
    let status = format!("/v1/message/status?ids={}", results[0]["requestId"].as_str().unwrap());
    assert_eq!(rig.look(&status).await["results"]["status"], "IN_QUEUE");
    tokio::time::sleep(std::time::Duration::from_millis(1050)).await;
    let now = rig.look(&status).await["results"].clone();
    assert_eq!(
        (&now["status"], &now["delivered"], &now["failed"]),
        (&json!("READ"), &json!("true"), &json!("false"))
    );

    let (from, to) = today();
    let activity = format!("/v2/contacts/activity?dateFrom={from}&dateTo={to}");
    let rows = rig.look(&activity).await;
    assert_eq!(
        (&rows[0]["activityStatus"], &rows[1]["activityStatus"]),
        (&json!("DELIVERED"), &json!("READ"))
    );
    assert_eq!((&rows[0]["externalRequestId"], &rows[0]["messageTag"]), (&json!("x"), &json!("t")));
    let next = format!("{activity}&offset={}", rows[0]["offset"].as_str().unwrap());
    assert_eq!(rig.look(&next).await[0]["activityStatus"], "READ");
    assert_eq!(rig.look(&format!("{activity}&activityStatus=CLICKED")).await, json!([]));
    let sent = format!("/v2/contacts/messages?dateFrom={from}&dateTo={to}&email=a@example.com");
    let sent = rig.look(&sent).await;
    assert_eq!(
        (&sent[0]["subject"], &sent[0]["activityStatus"]),
        (&json!("Hello"), &json!("READ"))
    );
    rig.put("/settings", &json!({ "switched_off": ["contact_activity"] })).await;
    let answer = rig.api("GET", &activity, &Value::Null).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (400, "Contact support to enable ContactActivity.")
    );
}

/// A period around now, which the tests cannot read from a clock.
fn today() -> (String, String) {
    let now = std::fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let built = now.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // The program was built at most weeks ago: 40 days on each side have less than three months.
    let day = |days: u64| civil(built / 86_400 + days);
    (day(0), day(80))
}

fn civil(days: u64) -> String {
    let days = i64::try_from(days).unwrap() + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + i64::from(month <= 2))
}

#[tokio::test]
async fn a_broadcast_reaches_the_segment_and_not_who_left() {
    let rig = instant_rig().await;
    let id = message(&rig).await;
    let mut known = Vec::new();
    for number in 0..3 {
        let mut contact = mailed(&format!("a{number}@example.com"));
        contact["groups"] = json!([{ "name": "All" }]);
        known.push(rig.contact(&contact).await);
    }
    let segment = rig.look("/v1/groups").await[0]["id"].clone();
    rig.done("POST", "/v1/emails/unsubscribed/add", &json!({ "emails": ["a1@example.com"] })).await;
    let ids = json!({ "contactIds": [known[2]] });
    let answer = rig.done("POST", &format!("/v1/group/{segment}/contacts/detach"), &ids).await;
    assert_eq!(answer.text, "Contacts were detached");
    let broadcast = json!({ "messageId": id, "groups": [segment] });
    let view = rig.done("POST", "/v1/broadcast", &broadcast).await.json();
    assert_eq!(view["groupId"], segment.to_string());
    let (from, to) = today();
    for (contact, count) in known.iter().zip([1, 0, 0]) {
        let path = format!("/v2/contacts/messages?dateFrom={from}&dateTo={to}&contactId={contact}");
        assert_eq!(rig.look(&path).await.as_array().unwrap().len(), count);
    }
    let path = format!("/v1/broadcast/{}", view["broadcastId"].as_str().unwrap());
    assert_eq!(rig.api("DELETE", &path, &Value::Null).await.status, 400, "it has begun");
    rig.done("POST", &format!("/v1/group/{segment}/contacts/detach"), &json!({})).await;
    assert_eq!(rig.look(&format!("/v1/group/{segment}/contacts")).await, json!([]));
}

#[tokio::test]
async fn promo_codes_are_json_inside_of_a_text() {
    let rig = instant_rig().await;
    let codes = json!({ "promocodes": ["A", "B"], "expirationDate": "2099-01-01", "discount": 5 });
    rig.done("POST", "/v1/promocodes", &codes).await;
    let text = rig.look("/v1/promocodes").await;
    let codes: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!((&codes[0]["code"], &codes[1]["discount"]), (&json!("A"), &json!(5)));
    assert_eq!(rig.look("/v1/promocodes/count").await, 2);
    assert_eq!(rig.look("/v1/promocodes/count?discount=6").await, 0);
}

#[tokio::test]
async fn tokens_of_applications_stand_beside_each_other() {
    let rig = instant_rig().await;
    let app = super::table::app();
    for token in ["t1", "t2"] {
        let tokens = json!({ "tokens": [{ "token": token, "email": "a@example.com" }] });
        rig.done("POST", &format!("/v1/apps/{app}/tokens"), &tokens).await;
    }
    let contacts = rig.read("/contacts").await;
    assert_eq!(contacts.as_array().unwrap().len(), 1);
    assert_eq!(contacts[0]["channels"].as_array().unwrap().len(), 3);
    let path = format!("/v1/contact/token/activated/{app}/t1");
    rig.done("PUT", &path, &json!({ "active": false })).await;
    assert_eq!(rig.look(&path).await, json!({ "active": false }));
    rig.put("/settings", &json!({ "apps": ["00000000-0000-0000-0000-000000000000"] })).await;
    let mute = format!("/v1/apps/{app}/token/mute");
    let answer = rig.api("POST", &mute, &json!({ "token": "t1" })).await;
    assert_eq!(
        (answer.status, &answer.json()["message"]),
        (404, &json!("Not registered application"))
    );
}

#[tokio::test]
async fn translations_show_with_their_message() {
    let rig = instant_rig().await;
    let id = message(&rig).await;
    let translation =
        json!({ "name": "Row", "from": "a@b.com", "subject": "Вітаю", "htmlText": "A" });
    rig.done("PUT", &format!("/v1/messages/email/{id}/uk"), &translation).await;
    let stored = rig.look(&format!("/v1/messages/email/{id}")).await;
    assert_eq!((&stored["subject"], &stored["languages"]), (&json!("Hello"), &json!(["uk"])));
    assert_eq!(stored["translations"][0]["subject"], "Вітаю");
    assert_eq!(rig.api("GET", &format!("/v1/messages/sms/{id}"), &Value::Null).await.status, 404);
    let found = rig.done("GET", "/v1/messages/email?search=t", &Value::Null).await;
    assert_eq!((found.header("TotalCount"), &found.json()[0]["id"].to_string()), ("1", &id));
}
