//! Faults do what they say, to whom they say and as often.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::bodies::right;
use crate::rig::Rig;

#[tokio::test]
async fn a_status_applies_as_often_as_its_count_and_stores_nothing() {
    let rig = Rig::start().await;
    let fault = json!({ "status": 503, "count": 2, "retry_after": "5", "body": "<h1>busy</h1>" });
    rig.put("/faults", &fault).await;
    let body = right("MainPage");
    for _ in 0..2 {
        let answer = rig.post(&body).await;
        assert_eq!((answer.status, answer.text.as_str()), (503, "<h1>busy</h1>"));
        assert_eq!(answer.header("retry-after"), "5");
    }
    assert_eq!(rig.post(&body).await.status, 200);
    assert_eq!(rig.verdicts().await, ["faulted", "faulted", "accepted"]);
    assert_eq!(rig.read("/requests").await[0]["fault"], "status");
    assert_eq!(rig.read("/faults").await["faults"][0]["applied"], 2);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let rig = Rig::start().await;
    let date = "Wed, 21 Oct 2099 07:28:00 GMT";
    rig.put("/faults", &json!({ "status": 429, "retry_after": date })).await;
    assert_eq!(rig.post(&right("MainPage")).await.header("retry-after"), date);
}

#[tokio::test]
async fn a_fault_without_a_count_lasts_until_it_is_cleared() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "status": 500 })).await;
    for _ in 0..3 {
        assert_eq!(rig.post(&right("MainPage")).await.status, 500);
    }
    rig.delete("/faults").await;
    assert_eq!(rig.read("/faults").await, json!({ "faults": [] }));
    assert_eq!(rig.post(&right("MainPage")).await.status, 200);
}

#[tokio::test]
async fn a_fault_for_one_event_spares_the_others() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "refuse": true, "match": { "event": "StatusCart" } })).await;
    for _ in 0..2 {
        let answer = rig.post(&right("StatusCart")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["code"], "fault");
    }
    assert_eq!(rig.post(&right("MainPage")).await.status, 200);
    assert_eq!(rig.verdicts().await, ["refused", "refused", "accepted"]);
}

#[tokio::test]
async fn the_first_fault_of_a_list_that_fits_applies() {
    let rig = Rig::start().await;
    let faults = json!([
        { "status": 500, "match": { "event": "StatusCart" }, "count": 1 },
        { "status": 502 },
    ]);
    rig.put("/faults", &faults).await;
    assert_eq!(rig.post(&right("StatusCart")).await.status, 500);
    assert_eq!(rig.post(&right("StatusCart")).await.status, 502);
    assert_eq!(rig.post(&right("MainPage")).await.status, 502);
}

#[tokio::test]
async fn a_connection_dropped_before_storing_leaves_no_event() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "drop": "before", "count": 1 })).await;
    let body = right("MainPage");
    rig.try_post(&body).await.expect_err("the connection is closed");
    assert_eq!(rig.read("/events").await, json!([]));
    let request = &rig.read("/requests").await[0];
    assert_eq!((&request["verdict"], &request["status"]), (&json!("faulted"), &json!(null)));
    assert_eq!(request["body"], body.to_string());
    assert_eq!(rig.post(&body).await.status, 200);
}

#[tokio::test]
async fn a_connection_dropped_after_storing_leaves_one_event_and_a_duplicate() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "drop": "after", "count": 1 })).await;
    let body = right("MainPage");
    rig.try_post(&body).await.expect_err("the connection is closed");
    assert_eq!(rig.read("/events").await.as_array().unwrap().len(), 1);
    assert_eq!(rig.post(&body).await.json()["message"], "Duplicated request");
    assert_eq!(rig.read("/requests").await[0]["fault"], "drop_after");
}

#[tokio::test]
async fn a_tracker_that_is_down_answers_nobody_but_counts_who_came() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "down": true })).await;
    for event in ["MainPage", "NotFound"] {
        rig.try_post(&right(event)).await.expect_err("the connection is closed");
    }
    rig.delete("/faults").await;
    assert_eq!(rig.post(&right("MainPage")).await.status, 200);
    assert_eq!(rig.verdicts().await, ["faulted", "faulted", "accepted"]);
    let request = &rig.read("/requests").await[0];
    assert_eq!((&request["fault"], &request["body_bytes"]), (&json!("down"), &json!(0)));
}

#[tokio::test]
async fn a_delayed_answer_comes_late_and_its_event_at_once() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "delay_ms": 400, "jitter_ms": 50 })).await;
    let start = Instant::now();
    let body = right("MainPage");
    let impatient = timeout(Duration::from_millis(200), rig.try_post(&body)).await;
    assert!(impatient.is_err(), "no answer within 200 ms");
    assert_eq!(rig.read("/events").await.as_array().unwrap().len(), 1);
    assert_eq!(rig.post(&right("NotFound")).await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn a_redirect_names_its_target_and_stores_nothing() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "redirect": "http://127.0.0.1:9/elsewhere" })).await;
    let answer = rig.post(&right("MainPage")).await;
    assert_eq!(answer.status, 307);
    assert_eq!(answer.header("location"), "http://127.0.0.1:9/elsewhere");
    rig.put("/faults", &json!({ "redirect": "/", "status": 302 })).await;
    assert_eq!(rig.post(&right("MainPage")).await.status, 302);
    assert_eq!(rig.read("/events").await, json!([]));
}

#[tokio::test]
async fn a_success_may_be_strange_and_is_stored_all_the_same() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "status": 200, "body": "<html>login</html>", "count": 1 })).await;
    let answer = rig.post(&right("MainPage")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "<html>login</html>"));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    rig.put("/faults", &json!({ "success_status": 204 })).await;
    assert_eq!(rig.post(&right("NotFound")).await.status, 204);
    assert_eq!(rig.post(&json!({})).await.status, 400, "a wrong body is refused as ever");
    assert_eq!(rig.verdicts().await, ["accepted", "accepted", "refused"]);
}

#[tokio::test]
async fn a_fault_may_switch_the_window_of_duplicates_off() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "duplicate_window_ms": 0, "count": 2 })).await;
    let body = right("MainPage");
    assert_eq!(rig.post(&body).await.status, 200);
    assert_eq!(rig.post(&body).await.status, 200);
    assert_eq!(rig.post(&body).await.status, 400);
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_and_the_old_one_stays() {
    let rig = Rig::start().await;
    rig.put("/faults", &json!({ "status": 503 })).await;
    for wrong in [
        json!({ "statuss": 503 }),
        json!({ "status": 99 }),
        json!({ "status": 503, "drop": "before" }),
        json!({ "drop": "sometime" }),
        json!({ "down": true, "match": { "event": "MainPage" } }),
        json!({ "redirect": "/", "status": 200 }),
        json!({ "retry_after": "1\r\nx: y" }),
        json!({ "match": { "event": "MainPage", "path": "/" } }),
        json!({ "success_status": 201 }),
        json!("down"),
    ] {
        assert_eq!(rig.put("/faults", &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(rig.post(&right("MainPage")).await.status, 503);
}
