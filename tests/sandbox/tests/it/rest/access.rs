//! Keys, rights, tokens, limits, repetitions, faults; and what of it is recorded.

use std::time::Duration;

use serde_json::{Value, json};

use super::{KEY, mailed};
use crate::rig::Rig;

/// `any:sandbox-key` and `:other`.
const WITH_NAME: &str = "Basic YW55OnNhbmRib3gta2V5";
const OTHER: &str = "Basic Om90aGVy";

const INFO: &str = "/v1/account/info";

#[tokio::test]
async fn any_user_name_with_the_right_key_will_do() {
    let rig = Rig::start().await;
    for key in [KEY, WITH_NAME] {
        assert_eq!(rig.api_as(key, "GET", INFO, "").await.status, 200);
    }
    for key in [OTHER, "Basic", "Basic ???", "Bearer sandbox-key", "Digest x"] {
        let answer = rig.api_as(key, "GET", INFO, "").await;
        assert_eq!((answer.status, &answer.json()["status"]), (401, &json!(401)), "{key}");
    }
    let answer = rig.get(&format!("/api{INFO}")).await;
    assert_eq!(answer.status, 401);
    let requests = rig.read("/requests").await;
    let auth: Vec<&str> =
        requests.as_array().unwrap().iter().map(|one| one["auth"].as_str().unwrap()).collect();
    assert_eq!(auth, ["right", "right", "wrong", "wrong", "wrong", "wrong", "wrong", "none"]);
    assert_eq!((&requests[0]["key"], &requests[2]["key"]), (&json!(0), &Value::Null));
    assert!(!requests.to_string().contains("OnNhbmRib3gta2V5"), "no key is recorded");
}

#[tokio::test]
async fn a_limited_key_does_what_its_groups_are_for() {
    let rig = Rig::start().await;
    let keys = json!({ "api_keys": ["sandbox-key", { "key": "other", "groups": ["events"] }] });
    assert_eq!(rig.put("/settings", &keys).await.status, 200);
    let event = json!({ "eventTypeKey": "a", "keyValue": "1" }).to_string();
    for path in ["/v1/event", "/v2/event", "/v3/event"] {
        assert_eq!(rig.api_as(OTHER, "POST", path, &event).await.status, 200, "{path}");
    }
    assert_eq!(rig.api_as(OTHER, "GET", "/v2/version", "").await.status, 200);
    for path in [INFO, "/v1/workflows"] {
        assert_eq!(rig.api_as(OTHER, "GET", path, "").await.status, 403, "{path}");
    }
    assert_eq!(rig.read("/requests").await[0]["key"], 1);
    let wrong = json!({ "api_keys": [{ "key": "other", "groups": ["everything"] }] });
    assert_eq!(rig.put("/settings", &wrong).await.status, 400);
}

#[tokio::test]
async fn a_token_is_for_three_operations_and_for_a_time() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "token_ms": 1500 })).await;
    let token = rig.done("POST", "/v1/auth/token", &Value::Null).await.json();
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let event = json!({ "eventTypeKey": "a", "keyValue": "1" }).to_string();
    let past = json!({ "events": [] }).to_string();
    let period = json!({ "from": "2019-01-01", "to": "2019-01-02" }).to_string();
    assert_eq!(rig.api_as(&bearer, "POST", "/v1/event", &event).await.status, 200);
    assert_eq!(rig.api_as(&bearer, "POST", "/v1/past_events", &past).await.status, 200);
    assert_eq!(rig.api_as(&bearer, "DELETE", "/v1/past_events", &period).await.status, 200);
    assert_eq!(rig.api_as(&bearer, "POST", "/v2/event", &event).await.status, 401);
    assert_eq!(rig.api_as(&bearer, "GET", INFO, "").await.status, 401);
    tokio::time::sleep(Duration::from_millis(1550)).await;
    assert_eq!(rig.api_as(&bearer, "POST", "/v1/event", &event).await.status, 401);
}

#[tokio::test]
async fn other_paths_methods_and_media_types_are_refused() {
    let rig = Rig::start().await;
    assert_eq!(rig.api("GET", "/v1/nothing", &Value::Null).await.status, 404);
    let answer = rig.api("PATCH", "/v1/contact", &json!({})).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST, DELETE"));
    let headers = [("authorization", KEY), ("content-type", "text/plain")];
    let answer = rig.send(hyper::Method::POST, "/api/v1/contact", &headers, "{}").await.unwrap();
    assert_eq!(answer.status, 415);
    let answer = rig.api_as(KEY, "POST", "/v1/contact", "{\"channels\":").await;
    assert_eq!(answer.status, 400);
    let wrong = json!({ "contacts": [{ "channels": [{ "type": "fax" }] }] });
    let answer = rig.api("POST", "/v1/contacts", &wrong).await.json();
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("contacts[0].channels[0].type: "), "{message}");
    let codes: Vec<Value> = rig
        .read("/requests")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["error"]["code"].clone())
        .collect();
    assert_eq!(codes, ["not_found", "method", "content_type", "json", "value"]);
}

#[tokio::test]
async fn what_the_platform_tolerates_is_taken_and_unknown_members_are_listed() {
    let rig = Rig::start().await;
    let contact = json!({
        "channels": { "type": "email", "value": "a@example.com" },
        "groups": { "name": "One" },
        "externalCustomerId": 5,
        "firstName": null,
        "fields": [{ "id": 12345, "value": null }],
        "phone": "1",
    });
    let known = rig.done("POST", "/v1/contact/?x=1", &contact).await.json()["id"].clone();
    let stored = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!(stored["externalCustomerId"], "5");
    assert_eq!(stored["groups"][0]["name"], "One");
    assert_eq!(rig.read("/requests").await[0]["extras"], json!(["?x", "phone"]));
    let request = json!({ "contact": contact, "groups": { "name": "Two" }, "formType": null });
    rig.done("POST", "/v1/contact/subscribe", &request).await;
    let order = json!({ "externalOrderId": 1, "externalCustomerId": 5, "totalCost": "10.5",
        "status": "DELIVERED", "date": "2026-01-01T10:00:00.000+0200", "currency": "UAH" });
    let answer = rig.done("POST", "/v1/orders", &json!({ "orders": [order] })).await;
    assert_eq!(answer.json(), json!({ "failedOrders": [] }));
}

#[tokio::test]
async fn the_same_request_within_a_minute_is_refused_where_the_contract_says_so() {
    let rig = Rig::start().await;
    let contact = mailed("a@example.com");
    let known = rig.contact(&contact).await;
    let order = json!({ "orders": [{ "externalOrderId": "1", "email": "a@example.com",
        "totalCost": 1, "status": "INITIALIZED", "date": "2026-01-01T10:00:00Z", "currency": "UAH" }] });
    let update = format!("/v1/contact/{known}");
    let subscription = json!({ "contact": contact });
    rig.done("POST", "/v1/contact/subscribe", &subscription).await;
    rig.done("PUT", &update, &json!({ "firstName": "Anna" })).await;
    rig.done("POST", "/v1/orders", &order).await;
    for (method, path, body) in [
        ("POST", "/v1/contact", &contact),
        ("POST", "/v1/contact/subscribe", &subscription),
        ("PUT", update.as_str(), &json!({ "firstName": "Anna" })),
        ("POST", "/v1/orders", &order),
    ] {
        let answer = rig.api(method, path, body).await;
        assert_eq!((answer.status, &answer.json()["message"]), (409, &json!("Duplicated request")));
    }
    let event = json!({ "eventTypeKey": "a", "keyValue": "1" });
    rig.done("POST", "/v1/event", &event).await;
    rig.done("POST", "/v1/event", &event).await;
    rig.put("/settings", &json!({ "rest_duplicate_window_ms": 0 })).await;
    rig.done("POST", "/v1/contact", &contact).await;
    assert_eq!(rig.read("/requests?verdict=duplicate").await.as_array().unwrap().len(), 4);
    assert_eq!(rig.read("/stats").await["duplicates"], 4);
}

#[tokio::test]
async fn each_pool_has_its_own_limit_and_count() {
    let rig = Rig::start().await;
    let limits = json!({ "pool_limits": { "shared": 3, "POST /v1/event": 2 } });
    assert_eq!(rig.put("/settings", &limits).await.status, 200);
    let wrong = json!({ "pool_limits": { "GET /v1/nothing": 3 } });
    assert_eq!(rig.put("/settings", &wrong).await.status, 400);
    for _ in 0..3 {
        rig.done("GET", INFO, &Value::Null).await;
    }
    let answer = rig.api("GET", "/v1/groups", &Value::Null).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    let event = json!({ "eventTypeKey": "a", "keyValue": "1" });
    for status in [200, 200, 429] {
        assert_eq!(rig.api("POST", "/v1/event", &event).await.status, status);
    }
    rig.done("POST", "/v2/event", &event).await;
    let pools = rig.read("/stats").await["pools"].clone();
    assert_eq!(pools["shared"], json!({ "requests": 4, "limited": 1, "max_per_second": 4 }));
    assert_eq!(
        pools["POST /v1/event"],
        json!({ "requests": 3, "limited": 1, "max_per_second": 3 })
    );
    assert_eq!(pools["POST /v2/event"]["limited"], 0);
    tokio::time::sleep(Duration::from_millis(1010)).await;
    rig.done("GET", INFO, &Value::Null).await;
    rig.put("/settings", &json!({ "rest_limits": false })).await;
    for _ in 0..5 {
        rig.done("GET", INFO, &Value::Null).await;
    }
}

#[tokio::test]
async fn the_published_limits_hold_without_any_setting() {
    let rig = Rig::start().await;
    let period = json!({ "from": "2019-01-01", "to": "2019-01-02" });
    let mut taken = 0;
    for _ in 0..6 {
        taken += u32::from(rig.api("DELETE", "/v1/past_events", &period).await.status == 200);
    }
    let pool = rig.read("/stats").await["pools"]["DELETE /v1/past_events"].clone();
    // On a slow machine six requests may take longer than their second.
    assert!(taken == 5 || pool["max_per_second"].as_u64() < Some(6), "{taken} of {pool}");
    let path = "/v1/messages/viber/1";
    rig.put("/settings", &json!({ "pool_limits": { "GET /v1/messages/viber/{id}": 1 } })).await;
    assert_eq!(rig.api("GET", path, &Value::Null).await.status, 404);
    let answer = rig.api("GET", path, &Value::Null).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "3600"));
}

#[tokio::test]
async fn faults_apply_to_rest_requests_by_path_and_method() {
    let rig = Rig::start().await;
    let faults = json!([
        { "status": 503, "retry_after": "2", "count": 1, "match": { "path": "/api/v1/contact", "method": "POST" } },
        { "refuse": true, "match": { "event": "cart" } },
        { "drop": "after", "match": { "path": "/api/v1/orders" } },
    ]);
    assert_eq!(rig.put("/faults", &faults).await.status, 200);
    rig.done("GET", "/v1/contacts", &Value::Null).await;
    let contact = mailed("a@example.com");
    let answer = rig.api("POST", "/v1/contact", &contact).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
    rig.done("POST", "/v1/contact", &contact).await;
    let event = |kind: &str| json!({ "eventTypeKey": kind, "keyValue": "1" });
    assert_eq!(rig.api("POST", "/v2/event", &event("cart")).await.status, 400);
    rig.done("POST", "/v2/event", &event("view")).await;
    let orders = json!({ "orders": [{ "externalOrderId": "1", "email": "a@example.com",
        "totalCost": 1, "status": "DELIVERED", "date": "2026-01-01T10:00:00Z", "currency": "UAH" }] });
    let headers = [("authorization", KEY), ("content-type", "application/json")];
    let lost = rig.send(hyper::Method::POST, "/api/v1/orders", &headers, orders.to_string()).await;
    lost.expect_err("the connection is closed");
    assert_eq!(rig.read("/orders").await[0]["externalOrderId"], "1");
    let requests = rig.read("/requests?path=/api/v1/orders").await;
    assert_eq!(requests.as_array().unwrap().len(), 1);
    assert_eq!(
        (&requests[0]["verdict"], &requests[0]["status"]),
        (&json!("accepted"), &Value::Null)
    );
    assert_eq!(requests[0]["fault"], "drop_after");
    for wrong in [json!({}), json!({ "path": "/v1" }), json!({ "method": "post" })] {
        assert_eq!(rig.put("/faults", &json!({ "status": 500, "match": wrong })).await.status, 400);
    }
}

#[tokio::test]
async fn the_tracker_and_the_rest_api_do_not_count_for_each_other() {
    let rig = Rig::start().await;
    rig.post(&crate::bodies::right("MainPage")).await;
    rig.contact(&mailed("a@example.com")).await;
    assert_eq!(rig.read("/events").await.as_array().unwrap().len(), 1);
    assert_eq!(rig.read("/requests").await.as_array().unwrap().len(), 2);
    assert_eq!(rig.delete("/state").await.status, 204);
    assert_eq!(rig.read("/contacts").await, json!([]));
    assert_eq!(rig.read("/requests").await.as_array().unwrap().len(), 2);
    let rig = rig.restart().await;
    assert_eq!(rig.contact(&mailed("b@example.com")).await, 1);
    let rig = rig.restart().await;
    assert_eq!(rig.read("/contacts?since=0&limit=1").await[0]["id"], 1);
    assert_eq!(rig.get("/contacts?sort=1").await.status, 400);
}
