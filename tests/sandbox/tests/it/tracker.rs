//! Everything about a request to the tracker but its members.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bodies::right;
use crate::rig::Rig;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn success_is_200_with_an_empty_object_or_204_by_setting() {
    let rig = Rig::start().await;
    let answer = rig.post(&right("MainPage")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    rig.put("/settings", &json!({ "success_status": 204 })).await;
    let answer = rig.post(&right("NotFound")).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
}

#[tokio::test]
async fn the_content_type_is_json_alone() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "duplicate_window_ms": 0 })).await;
    let body = right("MainPage").to_string();
    let table: [(&[(&str, &str)], u16); 8] = [
        (&[JSON], 200),
        (&[("content-type", "application/json; charset=UTF-8")], 200),
        (&[("content-type", "Application/JSON")], 200),
        (&[], 415),
        (&[("content-type", "text/plain;charset=UTF-8")], 415),
        (&[("content-type", "application/json; charset=windows-1251")], 415),
        (&[JSON, ("content-type", "text/plain")], 415),
        (&[JSON, ("content-encoding", "gzip")], 415),
    ];
    for (headers, status) in table {
        let answer = rig.send(Method::POST, "/api/v2", headers, body.clone()).await.unwrap();
        assert_eq!(answer.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_body_of_1_mb_is_taken_and_a_byte_more_refused() {
    let rig = Rig::start().await;
    let event = right("MainPage").to_string();
    let mut body = event.clone() + &" ".repeat(1024 * 1024 - event.len());
    let post = async |body: String| rig.send(Method::POST, "/api/v2", &[JSON], body).await.unwrap();
    assert_eq!(post(body.clone()).await.status, 200);
    body.push(' ');
    let answer = post(body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["code"], "too_large");
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let rig = Rig::start().await;
    let deep = "[".repeat(100_000);
    for body in ["", "{", "{} x", "nul", "\u{feff}{}", "\"\\ud800\"", deep.as_str()] {
        let answer = rig.send(Method::POST, "/api/v2", &[JSON], body.to_owned()).await.unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["code"], "json", "{body:.20}");
    }
    let answer =
        rig.send(Method::POST, "/api/v2", &[JSON], &b"{\"a\":\"\xff\"}"[..]).await.unwrap();
    assert_eq!(answer.json()["error"]["code"], "json");
    for body in ["null", "[]", "7"] {
        let answer = rig.send(Method::POST, "/api/v2", &[JSON], body).await.unwrap();
        assert_eq!(answer.json()["error"]["code"], "type");
    }
}

#[tokio::test]
async fn other_methods_and_addresses_are_refused_but_recorded() {
    let rig = Rig::start().await;
    let answer = rig.send(Method::PUT, "/api/v2", &[JSON], "{}").await.unwrap();
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    let answer = rig.send(Method::POST, "/api/v2/", &[JSON], "{}").await.unwrap();
    assert_eq!(answer.status, 404);
    let requests = rig.read("/requests").await;
    assert_eq!(requests[0]["error"]["code"], "method");
    assert_eq!(requests[1]["error"]["code"], "path");
    assert_eq!(requests[1]["path"], "/api/v2/");
}

#[tokio::test]
async fn the_same_bytes_within_the_window_are_a_duplicate_and_no_second_event() {
    let rig = Rig::start().await;
    let body = right("StatusCart");
    assert_eq!(rig.post(&body).await.status, 200);
    for _ in 0..2 {
        let answer = rig.post(&body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), json!({ "message": "Duplicated request" }));
    }
    assert_eq!(rig.verdicts().await, ["accepted", "duplicate", "duplicate"]);
    assert_eq!(rig.read("/events").await.as_array().unwrap().len(), 1);
    assert_eq!(rig.read("/stats").await["duplicates"], 2);
}

#[tokio::test]
async fn a_body_that_differs_in_one_space_is_no_duplicate() {
    let rig = Rig::start().await;
    let body = right("StatusCart").to_string();
    for body in [body.clone(), format!("{body} ")] {
        assert_eq!(rig.send(Method::POST, "/api/v2", &[JSON], body).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn the_window_of_duplicates_ends() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "duplicate_window_ms": 30 })).await;
    let body = right("StatusCart");
    assert_eq!(rig.post(&body).await.status, 200);
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert_eq!(rig.post(&body).await.status, 200);
}

#[tokio::test]
async fn a_refused_body_leaves_nothing_to_duplicate() {
    let rig = Rig::start().await;
    let body = right("StatusCart");
    rig.put("/faults", &json!({ "status": 503, "count": 1 })).await;
    assert_eq!(rig.post(&body).await.status, 503);
    assert_eq!(rig.post(&body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_bodies_at_once_one_is_accepted() {
    let rig = Arc::new(Rig::start().await);
    let mut posts = JoinSet::new();
    for _ in 0..16 {
        let rig = Arc::clone(&rig);
        posts.spawn(async move { rig.post(&right("StatusCart")).await.status });
    }
    let statuses = posts.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(rig.read("/stats").await["duplicates"], 15);
}

#[tokio::test]
async fn above_the_rate_limit_the_answer_is_429_with_retry_after() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "rate_limit_per_s": 3, "duplicate_window_ms": 0 })).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = rig.post(&right("MainPage")).await;
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), "1");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(rig.read("/stats").await["verdicts"]["limited"], 2);
    rig.put("/settings", &json!({ "rate_limit_per_s": null })).await;
    assert_eq!(rig.post(&right("MainPage")).await.status, 200);
}

#[tokio::test]
async fn a_body_cut_off_on_its_way_is_recorded() {
    let rig = Rig::start().await;
    let mut stream = TcpStream::connect(rig.sandbox.platform()).await.unwrap();
    let head = "POST /api/v2 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 500\r\n\r\n{\"GeneralInfo\":";
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    // Nobody is left to be answered, so there is no answer to wait for.
    let recorded = async {
        while rig.read("/requests").await == json!([]) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), recorded).await.expect("a record");
    assert_eq!(rig.read("/requests").await[0]["error"]["code"], "body_incomplete");
}

#[tokio::test]
async fn settings_change_by_member_and_refuse_nonsense() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "success_status": 204 })).await;
    let settings = rig.read("/settings").await;
    assert_eq!(settings["success_status"], 204);
    assert_eq!(settings["duplicate_window_ms"], 60_000);
    for wrong in [
        json!({ "sucess_status": 200 }),
        json!({ "success_status": 500 }),
        json!({ "rate_limit_per_s": 0 }),
        json!({ "duplicate_window_ms": -1 }),
        json!([]),
    ] {
        assert_eq!(rig.put("/settings", &wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(rig.read("/settings").await, settings);
    assert_eq!(rig.delete("/settings").await.json()["success_status"], 200);
}
