//! Whom a request means, and what it changes.

use serde_json::{Value, json};

use super::mailed;
use crate::rig::Rig;

async fn fast_rig() -> Rig {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "import_ms": 0 })).await;
    rig
}

/// An import of one contact by mail; gives the contact's number.
async fn import_one(rig: &Rig, contact: Value) -> Option<i64> {
    let mapping = rig.import(&json!({ "contacts": [contact], "dedupeOn": "email" })).await;
    mapping[0]["contactId"].as_i64()
}

fn with_id(email: &str, external_id: &str) -> Value {
    let mut contact = mailed(email);
    contact["externalCustomerId"] = json!(external_id);
    contact
}

#[tokio::test]
async fn rule_1_a_known_external_id_wins_over_the_key() {
    let rig = fast_rig().await;
    let known = rig.contact(&with_id("a@example.com", "A")).await;
    rig.contact(&with_id("b@example.com", "B")).await;
    assert_eq!(import_one(&rig, with_id("b@example.com", "A")).await, Some(known));
    let contact = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!(contact["channels"], json!([{ "type": "email", "value": "b@example.com" }]));
}

#[tokio::test]
async fn rule_2_a_known_address_gets_the_unknown_external_id() {
    let rig = fast_rig().await;
    let known = rig.contact(&mailed("a@example.com")).await;
    let mut contact = with_id("A@Example.com", "A");
    contact["firstName"] = json!("Anna");
    assert_eq!(import_one(&rig, contact).await, Some(known));
    let contact = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!(
        (&contact["externalCustomerId"], &contact["firstName"]),
        (&json!("A"), &json!("Anna"))
    );
}

#[tokio::test]
async fn rule_3_of_several_the_one_that_changed_last_is_taken() {
    let rig = fast_rig().await;
    let first = rig.contact(&with_id("a@example.com", "A")).await;
    rig.contact(&with_id("a@example.com", "B")).await;
    let path = format!("/v1/contact/{first}");
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    rig.done("PUT", &path, &json!({ "firstName": "Anna" })).await;
    assert_eq!(import_one(&rig, mailed("a@example.com")).await, Some(first));
}

#[tokio::test]
async fn rule_4_the_one_without_an_external_id_gets_it() {
    let rig = fast_rig().await;
    let without = rig.contact(&mailed("a@example.com")).await;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    rig.contact(&with_id("a@example.com", "B")).await;
    assert_eq!(import_one(&rig, with_id("a@example.com", "A")).await, Some(without));
}

#[tokio::test]
async fn rule_5_where_all_have_other_external_ids_a_new_contact_is_made() {
    let rig = fast_rig().await;
    let first = rig.contact(&with_id("a@example.com", "A")).await;
    let second = rig.contact(&with_id("a@example.com", "B")).await;
    let third = import_one(&rig, with_id("a@example.com", "C")).await.unwrap();
    assert!(third != first && third != second);
    assert_eq!(rig.read("/contacts?count=1").await, json!({ "count": 3 }));
}

#[tokio::test]
async fn rule_6_a_deleted_contact_is_passed_over_or_restored() {
    let rig = fast_rig().await;
    let known = rig.contact(&mailed("a@example.com")).await;
    let path = format!("/v1/contact/{known}");
    rig.done("DELETE", &path, &Value::Null).await;
    assert_eq!(import_one(&rig, mailed("a@example.com")).await, None);
    assert_eq!(rig.api("GET", &path, &Value::Null).await.status, 404);
    let request = json!({
        "contacts": [mailed("a@example.com")], "dedupeOn": "email", "restoreDeleted": true,
    });
    assert_eq!(rig.import(&request).await[0]["contactId"], known);
    assert_eq!(rig.look(&path).await["id"], known);
}

#[tokio::test]
async fn a_single_contact_is_found_by_its_external_id_or_else_by_a_channel() {
    let rig = fast_rig().await;
    let known = rig.contact(&with_id("a@example.com", "A")).await;
    let path = format!("/v1/contact/{known}");
    rig.done("DELETE", &path, &Value::Null).await;
    assert_eq!(
        rig.contact(&json!({ "externalCustomerId": "A", "channels": [
        { "type": "sms", "value": "+380 50 123-45-67" },
    ] }))
        .await,
        known,
        "deleted contacts are restored"
    );
    let by_phone = json!({ "channels": [{ "type": "sms", "value": "380501234567" }] });
    assert_eq!(rig.contact(&by_phone).await, known);
    assert_ne!(rig.contact(&with_id("a@example.com", "B")).await, known);
}

#[tokio::test]
async fn an_external_id_of_another_contact_is_refused_on_update() {
    let rig = fast_rig().await;
    rig.contact(&with_id("a@example.com", "A")).await;
    let other = rig.contact(&mailed("b@example.com")).await;
    let path = format!("/v1/contact/{other}");
    let answer = rig.api("PUT", &path, &json!({ "externalCustomerId": "A" })).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("externalCustomerId"), "{answer:?}");
    let answer = rig.done("PUT", &path, &json!({ "externalCustomerId": "B" })).await;
    assert_eq!(answer.text, format!("Contact with id='{other}' has been updated"));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn an_erased_contact_never_comes_back() {
    let rig = fast_rig().await;
    let known = rig.contact(&with_id("a@example.com", "A")).await;
    rig.done("DELETE", &format!("/v1/contact/{known}?erase=true"), &Value::Null).await;
    assert_ne!(rig.contact(&with_id("A@example.com", "A")).await, known);
    let answer = rig.api("DELETE", "/v1/contact?externalCustomerId=Z", &Value::Null).await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["message"].as_str().unwrap().contains("not found"), "{answer:?}");
}

fn full(email: &str) -> Value {
    json!({
        "firstName": "Anna",
        "lastName": "Smith",
        "languageCode": "uk",
        "channels": [{ "type": "email", "value": email }, { "type": "sms", "value": "380501234567" }],
        "address": { "town": "Kyiv", "region": "Kyiv" },
        "fields": [{ "id": 12345, "value": "writer" }, { "id": 12346, "value": "1990-03-09" }],
    })
}

#[tokio::test]
async fn without_contact_fields_what_is_given_is_written_and_the_rest_stays() {
    let rig = fast_rig().await;
    let known = rig.contact(&full("a@example.com")).await;
    let mut contact = mailed("a@example.com");
    contact["firstName"] = json!("Hanna");
    contact["fields"] = json!([{ "id": 12345, "value": "reader" }]);
    import_one(&rig, contact).await;
    let stored = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!((&stored["firstName"], &stored["lastName"]), (&json!("Hanna"), &json!("Smith")));
    assert_eq!(stored["channels"].as_array().unwrap().len(), 2);
    assert_eq!(stored["fields"][0]["value"], "writer", "customFieldsIDs names no field");
}

#[tokio::test]
async fn a_listed_field_without_data_is_emptied_and_an_unlisted_one_stays() {
    let rig = fast_rig().await;
    let known = rig.contact(&full("a@example.com")).await;
    let mut contact = mailed("a@example.com");
    contact["firstName"] = json!("Hanna");
    contact["fields"] = json!([{ "id": "12345", "value": "reader" }]);
    let request = json!({
        "contacts": [contact],
        "dedupeOn": "email",
        "contactFields": ["lastName", "sms", "town"],
        "customFieldsIDs": [12345, 12346],
    });
    rig.import(&request).await;
    let stored = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!(stored["firstName"], "Anna");
    assert_eq!(stored["lastName"], Value::Null);
    assert_eq!(stored["channels"], json!([{ "type": "email", "value": "a@example.com" }]));
    assert_eq!(stored["address"], json!({ "region": "Kyiv" }));
    assert_eq!(stored["fields"], json!([{ "id": 12345, "value": "reader" }]));
}

#[tokio::test]
async fn the_field_that_found_the_contact_stays_as_it_is() {
    let rig = fast_rig().await;
    let known = rig.contact(&mailed("a@example.com")).await;
    import_one(&rig, mailed("A@EXAMPLE.COM")).await;
    let stored = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!(stored["channels"][0]["value"], "a@example.com");
}

#[tokio::test]
async fn a_name_against_the_rules_is_dropped_and_the_contact_kept() {
    let rig = fast_rig().await;
    let mut contact = mailed("a@example.com");
    contact["firstName"] = json!("a".repeat(41));
    contact["lastName"] = json!("Smith");
    let known = rig.contact(&contact).await;
    let stored = rig.look(&format!("/v1/contact/{known}")).await;
    assert_eq!((&stored["firstName"], &stored["lastName"]), (&Value::Null, &json!("Smith")));
}

#[tokio::test]
async fn a_search_counts_all_and_finds_parts_of_addresses() {
    let rig = fast_rig().await;
    for number in 0..3 {
        rig.contact(&with_id(&format!("a{number}@example.com"), &number.to_string())).await;
    }
    let answer = rig.done("GET", "/v1/contacts?maxrows=2&sortBy=contactId", &Value::Null).await;
    assert_eq!(answer.header("TotalCount"), "3");
    assert_eq!(answer.json()[1]["externalCustomerId"], "1");
    assert_eq!(rig.look("/v1/contacts?email=example.com").await.as_array().unwrap().len(), 3);
    assert_eq!(rig.look("/v1/contacts?externalCustomerId=2").await[0]["externalCustomerId"], "2");
    let path = "/v1/contacts?externalCustomerId=2&email=a2@example.com";
    assert_eq!(rig.api("GET", path, &Value::Null).await.status, 400);
    rig.put("/settings", &json!({ "quirks": "clean" })).await;
    assert_eq!(rig.look("/v1/contacts?email=example.com").await, json!([]));
}

#[tokio::test]
async fn a_subscription_has_four_outcomes_and_makes_an_event() {
    let rig = fast_rig().await;
    rig.put("/settings", &json!({ "blacklist": ["black@example.com"] })).await;
    let subscribe = async |email: &str, form: &str| {
        let request = json!({ "contact": mailed(email), "groups": ["News"], "formType": form });
        rig.done("POST", "/v1/contact/subscribe", &request).await.json()
    };
    let new = subscribe("a@example.com", "footer").await;
    assert_eq!((&new["emailStatus"], &new["new"]), (&json!("NEED_CONFIRMATION"), &json!(true)));
    let again = subscribe("a@example.com", "popup").await;
    assert_eq!(
        (&again["emailStatus"], &again["new"]),
        (&json!("NEED_CONFIRMATION"), &json!(false))
    );
    assert_eq!(rig.contact(&mailed("a@example.com")).await, new["id"]);
    assert_eq!(subscribe("a@example.com", "a").await["emailStatus"], "ALREADY_SUBSCRIBED");
    let emails = json!({ "emails": ["a@example.com"] });
    rig.done("POST", "/v1/emails/unsubscribed/add", &emails).await;
    assert_eq!(subscribe("a@example.com", "b").await["emailStatus"], "SUBSCRIBED");
    assert_eq!(subscribe("a@example.com", "c").await["emailStatus"], "ALREADY_SUBSCRIBED");
    assert_eq!(subscribe("black@example.com", "d").await["emailStatus"], "BLACKLISTED");

    let events = rig.read("/api-events?limit=2").await;
    assert_eq!(events[0]["eventTypeKey"], "subscribeFromApi-footer");
    assert_eq!(events[0]["keyValue"], new["id"].to_string());
    assert_eq!(events[1]["eventTypeKey"], "subscribeUpdateFromApi-popup");
    assert_eq!(events[1]["params"][1], json!({ "name": "EmailAddress", "value": "a@example.com" }));
    let contacts = rig.read("/contacts?limit=1").await;
    assert_eq!(
        (&contacts[0]["groups"], &contacts[0]["confirmed"]),
        (&json!(["News"]), &json!(true))
    );
}
