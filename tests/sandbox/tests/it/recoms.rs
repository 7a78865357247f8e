//! Recommendations by their three ways: of the REST API, by a contact's token, as apps ask.

use hyper::Method;
use serde_json::{Value, json};

use crate::rest::mailed;
use crate::rig::{Answer, Rig};

impl Rig {
    /// Asks with a contact's token.
    async fn by_token(&self, token: &str, path: &str) -> Answer {
        let path = format!("/contact-api/v1/recoms/{path}");
        self.send(Method::GET, &path, &[("es-token", token)], "").await.unwrap()
    }

    /// Asks as an app does.
    async fn by_app(&self, key: &str, variant: &str, body: &Value) -> Answer {
        let headers = [("x-reteno-access-key", key), ("content-type", "application/json")];
        let path = format!("/mobile-api/api/v1/recoms/{variant}/request");
        self.send(Method::POST, &path, &headers, body.to_string()).await.unwrap()
    }

    async fn token(&self, of: &Value) -> String {
        let answer = self.done("POST", "/v1/auth/contact/token", of).await.json();
        answer["token"].as_str().unwrap().to_owned()
    }
}

const APP_KEY: &str = "sandbox-mobile-key";

fn ids(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_is_recommended_the_shops_products_in_an_order_of_their_own() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "shop": "http://127.0.0.1:1" })).await;
    let ann = rig.look("/v2/contacts/recoms/1244?webId=ANN").await;
    assert_eq!(ann.as_array().unwrap().len(), 14);
    let first = &ann[0];
    let id = first["id"].as_str().unwrap();
    let url = format!("http://127.0.0.1:1/product.html?id={id}&sc_content=19534_r12v34");
    assert_eq!(first["url"], url);
    assert_eq!(rig.look("/v2/contacts/recoms/1244?webId=ANN").await, ann);
    let bob = rig.look("/v2/contacts/recoms/1244?webId=BOB").await;
    assert_ne!(ids(&ann, "id"), ids(&bob, "id"));

    let about = rig.look("/v2/contacts/recoms/7?webId=ANN&products=TENT-1P,POT-2").await;
    let about_ids = ids(&about, "id");
    assert!(!about_ids.contains(&"TENT-1P".to_owned()) && !about_ids.contains(&"POT-2".to_owned()));
    let likes = ["MAT-AIR", "BAG-DOWN", "PACK-55", "STOVE-G", "MUG-T", "BOTTLE-F", "TENT-2P"];
    assert!(about_ids[..7].iter().all(|id| likes.contains(&id.as_str())), "{about_ids:?}");
    assert!(about[0]["url"].as_str().unwrap().ends_with("sc_content=10007_r7v1"));
    let tents = rig.look("/v2/contacts/recoms/7?webId=ANN&category=Tents").await;
    assert_eq!(tents.as_array().unwrap().len(), 4);
    assert_eq!(rig.look("/v2/contacts/recoms/7?webId=ANN&category=none").await, json!([]));
    assert_eq!(rig.api("GET", "/v2/contacts/recoms/7", &Value::Null).await.status, 400);
}

#[tokio::test]
async fn a_contacts_token_is_good_for_one_call_which_brings_the_next() {
    let rig = Rig::start().await;
    rig.contact(&mailed("ann@example.com")).await;
    let token = rig.token(&json!({ "email": "ann@example.com" })).await;
    let answer = rig.by_token(&token, "1244?products=TENT-1P&category=Tents").await;
    assert_eq!((answer.status, answer.json().as_array().unwrap().len()), (200, 3));
    let next = answer.header("es-token").to_owned();
    assert!(!next.is_empty() && next != token);
    assert_eq!(rig.by_token(&token, "1244").await.status, 401, "spent");
    assert_eq!(rig.by_token(&next, "1244").await.status, 200);
    for wrong in ["", "made-up", &next] {
        assert_eq!(rig.by_token(wrong, "1244").await.status, 401);
    }
    // A browser's, and nobody's.
    assert!(!rig.token(&json!({ "cookie": "ANN" })).await.is_empty());
    rig.put("/settings", &json!({ "unknown_web_ids": ["BOB"], "token_ms": 0 })).await;
    assert_eq!(rig.token(&json!({ "cookie": "BOB" })).await, "");
    assert_eq!(rig.token(&json!({ "externalCustomerId": "nobody" })).await, "");
    let expired = rig.token(&json!({ "cookie": "ANN" })).await;
    assert_eq!(rig.by_token(&expired, "1244").await.status, 401);
    let wrong = rig.by_token("x", "1244").await;
    assert_eq!(wrong.header("es-token"), "", "a refusal brings none");
}

#[tokio::test]
async fn apps_ask_for_a_variant_with_their_key() {
    let rig = Rig::start().await;
    let all = rig.by_app(APP_KEY, "r1107v1482", &json!({})).await;
    assert_eq!(all.status, 200);
    let all = all.json();
    let first = &all["recoms"][0];
    assert_eq!((&first["price"], &first["product_id"]), (&json!("6490"), &json!("")));
    assert_eq!(first["imageUrl"], "https://shop.example/img/tent-1p.svg");
    let body = json!({
        "products": ["TENT-1P"],
        "fields": ["productId", "name"],
        "filters": [{ "name": "tags_all_category_names", "values": ["Tents", "Backpacks"] }],
    });
    let some = rig.by_app(APP_KEY, "r1107v1482", &body).await.json();
    assert_eq!(some["recoms"][0].as_object().unwrap().len(), 2);
    assert_eq!(ids(&some["recoms"], "productId").len(), 6);
    for (key, variant, body, status) in [
        ("other", "r1107v1482", json!({}), 401),
        (APP_KEY, "r1107", json!({}), 400),
        (APP_KEY, "home", json!({}), 400),
        (APP_KEY, "r1v1", json!({}), 422),
        (APP_KEY, "r1107v1483", json!({}), 400),
        (APP_KEY, "r1107v1483", json!({ "products": ["1"] }), 200),
        (APP_KEY, "r1107v1484", json!({ "products": ["1"] }), 400),
        (APP_KEY, "r1107v1484", json!({ "category": "Tents" }), 200),
        (APP_KEY, "r1107v1482", json!({ "category": "" }), 400),
        (APP_KEY, "r1107v1482", json!({ "filters": [] , "fields": [] }), 400),
        (APP_KEY, "r1107v1482", json!({ "page": 2 }), 400),
        (APP_KEY, "r1107v1482", json!([]), 400),
    ] {
        assert_eq!(rig.by_app(key, variant, &body).await.status, status, "{variant} {body}");
    }
    let requests = rig.read("/requests?path=/mobile-api/").await;
    assert!(!requests.to_string().contains(APP_KEY), "no key is recorded");
    assert_eq!(requests[0]["operation"], "recomsRequest");
}

#[tokio::test]
async fn faults_reach_all_three_and_the_next_token_comes_along() {
    let rig = Rig::start().await;
    let fault = json!({ "status": 200, "body": "[{", "match": { "path": "/contact-api/" } });
    assert_eq!(rig.put("/faults", &fault).await.status, 200);
    let token = rig.token(&json!({ "cookie": "ANN" })).await;
    let answer = rig.by_token(&token, "1244").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "[{"));
    assert_eq!(rig.by_app(APP_KEY, "r1107v1482", &json!({})).await.status, 200);
    let next = answer.header("es-token").to_owned();
    rig.put("/faults", &json!({ "status": 500, "match": { "path": "/mobile-api/" } })).await;
    assert_eq!(rig.by_app(APP_KEY, "r1107v1482", &json!({})).await.status, 500);
    assert_eq!(rig.by_token(&next, "1244").await.status, 200);
    let fault =
        json!({ "redirect": "https://evil.example", "match": { "path": "/api/v2/contacts/" } });
    rig.put("/faults", &fault).await;
    assert_eq!(rig.api("GET", "/v2/contacts/recoms/1?webId=A", &Value::Null).await.status, 307);
    assert_eq!(rig.put("/faults", &json!({ "match": { "path": "/other/" } })).await.status, 400);
}
