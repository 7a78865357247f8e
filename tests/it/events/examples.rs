//! Every event among the documents' examples, against bodies written by hand from the contract.

use std::collections::BTreeMap;

use esputnik_kit::event::{Event, Kind};
use serde_json::{Value, json};

use crate::rig::{encode, encode_value, names, read_call, read_rest, value};

const EXAMPLES: &str = include_str!("../../data/site.json");
const BODIES: &str = include_str!("../../data/tracker-bodies.json");

/// What a page or a server sends, by the id of the example.
fn events() -> BTreeMap<String, Value> {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let event = |example: &Value| match example["kind"].as_str().unwrap() {
        "js-call" => {
            example["payload"]["args"][0].as_str().is_some_and(|name| name.starts_with("sendEvent"))
        }
        kind => matches!(kind, "rest-body" | "rest-fragment"),
    };
    let named =
        |example: Value| (example["id"].as_str().unwrap().into(), example["payload"].clone());
    examples.into_iter().filter(event).map(named).collect()
}

/// What the tracker gets for them, by the same ids.
fn expectations() -> BTreeMap<String, Value> {
    let bodies: Vec<Value> = serde_json::from_str(BODIES).unwrap();
    bodies.into_iter().map(|body| (body["id"].as_str().unwrap().into(), body)).collect()
}

#[test]
fn every_example_of_an_event_has_its_expected_body() {
    let (events, expectations) = (events(), expectations());
    assert_eq!(events.keys().collect::<Vec<_>>(), expectations.keys().collect::<Vec<_>>());
    assert_eq!(events.len(), 17);
}

#[test]
fn every_call_and_body_of_the_documents_gives_the_documented_tracker_body() {
    let expectations = expectations();
    for (id, payload) in events() {
        if id == "REST-11" {
            continue; // A fragment; it has a test of its own.
        }
        let reading = match payload.get("args") {
            Some(call) => read_call(call.clone()),
            None => read_rest(payload),
        };
        let reading = reading.unwrap_or_else(|errors| panic!("{id}: {errors:?}"));
        assert_eq!(encode(&reading), expectations[&id]["body"], "{id}");
    }
}

#[test]
fn every_call_and_body_of_the_documents_warns_of_exactly_what_is_not_the_written_form() {
    let expectations = expectations();
    for (id, payload) in events() {
        if id == "REST-11" {
            continue;
        }
        let reading = match payload.get("args") {
            Some(call) => read_call(call.clone()).unwrap(),
            None => read_rest(payload).unwrap(),
        };
        let expected: Vec<String> =
            serde_json::from_value(expectations[&id]["warnings"].clone()).unwrap();
        assert_eq!(names(&reading.warnings), expected, "{id}");
    }
}

#[test]
fn an_item_without_a_discount_gets_neither_of_its_tags() {
    let item = &events()["REST-11"];
    let general = json!({"eventName": "ProductUpdate", "siteId": "8A412DC"});
    let reading = read_rest(json!({"GeneralInfo": general, "ProductUpdate": [item]})).unwrap();
    assert_eq!(encode(&reading)["ProductUpdate"][0], expectations()["REST-11"]["body"]);
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
}

#[test]
fn documented_calls_that_are_no_events_are_told_apart_by_name() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let mut commands = Vec::new();
    for example in examples.iter().filter(|example| example["kind"] == "js-call") {
        let call = value(example["payload"]["args"].clone());
        let (command, arguments) = call.as_list().unwrap().split_first().unwrap();
        let command = command.as_text().unwrap();
        if !command.starts_with("sendEvent") {
            let errors = Event::from_call(command, arguments).unwrap_err();
            assert_eq!(names(&errors), [format!("unknown_command {command}")]);
            commands.push(command.to_owned());
        }
    }
    commands.dedup();
    assert_eq!(commands, ["init", "getRecommendations"]);
}

#[test]
fn the_same_call_gives_the_same_bytes() {
    for payload in events().into_values() {
        let Some(call) = payload.get("args") else { continue };
        let bytes = || encode_value(&read_call(call.clone()).unwrap()).to_json();
        assert_eq!(bytes(), bytes());
    }
}

#[test]
fn general_info_leads_every_body_and_the_event_follows() {
    for payload in events().into_values() {
        let Some(call) = payload.get("args") else { continue };
        let reading = read_call(call.clone()).unwrap();
        let json = encode_value(&reading).to_json();
        assert!(json.starts_with(r#"{"GeneralInfo":{"eventName":""#), "{json}");
        let key = format!("}},\"{}\":", reading.event.kind.key());
        assert!(json.ends_with("}}}") || json.contains(&key), "{json}");
    }
}

#[test]
fn every_name_of_an_event_and_of_its_key_is_known() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.key()), Some(kind));
        assert_eq!(Kind::from_name(kind.event_name()), Some(kind));
    }
    for name in ["", "productpage", "ProductPage ", "StatusCartpage", "ProductUpdates"] {
        assert_eq!(Kind::from_name(name), None, "{name}");
    }
}
