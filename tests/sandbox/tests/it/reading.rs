//! What arrived can be read back, exactly and without secrets.

use hyper::Method;
use serde_json::{Value, json};

use crate::bodies::right;
use crate::rig::Rig;

#[tokio::test]
async fn a_request_is_listed_with_all_that_came_but_its_secrets() {
    let rig = Rig::start().await;
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Basic c2VjcmV0"),
        ("x-api-key", "c2VjcmV0"),
        ("user-agent", "Visitor/1"),
    ];
    let body = right("StatusCart").to_string();
    rig.send(Method::POST, "/api/v2", &headers, body.clone()).await.unwrap();
    rig.post(&right("MainPage")).await;

    let answer = rig.get("/requests").await;
    assert!(!answer.text.contains("c2VjcmV0"));
    let request = &answer.json()[0];
    assert_eq!(request["seq"], 1);
    assert_eq!(request["method"], "POST");
    assert_eq!(request["path"], "/api/v2");
    assert_eq!(request["authorized"], true);
    assert_eq!(request["body"], body);
    assert_eq!(request["verdict"], "accepted");
    assert_eq!(request["status"], 200);
    assert_eq!(request["event"], "StatusCart");
    assert_eq!(request["sc"], "CDA68358-94FB-4D83-9655-3FEB3C4114A3");
    let headers = request["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["authorization", "***"])));
    assert!(headers.contains(&json!(["x-api-key", "***"])));
    assert!(headers.contains(&json!(["user-agent", "Visitor/1"])));
    assert_eq!(answer.json()[1]["authorized"], false);
}

#[tokio::test]
async fn raw_bytes_come_back_as_they_came() {
    let rig = Rig::start().await;
    let body = "{ \"GeneralInfo\" : 1.50e0 }\n";
    rig.send(Method::POST, "/api/v2", &[("content-type", "application/json")], body).await.unwrap();
    assert_eq!(rig.get("/requests/1/body").await.text, body);
    assert_eq!(rig.get("/requests/2/body").await.status, 404);
}

#[tokio::test]
async fn events_are_the_accepted_bodies_to_the_digit() {
    let rig = Rig::start().await;
    let body = right("StatusCart").to_string().replace("\"201.95\"", "201.950");
    let headers = [("content-type", "application/json"), ("user-agent", "Visitor/1")];
    rig.send(Method::POST, "/api/v2", &headers, body.clone()).await.unwrap();
    rig.post(&json!({})).await;
    let answer = rig.get("/events").await;
    assert!(answer.text.contains(&body), "numbers keep their text and members their order");
    let events = answer.json();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["seq"], 1);
    assert_eq!(events[0]["user_agent"], "Visitor/1");
    assert!(events[0]["received"].is_u64());
}

#[tokio::test]
async fn listings_can_be_narrowed_and_go_on_where_one_stopped() {
    let rig = Rig::start().await;
    for event in ["MainPage", "StatusCart", "NotFound", "StatusCart"] {
        rig.post(&right(event)).await;
    }
    let seqs = async |query: &str| -> Vec<u64> {
        let list = rig.read(query).await;
        list.as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()).collect()
    };
    assert_eq!(seqs("/requests").await, [1, 2, 3, 4]);
    assert_eq!(seqs("/requests?since=2").await, [3, 4]);
    assert_eq!(seqs("/requests?limit=2").await, [1, 2]);
    assert_eq!(seqs("/requests?event=StatusCart").await, [2, 4]);
    assert_eq!(seqs("/requests?event=StatusCart&verdict=duplicate").await, [4]);
    assert_eq!(seqs("/events?since=1").await, [2, 3]);
    for wrong in [
        "/requests?verdict=good",
        "/requests?since=x",
        "/requests?evnt=a",
        "/events?verdict=refused",
    ] {
        assert_eq!(rig.get(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn stats_count_verdicts_events_and_the_fullest_second() {
    let rig = Rig::start().await;
    for event in ["MainPage", "StatusCart", "StatusCart"] {
        rig.post(&right(event)).await;
    }
    rig.post(&json!({})).await;
    let stats = rig.read("/stats").await;
    assert_eq!(stats["requests"], 4);
    assert_eq!(stats["duplicates"], 1);
    assert_eq!(
        stats["verdicts"],
        json!({ "accepted": 2, "duplicate": 1, "refused": 1, "faulted": 0, "limited": 0 })
    );
    assert_eq!(stats["events"], json!({ "MainPage": 1, "StatusCart": 1 }));
    assert_eq!(stats["attempts"]["StatusCart"], json!({ "accepted": 1, "duplicate": 1 }));
    assert_eq!(stats["max_per_second"], 4);
}

#[tokio::test]
async fn an_emptied_list_counts_on_and_knows_no_duplicates() {
    let rig = Rig::start().await;
    let body = right("MainPage");
    rig.post(&body).await;
    assert_eq!(rig.delete("/requests").await.status, 204);
    assert_eq!(rig.read("/requests").await, json!([]));
    assert_eq!(rig.post(&body).await.status, 200);
    assert_eq!(rig.read("/requests").await[0]["seq"], 2);
}

#[tokio::test]
async fn events_outlive_the_program() {
    let rig = Rig::start().await;
    let body = right("MainPage");
    rig.post(&body).await;
    let rig = rig.restart().await;
    assert_eq!(rig.read("/events").await[0]["body"], body);
    assert_eq!(rig.post(&body).await.status, 400, "a duplicate, as before");
    assert_eq!(rig.read("/requests").await[1]["seq"], 2);
}

#[tokio::test]
async fn the_page_shows_what_arrived_and_takes_no_markup_from_it() {
    let rig = Rig::start().await;
    assert!(rig.get("/").await.text.contains("Nothing has arrived yet"));
    let mut body = right("SearchRequest");
    body["SearchRequest"]["search"] = json!("<script>alert(1)</script>");
    rig.post(&body).await;
    rig.post(&json!({ "GeneralInfo": { "eventName": "<i>" } })).await;
    let answer = rig.get("/").await;
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let html = answer.text;
    for part in [
        "http-equiv=\"refresh\" content=\"2\"",
        "SearchRequest",
        "CDA68358-94FB-4D83-9655-3FEB3C4114A3",
        "user@mail.com",
        "&lt;script&gt;alert(1)",
        "&lt;i&gt;",
        "GeneralInfo.eventName",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script") && !html.contains("<i>"));
}

#[tokio::test]
async fn reading_is_not_recorded() {
    let rig = Rig::start().await;
    for path in ["/", "/requests", "/events", "/stats", "/faults", "/settings"] {
        assert_eq!(rig.get(path).await.status, 200);
        assert_eq!(rig.send(Method::PATCH, path, &[], "").await.unwrap().status, 405);
    }
    assert_eq!(rig.read("/requests").await, Value::Array(Vec::new()));
}
