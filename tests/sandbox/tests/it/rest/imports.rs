//! Imports: told at once, done later.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::mailed;
use crate::rig::Rig;

#[tokio::test]
async fn an_import_is_visible_when_it_is_finished() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "import_ms": 1500 })).await;
    let request = json!({ "contacts": [mailed("a@example.com")], "dedupeOn": "email",
        "groupNames": ["In"], "groupNamesExclude": ["Out"], "eventKeyForNewContacts": "newContact" });
    let answer = rig.done("POST", "/v1/contacts", &request).await.json();
    assert_eq!((&answer["id"], &answer["failedContacts"]), (&json!(0), &json!([])));
    let path = format!("/v1/importstatus/{}", answer["asyncSessionId"].as_str().unwrap());
    assert_eq!(rig.look(&path).await["status"], "STARTED");
    assert_eq!(rig.read("/contacts").await, json!([]));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(rig.look(&path).await["status"], "IMPORTING");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = rig.look(&path).await;
    assert_eq!(status["status"], "FINISHED");
    assert_eq!(status["mapping"][0]["dedupeValue"], "a@example.com");
    let contacts = rig.read("/contacts").await;
    assert_eq!(contacts[0]["groups"], json!(["In"]));
    let events = rig.read("/api-events?event=newContact").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(
        (&events[0]["keyValue"], &events[0]["source"]),
        (&json!("a@example.com"), &json!("platform"))
    );
}

#[tokio::test]
async fn an_import_may_end_in_an_error_and_then_changed_nothing() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "import_ms": 0, "import_error": "out of order" })).await;
    let request = json!({ "contacts": [mailed("a@example.com")], "dedupeOn": "email" });
    let answer = rig.done("POST", "/v1/contacts", &request).await.json();
    let path = format!("/v1/importstatus/{}", answer["asyncSessionId"].as_str().unwrap());
    let status = rig.look(&path).await;
    assert_eq!(
        (&status["status"], &status["description"]),
        (&json!("ERROR"), &json!("out of order"))
    );
    assert_eq!(rig.read("/contacts").await, json!([]));
}

#[tokio::test]
async fn failed_contacts_are_an_object_a_list_or_an_empty_one() {
    let rig = Rig::start().await;
    let import = async |wrong: usize| {
        let mut contacts = vec![mailed("nobody"); wrong];
        contacts.push(mailed("a@example.com"));
        let request = json!({ "contacts": contacts, "dedupeOn": "email" });
        rig.done("POST", "/v1/contacts", &request).await.json()["failedContacts"].clone()
    };
    assert_eq!(import(0).await, json!([]));
    let one = import(1).await;
    assert_eq!(one["error"], "channels[0].value: \"nobody\" is not valid email");
    assert_eq!(import(2).await.as_array().unwrap().len(), 2);
    rig.put("/settings", &json!({ "quirks": "clean" })).await;
    assert_eq!(import(1).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_contact_without_the_key_fails_alone() {
    let rig = Rig::start().await;
    let request = json!({ "contacts": [mailed("a@example.com")], "dedupeOn": "sms" });
    let answer = rig.done("POST", "/v1/contacts", &request).await.json();
    assert_eq!(answer["failedContacts"]["error"], "the contact has no sms to be found by");
}

#[tokio::test]
async fn contacts_are_also_found_by_a_custom_field_or_their_number() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "import_ms": 0 })).await;
    let mut contact = mailed("a@example.com");
    contact["fields"] = json!([{ "id": 12345, "value": "writer" }]);
    let known = rig.contact(&contact).await;
    contact["channels"] = mailed("b@example.com")["channels"].clone();
    let request = json!({ "contacts": [contact], "dedupeOn": "fieldId", "fieldId": 12345 });
    assert_eq!(
        rig.import(&request).await[0],
        json!({ "dedupeValue": "writer", "contactId": known })
    );
    let mut contact = mailed("c@example.com");
    contact["id"] = json!(known);
    let request = json!({ "contacts": [contact], "dedupeOn": "id" });
    assert_eq!(rig.import(&request).await[0]["contactId"], known);
}

fn many(from: usize, count: usize) -> Value {
    let contact = |number: usize| {
        json!({
            "firstName": "Anna",
            "externalCustomerId": number.to_string(),
            "channels": [{ "type": "email", "value": format!("a{number}@example.com") }],
            "fields": [{ "id": 12345, "value": "writer" }],
        })
    };
    let contacts: Vec<Value> = (from..from + count).map(contact).collect();
    json!({ "contacts": contacts, "dedupeOn": "email", "groupNames": ["All"] })
}

#[tokio::test]
async fn ten_thousand_contacts_are_no_trouble() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "import_ms": 0 })).await;
    let start = Instant::now();
    for batch in 0..4 {
        let count = if batch == 3 { 1000 } else { 3000 };
        rig.import(&many(batch * 3000, count)).await;
    }
    // Far more than it takes, even without optimisation on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(rig.read("/contacts?count=1").await, json!({ "count": 10_000 }));
    let answer = rig.done("GET", "/v1/contacts?externalCustomerId=9999", &Value::Null).await;
    assert_eq!(answer.header("TotalCount"), "1");
    assert_eq!(rig.api("POST", "/v1/contacts", &many(0, 3001)).await.status, 400);
}
