//! The REST API over its socket: a client with a key, and what every operation has in common.

mod access;
mod contacts;
mod history;
mod imports;
mod operations;
mod refusals;
mod table;

use hyper::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig};

/// `:sandbox-key`, the user name being empty.
pub(crate) const KEY: &str = "Basic OnNhbmRib3gta2V5";

impl Rig {
    /// Sends a REST request with the key; the path is that of the contract, from `/v1` on.
    pub(crate) async fn api(&self, method: &str, path: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.api_as(KEY, method, path, &text).await
    }

    pub(crate) async fn api_as(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let method: Method = method.parse().unwrap();
        let headers = [("authorization", key), ("content-type", "application/json; charset=UTF-8")];
        self.send(method, &format!("/api{path}"), &headers, body.to_owned()).await.unwrap()
    }

    /// As [`Rig::api`], for a request that has to work.
    pub(crate) async fn done(&self, method: &str, path: &str, body: &Value) -> Answer {
        let answer = self.api(method, path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {answer:?}");
        answer
    }

    /// Reads a REST answer.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.done("GET", path, &Value::Null).await.json()
    }

    /// Adds a contact and gives its number.
    pub(crate) async fn contact(&self, contact: &Value) -> i64 {
        self.done("POST", "/v1/contact", contact).await.json()["id"].as_i64().unwrap()
    }

    /// Imports contacts, waits for the end and gives its mapping.
    pub(crate) async fn import(&self, request: &Value) -> Value {
        let answer = self.done("POST", "/v1/contacts", request).await.json();
        let path = format!("/v1/importstatus/{}", answer["asyncSessionId"].as_str().unwrap());
        loop {
            let status = self.look(&path).await;
            match status["status"].as_str().unwrap() {
                "FINISHED" => return status["mapping"].clone(),
                "ERROR" => panic!("{status}"),
                _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }
}

/// A contact with one address.
pub(crate) fn mailed(email: &str) -> Value {
    json!({ "channels": [{ "type": "email", "value": email }] })
}
