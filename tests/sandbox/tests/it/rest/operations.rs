//! The table of operations, sent row by row; and the official samples.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::table::{self, Row};
use crate::rig::{Answer, Rig};

const DOCUMENT: &str = include_str!("../../../../data/openapi.json");
const SAMPLES: &str = include_str!("../../../../data/rest.json");

/// Answers that are no JSON under the content type of JSON.
const BARE: [&str; 4] = [
    "PUT /v1/contact/{id}",
    "DELETE /v1/contact/{id}",
    "POST /v1/group/{id}/contacts/attach",
    "POST /v1/group/{id}/contacts/detach",
];

/// Answers whose lists of one are no list although their schema has no alternative.
const ONE_FOR_MANY: [&str; 1] = ["GET /v1/workflows"];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// What the names in braces stand for.
struct Names(HashMap<String, String>);

impl Names {
    /// Makes everything that the rows ask for.
    async fn make(rig: &Rig) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut names = HashMap::from([("app".to_owned(), table::app().to_owned())]);
        let contact = json!({
            "channels": [
                { "type": "email", "value": "known@example.com" },
                { "type": "mobilepush", "value": "token-1", "device": { "appId": table::app() } },
            ],
            "groups": [{ "name": "Row" }],
        });
        names.insert("contact".to_owned(), rig.contact(&contact).await.to_string());
        for (name, external_id) in [("doomed", "doomed by id"), ("other", "doomed")] {
            let contact = json!({
                "channels": [{ "type": "email", "value": "doomed@example.com" }],
                "externalCustomerId": external_id,
            });
            names.insert(name.to_owned(), rig.contact(&contact).await.to_string());
        }
        let segments = rig.look("/v1/groups").await;
        names.insert("segment".to_owned(), text(&segments[0]["id"]));
        for (channel, message, _) in table::messages() {
            let path = format!("/v1/messages/{channel}");
            for name in [channel.to_owned(), format!("doomed {channel}")] {
                let answer = rig.done("POST", &path, &message).await;
                names.insert(name, text(&answer.json()["id"]));
            }
            let path = format!("{path}/{}/uk", names[channel]);
            rig.done("PUT", &path, &message).await;
        }
        let import = json!({ "contacts": [contact], "dedupeOn": "email" });
        let answer = rig.done("POST", "/v1/contacts", &import).await.json();
        names.insert("session".to_owned(), text(&answer["asyncSessionId"]));
        let smart = json!({ "recipients": [{ "locator": "known@example.com" }] });
        let path = format!("/v1/message/{}/smartsend", names["email"]);
        let answer = rig.done("POST", &path, &smart).await.json();
        let result =
            answer.pointer("/results/requestId").or(answer.pointer("/results/0/requestId"));
        names.insert("request".to_owned(), text(result.unwrap()));
        let broadcast = json!({ "messageId": names["email"], "startDate": "2099-01-01T10:00",
            "groups": [names["segment"].parse::<i64>().unwrap()] });
        let answer = rig.done("POST", "/v1/broadcast", &broadcast).await.json();
        names.insert("broadcast".to_owned(), text(&answer["broadcastId"]));
        let file = json!({ "link": "https://example.com/a.csv", "preprocessorType": "Random" });
        let answer = rig.done("POST", "/v1/preprocessor/file/upload", &file).await.json();
        names.insert("file".to_owned(), text(&answer["fileId"]));
        names.insert("file session".to_owned(), text(&answer["importId"]));
        Self(names)
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn body(&self, row: &Row) -> Value {
        let mut body: Value = serde_json::from_str(&self.fill(&row.body.to_string())).unwrap();
        if row.operation == "POST /v1/broadcast" {
            body["groups"] = json!([self.0["segment"].parse::<i64>().unwrap()]);
        }
        body
    }
}

/// Judges an answer by the document.
struct Judge {
    document: Value,
    is_clean: bool,
}

impl Judge {
    fn check(&self, row: &Row, answer: &Answer) {
        let (method, path) = row.operation.split_once(' ').unwrap();
        let operation = &self.document["paths"][path][method.to_lowercase()];
        let responses = operation["responses"].as_object().unwrap();
        let status = answer.status.to_string();
        let response = responses.get(&status).or_else(|| {
            // Some operations say nothing about their success.
            let is_open = !responses.keys().any(|status| status.starts_with('2'));
            responses.get("default").filter(|_| is_open && answer.status == 200)
        });
        let place = format!("{}: {answer:?}", row.operation);
        let response = response.unwrap_or_else(|| panic!("an undocumented status, {place}"));
        let Some(schema) = response.pointer("/content/application~1json/schema") else { return };
        if !self.is_clean && BARE.contains(&row.operation) {
            assert!(answer.header("content-type").starts_with("application/json"), "{place}");
            assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "{place}");
            assert!(answer.text.starts_with("Contact"), "{place}");
            return;
        }
        if !self.is_clean && ONE_FOR_MANY.contains(&row.operation) {
            return;
        }
        let mut whole = json!({ "components": self.document["components"] });
        whole["allOf"] = json!([schema]);
        let check =
            jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
        if let Err(error) = check.validate(&answer.json()) {
            panic!("{error} at {}, {place}", error.instance_path().as_str());
        }
        if self.is_clean {
            assert!(!response["content"].is_null(), "{place}");
        }
    }
}

async fn quiet_rig() -> Rig {
    let rig = Rig::start().await;
    let settings = json!({ "rest_limits": false, "rest_duplicate_window_ms": 0, "import_ms": 0 });
    rig.put("/settings", &settings).await;
    rig
}

async fn every_operation(quirks: &str) {
    let rig = quiet_rig().await;
    assert_eq!(rig.put("/settings", &json!({ "quirks": quirks })).await.status, 200);
    let names = Names::make(&rig).await;
    let judge = Judge { document: document(), is_clean: quirks == "clean" };
    for row in table::rows() {
        let (method, _) = row.operation.split_once(' ').unwrap();
        let answer = rig.api(method, &names.fill(row.path), &names.body(&row)).await;
        assert!((200..300).contains(&answer.status), "{}: {answer:?}", row.operation);
        judge.check(&row, &answer);
        // Behind the right one, since some things can only be registered once.
        if let Some((path, body, status)) = &row.wrong {
            let body = if *body == row.body { names.body(&row) } else { body.clone() };
            let answer = rig.api(method, &names.fill(path), &body).await;
            assert_eq!(answer.status, *status, "{} {path} {body}: {answer:?}", row.operation);
            assert!(!answer.text.is_empty(), "{}", row.operation);
        }
    }
}

#[tokio::test]
async fn every_operation_takes_what_is_right_and_refuses_what_is_wrong() {
    every_operation("real").await;
}

#[tokio::test]
async fn without_quirks_every_answer_is_what_its_schema_says() {
    every_operation("clean").await;
}

#[test]
fn the_table_has_every_operation_once() {
    let document = document();
    let mut wanted = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            wanted.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let rows = table::rows();
    let served: BTreeSet<String> = rows.iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(served, wanted);
    assert_eq!(rows.len(), 123);
}

#[tokio::test]
async fn the_official_samples_are_taken_except_three() {
    let rig = quiet_rig().await;
    let (_, email, _) = table::messages().swap_remove(0);
    let (_, sms, _) = table::messages().swap_remove(5);
    let email = rig.done("POST", "/v1/messages/email", &email).await.json()["id"].to_string();
    let sms = rig.done("POST", "/v1/messages/sms", &sms).await.json()["id"].to_string();
    let samples: Vec<Value> = serde_json::from_str(SAMPLES).unwrap();
    let mut sent = 0;
    for sample in samples.iter().filter(|sample| !sample["request"].is_null()) {
        let request = &sample["request"];
        let body = request.as_str().map_or_else(|| request.to_string(), str::to_owned);
        // The number of the documents is a message of its channel in each sample.
        let message = if request["email"] == true { &email } else { &sms };
        let path = sample["path"].as_str().unwrap().replace("100500", message);
        let method = sample["method"].as_str().unwrap();
        let answer = rig.api_as(super::KEY, method, &path, &body).await;
        let id = sample["id"].as_str().unwrap();
        let status = if ["C02", "E11", "M06"].contains(&id) { 400 } else { 200 };
        assert_eq!(answer.status, status, "{id}: {answer:?}");
        sent += 1;
    }
    assert_eq!(sent, 30);
    let requests = rig.read("/requests?verdict=refused").await;
    let errors: Vec<&Value> =
        requests.as_array().unwrap().iter().map(|request| &request["error"]).collect();
    assert_eq!(errors[0]["field"], "channels[2].type");
    assert_eq!((&errors[1]["code"], &errors[2]["code"]), (&json!("json"), &json!("json")));
}
